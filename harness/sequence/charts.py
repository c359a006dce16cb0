"""The charts of section 9.1: curves over time, and errors by how far they look ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.console import figure
from harness.page.figure import Figure, finish
from harness.page.palette import INK, LOOKS, OTHERS
from harness.page.series import records

HEIGHT = 300
BORROWED = ("torch", "mxnet", "jax", "tensorflow", "mxnet-style")
COLOURS = [OTHERS[2].light, *(LOOKS[name].light for name in BORROWED), OTHERS[1].light]
"""Of curves, in their order; those after the seventh begin again. They stand for no framework."""


@dataclass(frozen=True)
class Curve:
    """Values over time: its name in the legend, and where it is drawn."""

    title: str
    time: NDArray[np.int64]
    values: NDArray[np.float64]


def forecast_figure(
    name: str, title: str, dots: Curve, curves: Sequence[Curve], train_end: int
) -> Figure:
    """Curves over the dots of the series, with a rule where the training part ends.

    Args:
        name, title: of the figure.
        dots: the series.
        curves: the predictions, and the clean sine last.
        train_end: the time of the last point of the training part.
    """
    drawn = [dots, *curves]
    ids = [f"c{i}" for i in range(len(drawn))]
    table = pd.concat(
        [
            pd.DataFrame({"time": each.time, "value": each.values, "id": i, "curve": each.title})
            for i, each in zip(ids, drawn, strict=True)
        ],
        ignore_index=True,
    )
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(curves) - 1)]
    scale = alt.Scale(
        domain=[each.title for each in drawn], range=[INK["soft"], *colours, INK["ink"]]
    )
    low, high = float(table.value.min()), float(table.value.max())
    x = alt.X(
        "time:Q",
        title="time",
        axis=alt.Axis(grid=False, tickCount=10),
        scale=alt.Scale(domain=[1, int(table.time.max())], nice=False),
    )
    y_scale = alt.Scale(domain=[low - 0.05, high + 0.05], nice=False)
    y = alt.Y("value:Q", title="x", axis=alt.Axis(tickCount=6), scale=y_scale)
    fit = alt.ExprRef("max(1, floor(width / 140))")
    colour = alt.Color("curve:N", scale=scale, legend=alt.Legend(columns=fit, symbolOpacity=1))
    base = alt.Chart().encode(x=x, y=y, color=colour)
    layers = [
        base.transform_filter("datum.id == 'c0'").mark_point(filled=True, size=9, opacity=0.4),
        base.transform_filter(f"datum.id != 'c0' && datum.id != '{ids[-1]}'").mark_line(
            strokeWidth=1.4
        ),
        base.transform_filter(f"datum.id == '{ids[-1]}'").mark_line(
            strokeDash=[5, 4], strokeWidth=1.4
        ),
        *_end_of_training(train_end),
        _values_at_pointer(dict(zip(ids, scale.domain, strict=True)), x),
    ]
    said = f"{len(curves) - 1} curves of predictions over the series: " + "; ".join(
        f"{each.title}, from {figure(each.values.min(), '.2f')} to "
        f"{figure(each.values.max(), '.2f')}"
        for each in curves[:-1]
    )
    return Figure(name, title, f"{said}.", finish(layers, HEIGHT), table)


def _end_of_training(time: int) -> list[alt.Chart]:
    at = alt.Chart(alt.InlineData([{"end": time, "text": "training part"}]))
    place = at.encode(x=alt.X("end:Q"))
    return [
        place.mark_rule(color=INK["ink"], strokeDash=[2, 3]),
        place.mark_text(align="right", dx=-6, color=INK["soft"], fontSize=12).encode(
            text="text:N", y=alt.value(8)
        ),
    ]


def _values_at_pointer(titles: dict[str, str], x: alt.X) -> alt.Chart:
    """A rule at the nearest time, which says the value of every curve there."""
    hover = alt.selection_point(
        name="hover",
        fields=["time"],
        nearest=True,
        on="pointermove",
        clear="pointerout",
        empty=False,
    )
    rule: alt.Chart = (
        alt.Chart()
        .transform_pivot("id", value="value", groupby=["time"], op="mean")
        .mark_rule(color=INK["soft"])
        .encode(
            x=x,
            opacity=alt.when(hover).then(alt.value(0.8)).otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("time:Q", title="time"),
                *(alt.Tooltip(f"{i}:Q", title=t, format=".3f") for i, t in titles.items()),
            ],
        )
        .add_params(hover)
    )
    return rule


def error_figure(name: str, title: str, table: pd.DataFrame) -> Figure:
    """Root mean squared error by how far is looked ahead.

    Args:
        name, title: of the figure.
        table: model, k, against (what the prediction is checked against), rmse.
    """
    models, against = (list(dict.fromkeys(table[column])) for column in ("model", "against"))
    x_scale = alt.Scale(type="log", base=2, nice=False, domain=[1, max(2, int(table.k.max()))])
    base = alt.Chart().encode(
        x=alt.X(
            "k:Q",
            title="steps ahead, logarithmic",
            scale=x_scale,
            axis=alt.Axis(grid=False, values=sorted(set(table.k.tolist())), format="d"),
        ),
        y=alt.Y("rmse:Q", title="RMSE", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6)),
        color=alt.Color("model:N", scale=alt.Scale(domain=models, range=COLOURS[: len(models)])),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("k:Q", title="steps ahead"),
            alt.Tooltip("rmse:Q", title="RMSE", format=".4f"),
            alt.Tooltip("against:N"),
        ],
    )
    dashes = alt.Scale(domain=against, range=[[1, 0], [5, 4]])
    legend = alt.Legend(symbolType="stroke", symbolSize=500, orient="bottom")
    layers = [
        base.mark_line(strokeWidth=2).encode(
            strokeDash=alt.StrokeDash("against:N", scale=dashes, legend=legend)
        ),
        base.mark_point(filled=True, size=90, opacity=1).encode(detail="against:N"),
    ]
    ends = table.loc[table.groupby(["model", "against"], sort=False).k.idxmax()]
    said = "; ".join(
        f"{row['model']} {figure(row['rmse'], '.3f')} against {row['against']} at {row['k']} steps"
        for row in records(ends)
    )
    return Figure(name, title, f"RMSE by steps ahead: {said}.", finish(layers, HEIGHT), table)
