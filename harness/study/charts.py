"""The charts of a study: where each cell ends, effects of settings, and small curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import Figure, finish, scales
from harness.page.palette import INK
from harness.page.series import records
from harness.report.charts import nested
from harness.study.effects import Effect

HEIGHT = 150
LABEL = 250
"""Pixels that a row's name may take."""


def where_they_end(name: str, title: str, table: pd.DataFrame) -> Figure:
    """The last perplexity of every row, by what it was set to, the best first.

    Args:
        name, title: of the figure.
        table: row (its name), backend, framework, variant, title, end, low, high (over seeds),
            in the order of the rows.
    """
    colour, shape, _ = scales(table)
    rows, count = list(dict.fromkeys(table.row)), table.title.nunique()
    form, domain = _scale(table)
    fit = alt.Legend(columns=2)
    base = alt.Chart().encode(
        y=alt.Y("row:N", sort=rows, title=None, axis=_names()),
        yOffset=alt.YOffset("title:N", sort=list(dict.fromkeys(table.title))),
        color=alt.Color("framework:N", scale=colour, legend=fit),
        tooltip=[
            alt.Tooltip("row:N", title="of"),
            alt.Tooltip("title:N", title="series"),
            alt.Tooltip("end:Q", title="perplexity", format=".4f"),
            alt.Tooltip("low:Q", title="at least", format=".4f"),
            alt.Tooltip("high:Q", title="at most", format=".4f"),
        ],
    )
    x_scale = alt.Scale(type=form, domain=domain, nice=False)
    axis = alt.Axis(format="~g", tickCount=6, labelOverlap=True)
    label = "last perplexity" + ", logarithmic" * (form == "log")
    layers = [
        base.mark_rule(strokeWidth=5, opacity=0.4, strokeCap="round").encode(
            x=alt.X("low:Q", scale=x_scale), x2="high:Q"
        ),
        base.mark_point(filled=True, size=80, opacity=1).encode(
            x=alt.X("end:Q", scale=x_scale, title=label, axis=axis),
            shape=alt.Shape("framework:N", scale=shape, legend=fit),
        ),
    ]
    medians = table.groupby("row", sort=False).end.median()
    said = "; ".join(f"{row} {figure(end, '.3f')}" for row, end in medians.items())
    height = len(rows) * max(26, 9 * count)
    return Figure(
        name, title, f"Last perplexities, the best first: {said}.", finish(layers, height), table
    )


def effect_sizes(name: str, title: str, effects: Sequence[Effect]) -> Figure:
    """Multiples of the last perplexity that settings make, with a rule at 1.

    Args:
        name, title: of the figure.
        effects: the best first.
    """
    table = pd.DataFrame(
        {
            "effect": each.title,
            "times": each.times.median,
            "low": each.times.low,
            "high": each.times.high,
            "of": each.times.of,
        }
        for each in effects
    )
    low, high = min(table.low.min(), 1) / 1.1, max(table.high.max(), 1) * 1.1
    scale = alt.Scale(type="log", domain=[float(low), float(high)], nice=False)
    base = alt.Chart().encode(
        y=alt.Y("effect:N", sort=table.effect.tolist(), title=None, axis=_names()),
        tooltip=[
            alt.Tooltip("effect:N"),
            alt.Tooltip("times:Q", title="times the perplexity", format=".3f"),
            alt.Tooltip("low:Q", title="at least", format=".3f"),
            alt.Tooltip("high:Q", title="at most", format=".3f"),
            alt.Tooltip("of:N", title="these are"),
        ],
    )
    axis = alt.Axis(format="~g", tickCount=5, labelOverlap=True)
    label = "times the perplexity (below 1: better)"
    layers = [
        alt.Chart().mark_rule(color=INK["soft"], strokeDash=[4, 3]).encode(x=alt.datum(1)),
        base.mark_rule(strokeWidth=5, opacity=0.4, strokeCap="round", color=INK["ink"]).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q"
        ),
        base.mark_point(filled=True, size=100, opacity=1, color=INK["ink"]).encode(
            x=alt.X("times:Q", scale=scale, title=label, axis=axis)
        ),
    ]
    said = "; ".join(f"{each.title}: {figure(each.times.median, '.2f')} times" for each in effects)
    return Figure(name, title, f"{said}.", finish(layers, 34 * len(table) + 10), table)


def _scale(table: pd.DataFrame) -> tuple[Literal["log", "linear"], list[float]]:
    low, high = float(table.low.min()), float(table.high.max())
    room = 0.05 * (high - low) or 0.05 * low
    return (
        ("log", [low * 0.9, high * 1.1])
        if high > 3 * low
        else ("linear", [low - room, high + room])
    )


def _names() -> alt.Axis:
    return alt.Axis(labelColor=INK["ink"], labelLimit=LABEL, ticks=False, domain=False)


def multiple(
    name: str,
    title: str,
    curves: pd.DataFrame,
    measure: str,
    domain: tuple[float, float],
) -> Figure:
    """Perplexity by epoch, small: the median of the seeds and their range.

    Args:
        name, title: of the figure.
        curves: as `harness.report.curves.curves` gives them.
        measure: ``perplexity`` or ``val_perplexity``.
        domain: of perplexity, in every multiple of a grid.
    """
    table = curves[curves[measure].notna()].reset_index(drop=True)
    colour, _, dashes = scales(table)
    base = alt.Chart().encode(
        x=alt.X(
            "epoch:Q",
            title="epoch",
            axis=alt.Axis(grid=False, tickCount=4),
            scale=alt.Scale(domain=[0, float(table.epoch.max())], nice=False),
        ),
        y=alt.Y(
            f"{measure}:Q",
            title=None,
            axis=alt.Axis(format="~g", tickCount=5, labelOverlap=True),
            scale=alt.Scale(type="log", domain=list(domain), nice=False),
        ),
        color=alt.Color("framework:N", scale=colour, legend=None),
        tooltip=[
            alt.Tooltip("title:N", title="series"),
            alt.Tooltip("epoch:Q", title="epoch"),
            alt.Tooltip(f"{measure}:Q", title="perplexity", format=".4f"),
        ],
    )
    layers = [
        base.mark_area(clip=True, opacity=0.15).encode(
            y=alt.Y(f"{measure}_low:Q"), y2=f"{measure}_high:Q", detail="series:N"
        ),
        base.mark_line(clip=True, opacity=1).encode(
            detail="series:N",
            strokeDash=alt.StrokeDash("variant:N", scale=dashes, legend=None),
            strokeWidth=nested(table),
        ),
        base.mark_point(clip=True, size=160, opacity=0, filled=True),
    ]
    last = table.loc[table.groupby("series", sort=False).epoch.idxmax()]
    ends = ", ".join(f"{row['title']} {figure(row[measure], '.3f')}" for row in records(last))
    return Figure(
        name, title, f"{title}, by epoch. It ends at: {ends}.", finish(layers, HEIGHT), table
    )
