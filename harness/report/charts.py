"""The charts of learning: perplexity by epoch, and small ones by framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import MOST, Figure, finish, panels, scales
from harness.page.palette import BAND, INK
from harness.page.series import records
from harness.recipes import Published
from harness.report.counting import Baseline, rules, stretched

HEIGHT, SMALL = 270, 150


def learning(
    name: str,
    title: str,
    curves: pd.DataFrame,
    measure: str,
    bands: Sequence[Published],
    counted: Sequence[Baseline],
) -> Figure:
    """Perplexity by epoch: median over seeds, their range, the published figures.

    Args:
        name, title: of the figure.
        curves: as `harness.report.curves.curves` gives them, one a framework.
        measure: ``perplexity`` or ``val_perplexity``.
        bands: the published figures.
        counted: perplexity that counting alone reaches; drawn where the axis shows it.
    """
    table = curves[curves[measure].notna()].reset_index(drop=True)
    table["last"] = table.epoch == table.groupby("series", sort=False).epoch.transform("max")
    low, high = table[f"{measure}_low"].min(), table[f"{measure}_high"].max()
    low = min([low, *(found[0] for band in bands if (found := bounds(band, measure)))])
    low = stretched(low, high, counted)
    form = _form(low, high)
    colour, shape, _ = scales(table)
    ends = low * 0.96, high * 1.05
    y_scale = alt.Scale(type=form, domain=[*ends], nice=False)
    x, y = _x(table, "epoch"), _y(measure, form, y_scale)
    picked = alt.selection_point(name="picked", fields=["framework"], bind="legend")
    dim = alt.when("focus != '' && focus != datum.backend").then(alt.value(0.08))
    strong = dim.when(picked).then(alt.value(0.95)).otherwise(alt.value(0.08))
    fit = alt.ExprRef("max(1, floor(width / 140))")
    colours = alt.Color("framework:N", scale=colour, legend=alt.Legend(columns=fit))
    base = alt.Chart().encode(x=x, y=y, color=colours, opacity=strong)
    lines = base.mark_line(clip=True).encode(detail="series:N", strokeWidth=nested(table))
    shapes = (
        base.transform_filter("datum.marked || datum.last")
        .mark_point(filled=True)
        .encode(
            shape=alt.Shape("framework:N", scale=shape, legend=alt.Legend(columns=fit)),
            size=alt.when("datum.last").then(alt.value(130)).otherwise(alt.value(60)),
        )
    )
    axes = alt.selection_interval(
        name="axes",
        bind="scales",
        zoom="wheel![event.shiftKey]",
        translate="[pointerdown[event.pointerType == 'mouse'], window:pointerup] "
        "> window:pointermove!",
    )
    layers = [
        *_bands(bands, measure, int(table.epoch.max()), y_scale),
        *_ground(table, measure, y_scale),
        lines.add_params(alt.param("focus", value=""), picked, axes),
        shapes,
        *_by_epoch(table, measure, x),
        *rules(counted, *ends, form, y_scale),
    ]
    said = _learning_alt(table, measure, "epoch")
    return Figure(name, title, said, finish(layers, HEIGHT), table, ("epoch", measure))


def by_framework(name: str, title: str, curves: pd.DataFrame, measure: str, over: str) -> Figure:
    """Perplexity by epoch or by second, a panel a framework; its forms by their dashes.

    Args:
        name, title, curves, measure: as of `learning`; of each framework, the first `MOST` forms.
        over: ``epoch`` or ``elapsed``.
    """
    table = curves[curves[measure].notna()]
    rank = table.groupby("framework", sort=False).variant.transform(lambda v: pd.factorize(v)[0])
    table = table[rank < MOST].reset_index(drop=True)
    table["panel"] = table.framework
    table["last"] = table.epoch == table.groupby("series", sort=False).epoch.transform("max")
    low, high = float(table[measure].min()) * 0.96, float(table[measure].max()) * 1.05
    form = _form(low, high)
    colour, _, dashes = scales(table)
    key = alt.Legend(symbolType="stroke", symbolSize=500, orient="bottom")
    base = alt.Chart().encode(
        x=_x(table, over),
        y=_y(measure, form, alt.Scale(type=form, domain=[low, high], nice=False)),
        color=alt.Color("framework:N", scale=colour, legend=None),
        tooltip=[
            alt.Tooltip("title:N", title="series"),
            alt.Tooltip("epoch:Q", title="epoch"),
            alt.Tooltip("elapsed:Q", title="seconds", format=",.2f"),
            alt.Tooltip(f"{measure}:Q", title="perplexity", format=".4f"),
        ],
    )
    layers = [
        base.mark_line(clip=True, strokeWidth=2).encode(
            detail="series:N", strokeDash=alt.StrokeDash("variant:N", scale=dashes, legend=key)
        ),
        base.transform_filter("datum.last").mark_point(filled=True, size=70, opacity=1),
        base.mark_point(filled=True, size=160, opacity=0),
    ]
    order = list(dict.fromkeys(table.panel))
    said = _learning_alt(table, measure, over)
    return Figure(name, title, said, panels(layers, SMALL, order, columns=3), table)


def nested(table: pd.DataFrame) -> alt.StrokeWidth:
    """Widths of curves that may lie on each other: the lower is the wider, so that all are seen."""
    backends = list(dict.fromkeys(table.backend))
    widths = [2 + 1.4 * (len(backends) - 1 - i) for i in range(len(backends))]
    scale = alt.Scale(type="ordinal", domain=backends, range=widths)
    return alt.StrokeWidth("backend:N", scale=scale, legend=None)


def _form(low: float, high: float) -> Literal["log", "linear"]:
    return "log" if high > 3 * low else "linear"


def _x(table: pd.DataFrame, over: str) -> alt.X:
    return alt.X(
        f"{over}:Q",
        title="epoch" if over == "epoch" else "seconds of training",
        axis=alt.Axis(grid=False, tickCount=6, labelFlush=True),
        scale=alt.Scale(domain=[0, float(table[over].max()) * 1.015], nice=False),
    )


def _y(measure: str, form: str, y_scale: alt.Scale) -> alt.Y:
    label = "validation perplexity" if measure.startswith("val") else "perplexity"
    return alt.Y(
        f"{measure}:Q",
        title=f"{label}, logarithmic" if form == "log" else label,
        axis=alt.Axis(format="~g", tickCount=6, labelOverlap=True),
        scale=y_scale,
    )


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


def _learning_alt(table: pd.DataFrame, measure: str, over: str) -> str:
    last = table.loc[table.groupby("series", sort=False).epoch.idxmax()]
    ends = ", ".join(
        f"{row['title']} {figure(row[measure], '.3f')}"
        + (f" after {figure(row['elapsed'], '.1f')} s" if over == "elapsed" else "")
        for row in records(last)
    )
    return f"Lines of {measure.replace('val_', 'validation ')} by {over}. They end at: {ends}."
