"""Baselines by counting alone, in the chart of learning and in words: has the network won?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt

from harness.page.blocks import NONE, Cell
from harness.page.palette import INK
from harness.page.series import Series, records
from harness.report.groups import RunGroup

REACH = 0.25
"""Largest part of a chart's height that is added below to show the nearest baseline."""

APART = 0.05
"""Baselines nearer than this share of the height share one label, that of the shorter n."""

Measure = Literal["perplexity", "val_perplexity"]


@dataclass(frozen=True)
class Baseline:
    """An n-gram model's perplexity on the text that a curve is drawn of.

    Attributes:
        model: its name.
        smoothed: the figure with Kneser-Ney smoothing, which is drawn.
        plain: without smoothing.
    """

    model: str
    smoothed: float
    plain: float


def baselines(group: RunGroup, measure: str) -> list[Baseline]:
    """The baselines of a group by n; none where its runs have no ``baselines.csv``.

    The text is the same in all its runs, so the first that has them speaks for all.
    """
    tables = [run.baselines for run in group.runs if run.baselines is not None]
    if not tables or tables[0].empty:
        return []
    figures = tables[0].pivot(index=["n", "model"], columns="smoothing", values=measure)
    figures = figures.reset_index().dropna()
    return [
        Baseline(row["model"], row["kneser-ney"], row["none"])
        for row in records(figures.sort_values("n"))
    ]


def judged(group: RunGroup) -> Measure:
    """Measure by which a network is checked against counting: validation where there is one."""
    validated = group.summary.val_perplexity.notna().any()
    return "val_perplexity" if validated else "perplexity"


def best(group: RunGroup) -> Baseline | None:
    """The baseline that a network has to get below: the best smoothed one on the same data."""
    found = baselines(group, judged(group))
    return min(found, key=lambda each: each.smoothed) if found else None


def beaten(group: RunGroup, series: Series, baseline: Baseline) -> int | None:
    """The first epoch after which a series, in the median of its seeds, is below a baseline."""
    epochs = series.rows(group.epochs).groupby("epoch")[judged(group)].median()
    below = epochs.index[epochs < baseline.smoothed]
    return int(below[0]) if len(below) else None


def column(group: RunGroup) -> tuple[str, dict[Series, Cell]] | None:
    """A column for the table of a group: after which epoch each series beats counting."""
    baseline = best(group)
    if baseline is None:
        return None
    cells = {}
    for series in group.series:
        epoch = beaten(group, series, baseline)
        trained = len(series.rows(group.epochs))
        cells[series] = Cell(f"epoch {epoch}" if epoch else "never") if trained else NONE
    return f"below the {baseline.model}'s {baseline.smoothed:.2f} after", cells


def sentence(group: RunGroup) -> str:
    """Sentence on the epochs at which networks beat counting; empty where that is not known."""
    baseline = best(group)
    trained = [each for each in group.series if len(each.rows(group.epochs))]
    if baseline is None or not trained:
        return ""
    epochs = [beaten(group, series, baseline) for series in trained]
    what = f"the best n-gram's {baseline.smoothed:.2f} ({baseline.model}, Kneser-Ney)"
    what += " on the validation text" if judged(group) == "val_perplexity" else ""
    what += _sample(group)
    reached = [epoch for epoch in epochs if epoch]
    if not reached:
        return f" Counting does better: none gets below {what}."
    span = (
        f"{min(reached)}" if min(reached) == max(reached) else f"{min(reached)} to {max(reached)}"
    )
    who = "" if len(reached) == len(epochs) else f", in {len(reached)} of {len(epochs)},"
    return f" The network beats counting{who} after epoch {span}: it is below {what}."


def _sample(group: RunGroup) -> str:
    """Words on how much of a large text was counted; none where it was all of it."""
    table = next(run.baselines for run in group.runs if run.baselines is not None)
    counted, tokens = table.tokens.iloc[0], group.facts["corpus"]["tokens"]
    if group.experiment.sampling == "sliding" or not counted < tokens:  # not known in old tables
        return ""
    return f", counted on the first {counted:,.0f} of {tokens:,} tokens"


def stretched(low: float, high: float, found: Sequence[Baseline]) -> float:
    """The low end of a chart, let down to the nearest baseline below if that is near enough."""
    below = [each.smoothed for each in found if each.smoothed < low]
    if not below or high <= low:
        return low
    near = max(below)
    return near if math.log(low / near) <= REACH * math.log(high / low) else low


def rules(
    found: Sequence[Baseline], low: float, high: float, form: str, y_scale: alt.Scale
) -> list[alt.Chart]:
    """A thin rule with a name for each baseline between the ends of a chart.

    They lie on top, with a broad rule that is hardly seen, to answer the pointer (at opacity 0
    Vega takes it for as thin as a line).
    """
    shown = [each for each in found if low <= each.smoothed <= high]
    if not shown:
        return []
    base = alt.Chart(alt.InlineData(_rows(shown, low, high, form)))
    y = alt.Y("smoothed:Q", scale=y_scale)
    words = base.transform_filter("datum.label").mark_text(
        align="right", baseline="bottom", dx=-4, dy=-2, color=INK["soft"], fontSize=11, clip=True
    )
    told = [
        alt.Tooltip("model:N", title="counting"),
        alt.Tooltip("smoothed:Q", title="Kneser-Ney", format=".4f"),
        alt.Tooltip("plain:N", title="unsmoothed"),
    ]
    return [
        base.mark_rule(color=INK["soft"], strokeWidth=1, strokeDash=[2, 3], clip=True).encode(y=y),
        words.encode(y=y, x=alt.value("width"), text="label:N"),
        base.mark_rule(strokeWidth=9, opacity=0.01, clip=True).encode(y=y, tooltip=told),
    ]


def _rows(shown: list[Baseline], low: float, high: float, form: str) -> list[dict[str, Any]]:
    def height(value: float) -> float:
        if form == "log":
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    rows: list[dict[str, Any]] = []
    last = math.inf
    for each in sorted(shown, key=lambda each: -each.smoothed):
        apart = last - height(each.smoothed) >= APART
        last = height(each.smoothed) if apart else last
        plain = f"{each.plain:.4f}" if math.isfinite(each.plain) else "impossible"
        rows.append(
            {
                "model": each.model,
                "label": each.model if apart else "",
                "smoothed": each.smoothed,
                "plain": plain,
            }
        )
    return rows
