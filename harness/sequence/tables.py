"""Files and printed tables of ``sequence``: three tables, the facts behind them, and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from common.files import write_aside, writing
from common.sequence import MODELS, Forecast, rmse
from harness.console import STYLES, figure, titled
from harness.records.cells import csv_of
from harness.records.facts import write_facts
from harness.sequence.measure import Outcomes, SequenceResult, facts

PREDICTIONS = "backend model kind k time value".split()
ERRORS = "backend model kind k points rmse rmse_clean".split()
LOSSES = "backend model epoch loss".split()


def predictions_table(found: SequenceResult) -> pd.DataFrame:
    """Every prediction of every backend; k is the number of steps ahead."""
    tables = [
        pd.DataFrame(
            {
                "backend": contender.backend,
                "model": model,
                "kind": each.kind,
                "k": each.k or np.arange(1, len(each.values) + 1),
                "time": found.series.time[each.first :],
                "value": each.values,
            }
        )
        for contender in found.compared
        for model, outcome in contender.outcomes.items()
        for each in outcome.forecasts
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=PREDICTIONS)


def errors_of(found: SequenceResult, backend: str, outcomes: Outcomes) -> pd.DataFrame:
    """The errors of one backend over the points after the training part, `ERRORS` a row."""
    rows = [
        [backend, model, each.kind, each.k or None, *scores(found, each)]
        for model, outcome in outcomes.items()
        for each in outcome.forecasts
    ]
    return pd.DataFrame(rows, columns=ERRORS).astype({"k": "Int64"})


def scores(found: SequenceResult, forecast: Forecast) -> tuple[int, float, float]:
    """Number of points measured, the RMSE against the series, and against the clean sine."""
    unseen = found.settings.first_unseen
    points, noisy = rmse(forecast, found.series.x, unseen)
    return points, noisy, rmse(forecast, found.series.clean, unseen)[1]


def errors_table(found: SequenceResult) -> pd.DataFrame:
    """The errors of every backend."""
    tables = [errors_of(found, each.backend, each.outcomes) for each in found.compared]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=ERRORS)


def losses_table(found: SequenceResult) -> pd.DataFrame:
    """The mean squared error of every epoch of every backend."""
    rows = [
        [contender.backend, model, epoch.epoch, epoch.loss]
        for contender in found.compared
        for model, outcome in contender.outcomes.items()
        for epoch in outcome.epochs
    ]
    return pd.DataFrame(rows, columns=LOSSES)


def start(folder: Path) -> None:
    """Begin a folder, whose ``sequence.json`` says ``running`` until all of it is there.

    Raises:
        RequestError: the folder cannot be written.
    """
    with writing(folder):
        write_facts(folder / "sequence.json", {"status": "running"})


def write(found: SequenceResult, about: dict[str, Any], folder: Path) -> None:
    """Write the tables, then say in ``sequence.json`` what it all came to."""
    tables = {
        "predictions.csv": predictions_table(found),
        "errors.csv": errors_table(found),
        "losses.csv": losses_table(found),
    }
    for name, table in tables.items():
        write_aside(folder / name, csv_of(table))
    status = "finished" if found.passed else "failed"
    write_facts(folder / "sequence.json", {"status": status, **facts(found), **about}, tables)


def show(console: Console, found: SequenceResult) -> None:
    """Print the errors by model and k, the worst error of every backend, and what failed."""
    table = titled("RMSE on unseen points: the series (the clean sine)")
    ahead = [f"k = {k}" for k in found.settings.steps_ahead]
    for name in ("model", *ahead, "multi-step"):
        table.add_column(name)
    for model in MODELS:
        _, multi, *steps = found.reference[model].forecasts
        told = [scores(found, each)[1:] for each in (*steps, multi)]
        scored = [(figure(noisy, ".3f"), figure(clean, ".3f")) for noisy, clean in told]
        table.add_row(model, *(f"{noisy} ({clean})" for noisy, clean in scored))
    console.print(table)
    table = titled(f"Worst error, {found.settings.dtype}")
    for name in ("backend", *MODELS, "status"):
        table.add_column(name)
    for each in found.contenders:
        worst = [f"{max(errors.values()):.1e}" for errors in each.errors.values()]
        status = Text(each.status, STYLES.get(each.status, "red"))
        table.add_row(each.backend, *(worst or ["-"] * len(MODELS)), status)
    console.print(table)
    for each in found.contenders:
        if each.reason:
            console.print(Text(f"{each.backend}: {each.status}: {each.reason}"))
    console.print("all equal to the reference" if found.passed else "NOT all shown equal")
