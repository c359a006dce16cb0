"""The chart of learning: perplexity by epoch or by second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import Figure, finish, scales
from harness.page.palette import BAND, INK
from harness.page.series import records
from harness.recipes import Published
from harness.report.counting import Baseline, rules, stretched

HEIGHT = 320


def learning(
    name: str,
    title: str,
    curves: pd.DataFrame,
    measure: str,
    over: str,
    bands: Sequence[Published] = (),
    counted: Sequence[Baseline] = (),
) -> Figure:
    """Perplexity by epoch or by second: median over seeds, their range, the published figures.

    Args:
        name, title: of the figure.
        curves: as `harness.report.curves.curves` gives them.
        measure: ``perplexity`` or ``val_perplexity``.
        over: ``epoch`` or ``elapsed``.
        bands: the published figures; drawn over epochs alone.
        counted: perplexity that counting alone reaches; drawn where the axis shows it.
    """
    table = curves[curves[measure].notna()].reset_index(drop=True)
    low, high = table[f"{measure}_low"].min(), table[f"{measure}_high"].max()
    low = min([low, *(found[0] for band in bands if (found := bounds(band, measure)))])
    low = stretched(low, high, counted)
    form: Literal["log", "linear"] = "log" if high > 3 * low else "linear"
    colour, shape, dashes = scales(table)
    ends = low * 0.96, high * 1.05
    y_scale = alt.Scale(type=form, domain=[*ends], nice=False)
    label = "validation perplexity" if measure.startswith("val") else "perplexity"
    x = alt.X(
        f"{over}:Q",
        title="epoch" if over == "epoch" else "seconds of training",
        axis=alt.Axis(grid=False, tickCount=8, labelFlush=True),
        scale=alt.Scale(domain=[0, float(table[over].max())], nice=False),
    )
    y = alt.Y(
        f"{measure}:Q",
        title=f"{label}, logarithmic" if form == "log" else label,
        axis=alt.Axis(format="~g", tickCount=6, labelOverlap=True),
        scale=y_scale,
    )
    picked = alt.selection_point(name="picked", fields=["framework"], bind="legend")
    dim = alt.when("focus != '' && focus != datum.backend").then(alt.value(0.08))
    strong = dim.when(picked).then(alt.value(0.95)).otherwise(alt.value(0.08))
    fit = alt.ExprRef("max(1, floor(width / 140))")
    colours = alt.Color("framework:N", scale=colour, legend=alt.Legend(columns=fit))
    layers = []
    if over == "epoch":
        layers += _bands(bands, measure, int(table.epoch.max()), y_scale)
        layers += _ground(table, measure, y_scale)
    base = alt.Chart()
    legend = None
    if table.variant.nunique() > 1:
        legend = alt.Legend(symbolType="stroke", symbolSize=500, columns=fit, orient="bottom")
    count = table.backend.nunique()
    step = 2.5 if over == "epoch" else 0
    widths = [2.2 + step * (count - 1 - i) for i in range(count)]
    lines = base.mark_line(clip=True).encode(
        x=x,
        y=y,
        color=colours,
        detail="series:N",
        strokeDash=alt.StrokeDash("variant:N", scale=dashes, legend=legend),
        # Curves that coincide lie on each other: the lower is the wider, so that all are seen.
        strokeWidth=alt.StrokeWidth(
            "backend:N",
            scale=alt.Scale(
                type="ordinal", domain=list(dict.fromkeys(table.backend)), range=widths
            ),
            legend=None,
        ),
        opacity=strong,
    )
    shapes = (
        base.transform_filter("datum.marked")
        .mark_point(clip=True, filled=True, size=64)
        .encode(
            x=x,
            y=y,
            color=colours,
            shape=alt.Shape("framework:N", scale=shape, legend=alt.Legend(columns=fit)),
            opacity=strong,
        )
    )
    axes = alt.selection_interval(
        name="axes",
        bind="scales",
        zoom="wheel![event.shiftKey]",
        translate="[pointerdown[event.pointerType == 'mouse'], window:pointerup] "
        "> window:pointermove!",
    )
    layers += [lines.add_params(alt.param("focus", value=""), picked, axes), shapes]
    layers += _by_epoch(table, measure, x) if over == "epoch" else _by_point(base, measure, x, y)
    layers += rules(counted, *ends, form, y_scale)
    said = _learning_alt(table, measure, over)
    return Figure(name, title, said, finish(layers, HEIGHT), table, (over, measure))


def bounds(band: Published, measure: str) -> tuple[float, float] | None:
    """A band's figures for perplexity or val_perplexity, or None where it has none."""
    low, high = band.low, band.high
    if measure.startswith("val"):
        low, high = band.val_low, band.val_high
    return None if low is None or high is None else (low, high)


def _ground(table: pd.DataFrame, measure: str, y_scale: alt.Scale) -> list[alt.Chart]:
    """Area of all seeds of all series: one ground, for over epochs the series lie together."""
    names = f"{measure}_low", f"{measure}_high"
    seeds = table.groupby("epoch").agg(low=(names[0], "min"), high=(names[1], "max")).reset_index()
    if not (table[names[1]] > table[names[0]]).any():
        return []
    area = alt.Chart(alt.InlineData(records(seeds))).mark_area(
        color=INK["soft"], opacity=0.2, clip=True
    )
    return [area.encode(x="epoch:Q", y=alt.Y("low:Q", scale=y_scale), y2="high:Q")]


def _bands(
    bands: Sequence[Published], measure: str, last: int, y_scale: alt.Scale
) -> list[alt.Chart]:
    """The published figures: across the chart where there is one, around its epoch else."""
    around = last if len(bands) == 1 else 0.035 * last
    rows = []
    for band in bands:
        if found := bounds(band, measure):
            said = f"the book: {found[0]:g} to {found[1]:g} after {band.epoch} epochs"
            ends = max(0, band.epoch - around), min(last, band.epoch + around)
            named = dict(zip(("from", "to", "low", "high"), (*ends, *found), strict=True))
            rows.append({**named, "said": said})
    if not rows:
        return []
    base = alt.Chart(alt.InlineData(rows))
    area = base.mark_rect(color=BAND, opacity=0.9, clip=True).encode(
        x=alt.X("from:Q"),
        x2="to:Q",
        y=alt.Y("low:Q", scale=y_scale),
        y2="high:Q",
        tooltip=[alt.Tooltip("said:N", title="published")],
    )
    words = base.mark_text(
        align="left", baseline="top", dy=5, dx=6, color=INK["soft"], fontSize=12, clip=True
    ).encode(x=alt.X("from:Q"), y=alt.Y("high:Q", scale=y_scale), text="said:N")
    return [area, words] if len(bands) == 1 else [area]


def _by_epoch(table: pd.DataFrame, measure: str, x: alt.X) -> list[alt.Chart]:
    """A rule at the nearest epoch, which says the value of every series there."""
    names = dict(zip(table.series, table.title, strict=True))
    hover = alt.selection_point(
        name="hover",
        fields=["epoch"],
        nearest=True,
        on="pointermove",
        clear="pointerout",
        empty=False,
    )
    rule = (
        alt.Chart()
        .transform_pivot("series", value=measure, groupby=["epoch"], op="mean")
        .mark_rule(color=INK["soft"])
        .encode(
            x=x,
            opacity=alt.when(hover).then(alt.value(0.8)).otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("epoch:Q", title="epoch"),
                *(alt.Tooltip(f"{s}:Q", title=t, format=".4f") for s, t in names.items()),
            ],
        )
        .add_params(hover)
    )
    return [rule]


def _by_point(base: alt.Chart, measure: str, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """A ring around the nearest point, which says its values."""
    # Nearest works by cells around the points; Vega-Lite's own tooltip reads texts from the cell.
    said = (
        "{'series': (datum.datum || datum).title, 'epoch': (datum.datum || datum).epoch, "
        "'seconds': format((datum.datum || datum).elapsed, ',.2f'), "
        f"'perplexity': format((datum.datum || datum).{measure}, '.4f')}}"
    )
    hover = alt.selection_point(
        name="hover", nearest=True, on="pointermove", clear="pointerout", empty=False
    )
    ring = (
        base.mark_point(clip=True, size=110, filled=False, strokeWidth=2, color=INK["ink"])
        .encode(
            x=x,
            y=y,
            opacity=alt.when(hover).then(alt.value(1)).otherwise(alt.value(0)),
            tooltip=alt.value(alt.ExprRef(said)),
        )
        .add_params(hover)
    )
    return [ring]


def _learning_alt(table: pd.DataFrame, measure: str, over: str) -> str:
    last = table.loc[table.groupby("series", sort=False).epoch.idxmax()]
    ends = ", ".join(
        f"{row['title']} {figure(row[measure], '.3f')}"
        + (f" after {figure(row['elapsed'], '.1f')} s" if over == "elapsed" else "")
        for row in records(last)
    )
    return f"Lines of {measure.replace('val_', 'validation ')} by {over}. They end at: {ends}."
