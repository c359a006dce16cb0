"""The charts of a measurement of backpropagation through time, in panels."""

from __future__ import annotations

import math

import altair as alt
import pandas as pd

from harness.console import figure
from harness.page.figure import Figure, panels, scales
from harness.page.palette import INK

HEIGHT = 190
FIT = alt.ExprRef("max(1, floor(child_width / 65))")
DASHES = {"scratch": [1, 0], "randomized": [1, 0], "biased": [6, 3]}
FLOOR = 1e-15
"""Norms below this share of the largest lie under the chart; the table has them."""


def reach(name: str, title: str, table: pd.DataFrame) -> Figure:
    """The norm of a gradient by its distance in time, the later the epoch the stronger the line.

    Args:
        name, title: of the figure.
        table: panel, backend, framework, variant, epoch, distance, norm; of one backend.
    """
    colour, _, _ = scales(table)
    drawn = table[table.norm > 0]
    top = float(drawn.norm.max())
    low = max(float(drawn.norm.min()), FLOOR * top)
    epochs = sorted(set(table.epoch))
    strengths = [0.25 + 0.75 * i / max(1, len(epochs) - 1) for i in range(len(epochs))]
    base = alt.Chart().transform_filter("datum.norm > 0")
    line = base.mark_line(clip=True, strokeWidth=2).encode(
        x=alt.X(
            "distance:Q", title="distance d in steps", axis=alt.Axis(grid=False, tickMinStep=1)
        ),
        y=alt.Y(
            "norm:Q",
            title="norm, logarithmic",
            scale=alt.Scale(type="log", domain=[low / 2, top * 2], nice=False),
            axis=alt.Axis(format=".0e", tickCount=6, labelOverlap=True),
        ),
        color=alt.Color("framework:N", scale=colour, legend=None),
        opacity=alt.Opacity(
            "epoch:O",
            scale=alt.Scale(type="ordinal", domain=epochs, range=strengths),
            legend=alt.Legend(title="epoch", symbolType="stroke", symbolSize=300),
        ),
        tooltip=[
            alt.Tooltip("epoch:Q"),
            alt.Tooltip("distance:Q"),
            alt.Tooltip("norm:Q", format=".2e"),
        ],
    )
    said = f"From {top:.1e} down to {float(table.norm.min()):.1e} over the window."
    return Figure(name, title, said, panels([line], HEIGHT, _order(table)), table)


def radius(name: str, title: str, table: pd.DataFrame) -> Figure:
    """The spectral radius of W_hh by epoch, and a rule at 1.

    Args:
        name, title: of the figure.
        table: panel, backend, framework, variant, epoch, spectral_radius; radii above 0.
    """
    one = alt.Chart().mark_rule(color=INK["soft"], strokeDash=[4, 3]).encode(y=alt.datum(1))
    lines = _lines(
        table,
        alt.X("epoch:Q", title="epoch", axis=alt.Axis(grid=False, tickMinStep=1)),
        alt.Y(
            "spectral_radius:Q",
            title="spectral radius, logarithmic",
            scale=alt.Scale(type="log"),
            axis=alt.Axis(format="~g", values=[10.0**k for k in range(-3, 9)]),
        ),
    )
    low, high = table.spectral_radius.min(), table.spectral_radius.max()
    between = f"{figure(low, '.2f')} and {figure(high, '.2f')}"
    said = f"The spectral radius of W_hh lies between {between}."
    return Figure(name, title, said, panels([one, *lines], HEIGHT, _order(table)), table)


def truncation(name: str, title: str, table: pd.DataFrame) -> Figure:
    """The error of the truncated gradient by the steps of a piece.

    Args:
        name, title: of the figure.
        table: panel, backend, framework, variant, tau, error.
    """
    taus = sorted(set(table.tau))
    lines = _lines(
        table,
        alt.X(
            "tau:Q",
            title="tau, steps of a piece",
            scale=alt.Scale(type="log", base=2),
            axis=alt.Axis(values=taus, grid=False),
        ),
        alt.Y("error:Q", title="error against full", scale=alt.Scale(zero=True)),
    )
    high, low = (figure(error, ".2f") for error in (table.error.max(), table.error.min()))
    said = f"The error falls from {high} to {low} as tau grows."
    return Figure(name, title, said, panels(lines, HEIGHT, _order(table)), table)


def means(name: str, title: str, table: pd.DataFrame) -> Figure:
    """The error of the mean of n draws by n, with what chance alone leaves of it.

    Args:
        name, title: of the figure.
        table: panel, backend, framework, variant, draws, error, standard_error; the variant is
            the scheme, and the standard error that of an unbiased one, empty elsewhere; errors
            above 0.
    """
    x = alt.X(
        "draws:Q",
        title="draws n, logarithmic",
        scale=alt.Scale(type="log", base=2),
        axis=alt.Axis(grid=False, tickCount=6),
    )
    scale = alt.Scale(type="log")
    least = float(table[["error", "standard_error"]].min().min())
    decades = [10.0**k for k in range(math.floor(math.log10(max(least, 1e-6))), 3)]
    axis = alt.Axis(format="~g", values=decades)
    chance = (
        alt.Chart()
        .transform_filter("isValid(datum.standard_error) && datum.standard_error > 0")
        .mark_line(color=INK["soft"], strokeDash=[2, 4], strokeWidth=1.5)
        .encode(x=x, y=alt.Y("standard_error:Q", scale=scale), detail="backend:N")
    )
    lines = _lines(table, x, alt.Y("error:Q", title="error of mean", scale=scale, axis=axis))
    last = table[table.draws == table.draws.max()].groupby("variant", sort=False).error.mean()
    ended = ", ".join(f"{variant} {figure(error, '.3f')}" for variant, error in last.items())
    said = f"Mean errors with all draws: {ended}."
    return Figure(name, title, said, panels([chance, *lines], HEIGHT, _order(table)), table)


def _lines(table: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Lines by framework, dashed by variant; of those that coincide the lower is the wider."""
    colour, shape, _ = scales(table)
    variants = list(dict.fromkeys(table.variant))
    dashes = alt.Scale(domain=variants, range=[DASHES[variant] for variant in variants])
    count = table.backend.nunique()
    widths = [1.5 + 2.0 * (count - 1 - i) for i in range(count)]
    several = table.variant.nunique() > 1
    key = alt.Legend(symbolType="stroke", symbolSize=400, orient="bottom") if several else None
    base = alt.Chart().encode(
        x=x,
        y=y,
        color=alt.Color("framework:N", scale=colour, legend=alt.Legend(columns=FIT)),
        tooltip=[
            alt.Tooltip("framework:N"),
            alt.Tooltip(x.shorthand),
            alt.Tooltip(y.shorthand, format=".3g"),
        ],
    )
    wide = alt.Scale(type="ordinal", domain=list(dict.fromkeys(table.backend)), range=widths)
    line = base.mark_line(clip=True).encode(
        strokeDash=alt.StrokeDash("variant:N", scale=dashes, legend=key),
        strokeWidth=alt.StrokeWidth("backend:N", scale=wide, legend=None),
        detail="variant:N",
    )
    points = base.mark_point(filled=True, size=36, opacity=1).encode(
        shape=alt.Shape("framework:N", scale=shape, legend=alt.Legend(columns=FIT))
    )
    return [line, points]


def _order(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table.panel))
