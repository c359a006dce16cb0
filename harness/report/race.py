"""The chart of perplexity by second: the fastest form of each framework, and when it is done."""

from __future__ import annotations

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import MOST, Figure, finish, scales
from harness.page.series import records

HEIGHT = 300
ROOM = 0.34
"""Part of the width that is left for the name of the last to arrive."""

SIZE = alt.ExprRef("width < 320 ? 11 : 13")
"""Of the names, in pixels."""


def race(name: str, curves: pd.DataFrame) -> Figure:
    """Perplexity by second, with a flag where each framework's fastest form has done all epochs.

    Args:
        name: of the figure.
        curves: as `harness.report.curves.curves` gives them.
    """
    ends = curves.loc[curves.groupby("series", sort=False).epoch.idxmax()]
    whole = ends[ends.epoch == ends.epoch.max()].sort_values("elapsed")
    first = whole.groupby("backend", sort=False).head(1).head(MOST).reset_index(drop=True)
    table = curves[curves.series.isin(first.series) & curves.perplexity.notna()]
    table = table.reset_index(drop=True)
    colour, shape, _ = scales(table)
    low, high = float(table.perplexity.min()) * 0.9, float(table.perplexity.max()) * 1.1
    x_scale = alt.Scale(domain=[0, float(first.elapsed.max()) / (1 - ROOM)], nice=False)
    y_scale = alt.Scale(type="log", domain=[low, high], nice=False)
    x = alt.X(
        "elapsed:Q",
        title="seconds of training",
        axis=alt.Axis(grid=False, tickCount=6, labelFlush=True),
        scale=x_scale,
    )
    y = alt.Y(
        "perplexity:Q",
        title="perplexity, logarithmic",
        axis=alt.Axis(format="~g", tickCount=6, labelOverlap=True),
        scale=y_scale,
    )
    hue = alt.Color("framework:N", scale=colour, legend=None)
    told = [
        alt.Tooltip("title:N", title="series"),
        alt.Tooltip("epoch:Q", title="epoch"),
        alt.Tooltip("elapsed:Q", title="seconds", format=",.2f"),
        alt.Tooltip("perplexity:Q", title="perplexity", format=".4f"),
    ]
    base = alt.Chart().encode(x=x, y=y, color=hue)
    top = alt.value(alt.ExprRef("datum.top"))
    pole = alt.Chart(alt.InlineData(_flags(first))).encode(x=alt.X("elapsed:Q"), color=hue)
    layers = [
        base.mark_line(strokeWidth=2.5, clip=True).encode(detail="series:N"),
        base.mark_point(filled=True, size=160, opacity=0).encode(tooltip=told),
        pole.mark_rule(strokeWidth=1.5).encode(y=alt.Y("perplexity:Q"), y2=top),
        pole.mark_point(filled=True, size=130, opacity=1).encode(
            y=alt.Y("perplexity:Q"), shape=alt.Shape("framework:N", scale=shape, legend=None)
        ),
        pole.mark_text(align="left", dx=6, dy=2, fontSize=SIZE, fontWeight=600).encode(
            y=top, text="said:N"
        ),
    ]
    listed = ", ".join(str(row["said"]) for row in _flags(first))
    epochs = int(first.epoch.max())
    title = f"Seconds until each framework's fastest form has done the same {epochs:,} epochs"
    words = f"Perplexity by second of the fastest form of each framework; done after: {listed}."
    return Figure(name, title, words, finish(layers, HEIGHT), table)


def _flags(first: pd.DataFrame) -> list[dict[str, object]]:
    """Where each is done, with its name; the earlier, the higher, so that no name meets a pole."""
    flags = []
    for place, row in enumerate(records(first)):
        seconds = figure(row["elapsed"], ",.0f" if row["elapsed"] >= 10 else ".1f")
        own = {key: row[key] for key in ("elapsed", "perplexity", "framework")}
        flags.append({**own, "top": 10 + 24 * place, "said": f"{row['framework']}, {seconds} s"})
    return flags
