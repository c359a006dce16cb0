"""Forecasts of a model: one step ahead, k steps, and on its own predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from common.array import Array
from common.sequence import MODELS, Forecast, ModelName
from harness.console import figure
from harness.page.blocks import Cell, Chart, Note, Section, Table, number
from harness.sequence.charts import Curve, error_figure, forecast_figure
from harness.sequence.measure import SequenceResult
from harness.sequence.tables import errors_of

TITLES = {"linreg": "linear regression", "rnn": "the RNN"}
SHOWN = 12
"""Times in the table below a chart."""


def next_value(result: SequenceResult) -> Section:
    """One step ahead."""
    found = {model: _scores(result, model)[0] for model in MODELS}
    noise = _unseen_rms(result, result.series.x - result.series.clean)
    return Section(
        "next",
        "Can they tell the next value?",
        f"After the training part they are {_listed(found, 'rmse')} off the series, and "
        f"{_listed(found, 'rmse_clean')} off the sine without its noise (RMSE). "
        f"The noise itself is {noise:.3f} there: what it adds cannot be foreseen.",
        [
            _chart(
                result,
                "one-step",
                "One step ahead, from the series itself",
                {TITLES[model]: result.reference[model].forecasts[0] for model in MODELS},
            )
        ],
    )


def on_its_own(result: SequenceResult) -> Section:
    """Many steps ahead, from the end of the training part on."""
    found = {model: _scores(result, model)[1] for model in MODELS}
    return Section(
        "alone",
        "And on their own predictions?",
        f"From the end of the training part each goes on with what it predicted itself, and the "
        f"errors add up: {_listed(found, 'rmse_clean')} off the sine (RMSE), where always "
        f"saying 0 is {_unseen_rms(result, result.series.clean):.3f} off.",
        [
            _chart(
                result,
                "multi-step",
                "Multi-step: from the training part's end, no value of the series is seen",
                {TITLES[model]: result.reference[model].forecasts[1] for model in MODELS},
            )
        ],
    )


def far_ahead(result: SequenceResult) -> Section:
    """So many steps ahead, for every k; and the errors by k."""
    furthest = max(result.settings.steps_ahead)
    rows = errors_of(result, "", result.reference)
    rows = rows[rows.kind == "k-step"].sort_values(["model", "k"])
    table = pd.concat(
        rows[["model", "k", column]].rename(columns={column: "rmse"}).assign(against=against)
        for column, against in (("rmse_clean", "the clean sine"), ("rmse", "the series"))
    ).reset_index(drop=True)
    table["model"] = table.model.map(TITLES)
    table["k"] = table.k.astype(int)
    last = {
        model: {"rmse_clean": rows[rows.model == model].rmse_clean.iloc[-1]} for model in MODELS
    }
    figure = error_figure("rmse", "RMSE by how far ahead", table)
    grid = Table(
        "RMSE over the points after the training part",
        ["model", "k", "points", "against the series", "against the clean sine"],
        [
            [
                Cell(TITLES[str(row["model"])]),
                Cell(str(row["k"])),
                number(row["points"], ","),
                number(row["rmse"], ".4f"),
                number(row["rmse_clean"], ".4f"),
            ]
            for row in rows.to_dict("records")
        ],
    )
    return Section(
        "ahead",
        "How far ahead can they see?",
        f"At {furthest} steps they are {_listed(last, 'rmse_clean')} off the clean sine (RMSE).",
        [
            Chart(figure, grid),
            *(
                _chart(
                    result,
                    f"k-step-{model}",
                    f"So many steps ahead: {TITLES[model]}",
                    {_ahead(each.k): each for each in _few(result.reference[model].forecasts[2:])},
                    half=True,
                )
                for model in MODELS
            ),
            Note(
                "Every value stands at the time that it predicts. In the book's last chart those "
                "of all k share the times of the largest, so that with k = 64 the one-step curve "
                "stands 63 points too far to the right."
            ),
        ],
    )


def _few(forecasts: Sequence[Forecast]) -> list[Forecast]:
    """The forecasts that are drawn: at most four, for with the sine that is five lines."""
    picked = np.unique(np.linspace(0, len(forecasts) - 1, 4).round().astype(int))
    return [forecasts[i] for i in picked] if len(forecasts) else []


def _ahead(k: int) -> str:
    return f"{k} step{'s' if k > 1 else ''} ahead"


def _scores(result: SequenceResult, model: ModelName) -> list[dict[str, float]]:
    table = errors_of(result, "", {model: result.reference[model]})
    return [{n: float(row[n]) for n in ("rmse", "rmse_clean")} for _, row in table.iterrows()]


def _listed(found: dict[ModelName, dict[str, float]], column: str) -> str:
    """A figure of both models."""
    return " and ".join(
        f"{figure(each[column], '.3f')} ({TITLES[model]})" for model, each in found.items()
    )


def _unseen_rms(result: SequenceResult, values: Array) -> float:
    """The root mean square of values after the training part."""
    return float(np.sqrt((values[result.settings.first_unseen :] ** 2).mean()))


def _chart(
    result: SequenceResult,
    name: str,
    title: str,
    forecasts: dict[str, Forecast],
    half: bool = False,
) -> Chart:
    """Predictions over the series, and some of them as a table."""
    series = result.series
    curves = [
        Curve(named, series.time[each.first : each.first + len(each.values)], each.values)
        for named, each in forecasts.items()
    ]
    clean = Curve("the clean sine", series.time, series.clean)
    dots = Curve("the series", series.time, series.x)
    figure = forecast_figure(name, title, dots, [*curves, clean], result.settings.first_unseen)
    picked = np.unique(np.linspace(1, len(series.time), SHOWN).round().astype(int))
    rows = [
        [Cell(str(time)), *(_value(each, time) for each in (dots, *curves, clean))]
        for time in picked
    ]
    heads = ["time", *(each.title for each in (dots, *curves, clean))]
    return Chart(figure, Table(title, heads, rows), half)


def _value(curve: Curve, time: int) -> Cell:
    index = time - int(curve.time[0])
    return number(float(curve.values[index]) if index >= 0 else None, ".4f")
