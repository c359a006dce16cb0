"""Small multiples: one small chart of learning for each cell of a grid, all on the same axes."""

from __future__ import annotations

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import Figure, finish, scales
from harness.page.series import records

HEIGHT = 150


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
    count = table.backend.nunique()
    widths = [1.6 + 2.2 * (count - 1 - i) for i in range(count)]  # so that all are seen
    layers = [
        base.mark_area(clip=True, opacity=0.15).encode(
            y=alt.Y(f"{measure}_low:Q"), y2=f"{measure}_high:Q", detail="series:N"
        ),
        base.mark_line(clip=True, opacity=1).encode(
            detail="series:N",
            strokeDash=alt.StrokeDash("variant:N", scale=dashes, legend=None),
            strokeWidth=alt.StrokeWidth(
                "backend:N",
                scale=alt.Scale(
                    type="ordinal", domain=list(dict.fromkeys(table.backend)), range=widths
                ),
                legend=None,
            ),
        ),
        base.mark_point(clip=True, size=160, opacity=0, filled=True),
    ]
    last = table.loc[table.groupby("series", sort=False).epoch.idxmax()]
    ends = ", ".join(f"{row['title']} {figure(row[measure], '.3f')}" for row in records(last))
    return Figure(
        name, title, f"{title}, by epoch. It ends at: {ends}.", finish(layers, HEIGHT), table
    )
