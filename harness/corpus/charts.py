"""The charts of a corpus: rank and frequency, rare tokens, and perplexity by n."""

from __future__ import annotations

from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from harness.corpus.measure import KINDS, LENGTHS, Counted
from harness.page.figure import Figure, finish
from harness.page.palette import OTHERS
from harness.page.series import records

HEIGHT = 320
POINTS = 60
"""Ranks that are drawn of each length, evenly apart on a logarithmic axis."""

GRAMS = ("unigrams", "bigrams", "trigrams")
TRAIN, VAL = "the first nine tenths, which were counted", "the last tenth, which was not"
LOOKS = OTHERS[:3]


def ranks(each: Counted) -> Figure:
    """Frequency by rank of uni-, bi- and trigrams, and Zipf's line through each."""
    tables = []
    for line in records(each.zipf):
        counts = np.sort(each.ngrams.levels[line["n"] - 1].counts)[::-1]
        picked = np.unique(np.geomspace(1, len(counts), POINTS).round().astype(int))
        fitted = np.where(
            (picked >= line["first_rank"]) & (picked <= line["last_rank"]),
            line["constant"] * picked ** -line["exponent"],
            np.nan,
        )
        tables.append(
            pd.DataFrame(
                {
                    "gram": GRAMS[line["n"] - 1],
                    "rank": picked,
                    "frequency": counts[picked - 1],
                    "fitted": fitted,
                }
            )
        )
    table = pd.concat(tables, ignore_index=True)
    x = alt.X("rank:Q", title="rank, logarithmic", scale=_log(table["rank"]), axis=_tens())
    y_scale = _log(table.frequency)
    y = alt.Y("frequency:Q", title="frequency, logarithmic", scale=y_scale, axis=_tens())
    colour, shape = _by("gram", GRAMS[: len(LENGTHS)])
    told = [
        alt.Tooltip("gram:N", title="of"),
        alt.Tooltip("rank:Q", title="rank", format=",d"),
        alt.Tooltip("frequency:Q", title="frequency", format=",d"),
    ]
    points = alt.Chart().mark_point(filled=True, size=34, opacity=0.8)
    lines = alt.Chart().transform_filter("isValid(datum.fitted)").mark_line(strokeDash=[6, 3])
    layers = [
        lines.encode(x=x, y=alt.Y("fitted:Q", scale=y_scale), color=colour),
        points.encode(x=x, y=y, color=colour, shape=shape, tooltip=told),
    ]
    said = "; ".join(
        f"{GRAMS[line['n'] - 1]} fall with exponent {line['exponent']:.2f}"
        for line in records(each.zipf.dropna())
    )
    words = f"Frequency by rank, both logarithmic, with fitted lines: {said or 'too few to fit'}."
    title = f"Frequency by rank, {KINDS[each.token]}"
    return Figure(f"ranks-{each.token}", title, words, finish(layers, HEIGHT), table)


def rare(counted: list[Counted]) -> Figure:
    """The share of tokens out of vocabulary against the least frequency."""
    tables = [each.oov.assign(kind=KINDS[each.token]) for each in counted]
    table = pd.concat(tables, ignore_index=True)
    kinds = tuple(dict.fromkeys(table.kind))
    x = alt.X("min_freq:Q", title="min_freq, logarithmic", scale=_log(table.min_freq))
    y = alt.Y("share:Q", title="tokens out of vocabulary", axis=alt.Axis(format="%"))
    layers = _lines(x, y, "kind", kinds, alt.Tooltip("share:Q", title="left out", format=".2%"))
    last = table[table.min_freq == table.min_freq.max()]
    ends = ", ".join(f"{row.share:.1%} of {row.kind}" for row in last.itertuples())
    words = (
        f"The share of tokens left out rises with min_freq, at {last.min_freq.iloc[0]} to {ends}."
    )
    title = "Tokens out of vocabulary, by min_freq"
    return Figure("left-out", title, words, finish(layers, 240), table)


def by_length(each: Counted) -> Figure:
    """The perplexity of the smoothed models by n: on what was counted, and on what was not."""
    smooth = each.baselines[each.baselines.smoothing == "kneser-ney"]
    measures = {"train_perplexity": TRAIN, "val_perplexity": VAL}
    table = smooth[["n", *measures]].rename(columns=measures)
    table = table.melt("n", var_name="text", value_name="perplexity")
    low, high = table.perplexity.min(), table.perplexity.max()
    form: Literal["log", "linear"] = "log" if high > 3 * low else "linear"
    scale = alt.Scale(type=form, domain=[low * 0.9, high * 1.1], nice=False)
    x = alt.X("n:O", axis=alt.Axis(labelAngle=0))
    label = "perplexity" + ", logarithmic" * (form == "log")
    y = alt.Y("perplexity:Q", title=label, scale=scale, axis=_axis("~g"))
    told = alt.Tooltip("perplexity:Q", title="perplexity", format=".2f")
    layers = _lines(x, y, "text", (TRAIN, VAL), told)
    best = smooth.sort_values("val_perplexity").iloc[0]
    words = (
        f"Perplexity by n on the text that was counted and on the rest: on the rest it is least "
        f"at n = {best.n}, {best.val_perplexity:.2f}."
    )
    title = f"Perplexity of n-grams by n, {KINDS[each.token]}"
    return Figure(f"by-n-{each.token}", title, words, finish(layers, 280), table)


def _lines(
    x: alt.X, y: alt.Y, by: str, names: tuple[str, ...], told: alt.Tooltip
) -> list[alt.Chart]:
    colour, shape = _by(by, names)
    tooltip = [alt.Tooltip(f"{by}:N", title="of"), alt.Tooltip(x.shorthand), told]
    return [
        alt.Chart().mark_line(strokeWidth=2).encode(x=x, y=y, color=colour),
        alt.Chart()
        .mark_point(filled=True, size=90, opacity=1)
        .encode(x=x, y=y, color=colour, shape=shape, tooltip=tooltip),
    ]


def _by(field: str, names: tuple[str, ...]) -> tuple[alt.Color, alt.Shape]:
    """A colour and a shape for each name, in its own legend."""
    room = 60 + 7 * max(map(len, names))
    fit = alt.ExprRef(f"max(1, floor(width / {room}))")
    legend = alt.Legend(columns=fit, labelLimit=300)
    worn = LOOKS[: len(names)]
    colours = alt.Scale(domain=list(names), range=[look.light for look in worn])
    shapes = alt.Scale(domain=list(names), range=[look.shape for look in worn])
    return (
        alt.Color(f"{field}:N", scale=colours, legend=legend),
        alt.Shape(f"{field}:N", scale=shapes, legend=legend),
    )


def _log(values: pd.Series[float]) -> alt.Scale:
    ends = [float(values.min()), float(values.max())]
    return alt.Scale(type="log", domain=[ends[0] * 0.9, ends[1] * 1.15], nice=False)


def _tens() -> alt.Axis:
    return alt.Axis(format="~s", values=[10**k for k in range(9)])


def _axis(form: str) -> alt.Axis:
    return alt.Axis(format=form, tickCount=6, labelOverlap=True)
