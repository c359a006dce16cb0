"""The chart of a benchmark's ranking: a dot and an interval a form, over all shapes."""

from __future__ import annotations

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import Figure, finish, scales
from harness.page.palette import INK
from harness.page.series import Series, records

ROW = 26
"""Pixels of a row."""


def ranking(name: str, table: pd.DataFrame, shapes: int, on: str = "") -> Figure:
    """Speed of each form over that of the base, the geometric mean over shapes, logarithmic.

    Args:
        name: of the figure.
        table: as `harness.records.schemas.RankingTable` has it, the fastest first.
        shapes: number of them.
        on: the machine, in words, where there are several.
    """
    labels = [Series(row["backend"], row["variant"]).labels for row in records(table)]
    drawn = pd.concat([pd.DataFrame(labels), table[["ratio", "low", "high"]]], axis=1)
    drawn["mark"] = ["best" if best else "" for best in table.best]
    drawn["end"] = drawn.high.fillna(drawn.ratio)
    colour, shape, _ = scales(drawn)
    ends = drawn[["ratio", "low", "high"]]
    x_scale = alt.Scale(
        type="log", domain=[float(ends.min().min()) * 0.97, float(ends.max().max()) * 1.03]
    )
    axis = alt.Axis(labelColor=INK["ink"], labelLimit=190, ticks=False, domain=False)
    base = alt.Chart().encode(
        y=alt.Y("title:N", sort=list(drawn.title), title=None, axis=axis),
        color=alt.Color("framework:N", scale=colour, legend=None),
        tooltip=[
            alt.Tooltip("title:N", title="form"),
            alt.Tooltip("ratio:Q", title="times as fast", format=".2f"),
            alt.Tooltip("low:Q", title="at least", format=".2f"),
            alt.Tooltip("high:Q", title="at most", format=".2f"),
        ],
    )
    of = str(table.base.iloc[0])
    x = alt.X(
        "ratio:Q",
        title=f"times as fast as {of}, logarithmic",
        scale=x_scale,
        axis=alt.Axis(format=".2~f", tickCount=6),
    )
    layers = [
        base.mark_rule(strokeWidth=7, opacity=0.45, strokeCap="round").encode(
            x=alt.X("low:Q", scale=x_scale), x2="high:Q"
        ),
        base.mark_point(filled=True, size=110, opacity=1).encode(
            x=x, shape=alt.Shape("framework:N", scale=shape, legend=None)
        ),
        base.mark_text(align="left", dx=10, fontSize=12).encode(
            x=alt.X("end:Q", scale=x_scale), text="mark:N", color=alt.value(INK["soft"])
        ),
    ]
    title = f"All forms over {shapes} shapes{on}: geometric means and 95 % intervals"
    best = [row["title"] for row in records(drawn[table.best])]
    last = drawn.iloc[-1]
    said = (
        f"{len(drawn)} forms, the fastest first: best {', '.join(best)}; last {last.title}, "
        f"{figure(last.ratio, '.2f')} times as fast as {of}."
    )
    return Figure(name, title, said, finish(layers, ROW * len(drawn) + 10), drawn)
