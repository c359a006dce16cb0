"""The charts with a row for each backend and variant: throughput, and errors."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import Figure, finish, scales
from harness.page.palette import INK


def _row(rows: int) -> int:
    """Pixels of a row. All of it answers the pointer, by a bar that is not seen."""
    return min(20, max(13, 290 // rows))


DRAWN = ["backend", "framework", "variant", "title", "tokens_per_sec", "low", "high"]
"""The columns of the table of `speed`."""


def _names(table: pd.DataFrame) -> alt.Y:
    """The rows by their names, in the table's order."""
    axis = alt.Axis(labelColor=INK["ink"], labelLimit=190, ticks=False, domain=False)
    return alt.Y("title:N", sort=list(dict.fromkeys(table.title)), title=None, axis=axis)


def speed(
    name: str, title: str, table: pd.DataFrame, floors: Mapping[str, float] | None = None
) -> Figure:
    """Throughput with its interval, the fastest first; a rule where each floor lies.

    Args:
        name, title: of the figure.
        table: backend, variant, framework, title, tokens_per_sec, low, high.
        floors: tokens a second that unavoidable operations allow, by the words for them.
    """
    colour, shape, _ = scales(table)
    row = _row(len(table))
    height = row * len(table) + 10
    floors = floors or {}
    top = max(float(pd.concat([table.high, table.tokens_per_sec]).max()), *floors.values(), 0)
    x_scale = alt.Scale(domain=[0, top * 1.04], nice=False)
    base = alt.Chart().encode(
        y=_names(table),
        color=alt.Color("framework:N", scale=colour, legend=None),
        tooltip=[
            alt.Tooltip("title:N", title="series"),
            alt.Tooltip("tokens_per_sec:Q", title="tokens/s", format=",.0f"),
            alt.Tooltip("low:Q", title="at least", format=",.0f"),
            alt.Tooltip("high:Q", title="at most", format=",.0f"),
        ],
    )
    x = alt.X(
        "tokens_per_sec:Q",
        title="thousand tokens a second",
        scale=x_scale,
        axis=alt.Axis(labelExpr="format(datum.value / 1000, ',')", tickCount=6),
    )
    layers = [
        base.mark_bar(height=row, opacity=0).encode(x=alt.value(0), x2=alt.value("width")),
        base.mark_bar(height=3, opacity=0.35).encode(x=x),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=6, opacity=0.45, strokeCap="round")
        .encode(x=alt.X("low:Q", scale=x_scale), x2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(
            x=x, shape=alt.Shape("framework:N", scale=shape, legend=None)
        ),
    ]
    for line, (words, floor) in enumerate(floors.items()):
        at = alt.Chart(alt.InlineData([{"floor": floor, "text": words}]))
        place = at.encode(x=alt.X("floor:Q", scale=x_scale))
        layers.append(place.mark_rule(color=INK["ink"], strokeDash=[4, 3]))
        layers.append(
            place.mark_text(align="right", dx=-6, color=INK["soft"], fontSize=12).encode(
                text="text:N",
                y=alt.value(height - 10 - 16 * line),  # beside the shortest bars
            )
        )
    best, last = table.iloc[0], table.iloc[-1]
    said = (
        f"{len(table)} rows, the fastest first: {best.title} with "
        f"{figure(best.tokens_per_sec, ',.0f')} tokens a second, down to {last.title} with "
        f"{figure(last.tokens_per_sec, ',.0f')}."
    )
    return Figure(name, title, said, finish(layers, height), table)


def errors(name: str, title: str, table: pd.DataFrame) -> Figure:
    """The worst error of every series in each precision, and the tolerance it must stay under.

    Args:
        name, title: of the figure.
        table: backend, variant, framework, title, dtype, error, tolerance; errors above 0.
    """
    colour, shape, _ = scales(table)
    row = _row(table.title.nunique())
    x_scale = alt.Scale(
        type="log",
        domain=[
            float(table.error.min()) / 4,
            float(max(table.error.max(), table.tolerance.max())) * 4,
        ],
        nice=False,
    )
    base = alt.Chart().encode(
        y=_names(table),
        tooltip=[
            alt.Tooltip("title:N", title="series"),
            alt.Tooltip("dtype:N", title="precision"),
            alt.Tooltip("error:Q", title="worst error", format=".1e"),
            alt.Tooltip("tolerance:Q", title="tolerance", format=".0e"),
        ],
    )
    x = alt.X(
        "error:Q",
        title="worst relative error, logarithmic",
        scale=x_scale,
        axis=alt.Axis(format=".0e", tickCount=6, labelOverlap=True),
    )
    layers = [
        base.mark_bar(height=row, opacity=0).encode(x=x, x2="tolerance:Q"),
        base.mark_rule(opacity=0.3, strokeWidth=2).encode(
            x=x, x2="tolerance:Q", color=alt.Color("framework:N", scale=colour, legend=None)
        ),
        base.mark_tick(thickness=3, size=12, color=INK["ink"]).encode(
            x=alt.X("tolerance:Q", scale=x_scale)
        ),
        base.mark_point(filled=True, size=90, opacity=1).encode(
            x=x,
            color=alt.Color("framework:N", scale=colour, legend=None),
            shape=alt.Shape("framework:N", scale=shape, legend=None),
        ),
    ]
    worst = table.sort_values("error").iloc[-1]
    said = (
        f"The worst error is {worst.error:.1e}, of {worst.title}, "
        f"where {worst.tolerance:.0e} is allowed."
    )
    return Figure(name, title, said, finish(layers, row * table.title.nunique() + 10), table)
