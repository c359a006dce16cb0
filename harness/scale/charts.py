"""The charts of a scaling: a quantity by size, both logarithmic, a line a form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import Figure, finish, scales
from harness.page.series import records
from harness.scale.ranges import DIMENSIONS, size

HEIGHT = 250
ROOM = 0.3
"""Part of the width that is left for the names at the ends of lines."""

GAP = 17
"""Pixels between two names."""

SIZE = alt.ExprRef("width < 320 ? 11 : 13")
"""Of the names, in pixels."""

LEAST = 4.0
"""Ratio of the ends of the vertical axis, at least: what is flat is to look flat."""


@dataclass(frozen=True)
class Quantity:
    """Quantity of a chart.

    Attributes:
        title: its name in a line.
        label: of its axis.
        axis, table: forms of its numbers.
    """

    title: str
    label: str
    axis: str
    table: str


QUANTITIES = {
    "relative_cost": Quantity("Cost over that at the first size", "times", "~g", ".3f"),
    "tokens_per_sec": Quantity("Training throughput", "tokens/s", "~s", ",.0f"),
    "peak_memory_mb": Quantity("Peak memory of the process", "MB", "~s", ",.0f"),
    "memory_mb": Quantity("Memory of the process after so many epochs", "MB", "~s", ",.1f"),
    "compile_seconds": Quantity("Compiling, to the first step", "seconds", "~g", ".3f"),
    "generated_per_sec": Quantity("Writing a text", "tokens/s", "~s", ",.0f"),
    "first_token_ms": Quantity("First token of a text", "ms", "~g", ".2f"),
}
"""Quantities that are drawn, where they are there."""


def by_size(name: str, title: str, dimension: str, drawn: pd.DataFrame, of: Quantity) -> Figure:
    """A quantity by size, with the names of the forms at the ends of their lines.

    Args:
        name, title: of the figure.
        dimension: of size.
        drawn: value, median, low, high, backend, framework, variant, title; medians above 0.
        of: the quantity.
    """
    colour, shape, dashes = scales(drawn)
    sizes = sorted(set(drawn.value))
    ends = drawn[["median", "low", "high"]]
    low, high = float(ends.min().min()), float(ends.max().max())
    pad = max(1.15, math.sqrt(LEAST * low / high))
    low, high = low / pad, high * pad
    reach = (sizes[-1] / sizes[0]) ** (ROOM / (1 - ROOM))
    x_scale = alt.Scale(type="log", base=2, domain=[sizes[0] / 1.02, sizes[-1] * reach], nice=False)
    y_scale = alt.Scale(type="log", domain=[low, high], nice=False)
    shown = "".join(f"datum.value == {each} ? '{size(dimension, each)}' : " for each in sizes)
    x = alt.X(
        "value:Q",
        title=f"{dimension}, {DIMENSIONS[dimension].unit}",
        scale=x_scale,
        axis=alt.Axis(values=sizes, labelExpr=f"{shown}''", grid=False, labelOverlap="greedy"),
    )
    y = alt.Y(
        "median:Q",
        title=of.label,
        scale=y_scale,
        axis=alt.Axis(format=of.axis, tickCount=5, labelOverlap=True),
    )
    hue = alt.Color("framework:N", scale=colour, legend=None)
    base = alt.Chart().encode(x=x, color=hue)
    tips = [
        alt.Tooltip("title:N", title="form"),
        alt.Tooltip("value:Q", title=dimension, format=","),
        alt.Tooltip("median:Q", title=of.label, format=of.table),
        alt.Tooltip("low:Q", title="at least", format=of.table),
        alt.Tooltip("high:Q", title="at most", format=of.table),
    ]
    names = alt.Chart(alt.InlineData(_names(drawn, low, high)))
    layers = [
        base.mark_rule(strokeWidth=4, opacity=0.35, strokeCap="round").encode(
            y=alt.Y("low:Q", scale=y_scale), y2="high:Q"
        ),
        base.mark_line(strokeWidth=2).encode(
            y=y,
            detail="title:N",
            strokeDash=alt.StrokeDash("variant:N", scale=dashes, legend=None),
        ),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            y=y, shape=alt.Shape("framework:N", scale=shape, legend=None), tooltip=tips
        ),
        names.mark_text(align="left", dx=9, fontSize=SIZE, fontWeight=600).encode(
            x=alt.X("value:Q"), y=alt.Y("place:Q", scale=y_scale), text="title:N", color=hue
        ),
    ]
    last = drawn[drawn.value == sizes[-1]]
    told = ", ".join(f"{row['title']} {figure(row['median'], of.table)}" for row in records(last))
    at = f"{size(dimension, sizes[-1])} {DIMENSIONS[dimension].unit}"
    words = f"{of.title} in {of.label} by {dimension}; at {at}: {told}."
    return Figure(name, title, words, finish(layers, HEIGHT), drawn)


def _names(drawn: pd.DataFrame, low: float, high: float) -> list[dict[str, object]]:
    """The names of lines at their ends, moved apart where they would lie on each other."""
    ends = drawn.loc[drawn.groupby("title", sort=False)["value"].idxmax()].sort_values("median")
    gap = GAP / HEIGHT * math.log(high / low)
    places: list[float] = []
    for median in ends["median"]:
        wanted = math.log(median)
        places.append(max(wanted, places[-1] + gap) if places else wanted)
    top = math.log(high)
    for place in reversed(range(len(places))):
        places[place] = min(places[place], top - gap * (len(places) - 1 - place))
    return [
        {"value": row["value"], "title": row["title"], "framework": row["framework"]}
        | {"place": math.exp(place)}
        for row, place in zip(records(ends), places, strict=True)
    ]
