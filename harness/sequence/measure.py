"""``sequence``: section 9.1 in every backend, each checked against the float64 reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import backends
from common import regression
from common.errors import RequestError, in_one_line
from common.experiment import Experiment
from common.parity import Errors, error_of, relative_error
from common.sequence import (
    MODELS,
    TOLERANCES,
    FittedEpoch,
    Forecast,
    ModelName,
    SequenceExperiment,
    Sine,
    draw_series,
    first_weights,
    fit,
    forecasts,
)
from harness.checks import select
from harness.workers.errors import WorkerError
from harness.workers.interpreters import brief_worker
from harness.workers.pool import Pair, run_pool
from harness.workers.protocol import Described, Event, Fitted, Forecasted
from harness.workers.requests import Describe, RunSequence


@dataclass
class Outcome:
    """Result of one model: its epochs, and all that it predicts."""

    epochs: list[FittedEpoch] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)


Outcomes = dict[ModelName, Outcome]


@dataclass
class BackendResult:
    """A backend that takes part.

    Attributes:
        backend: its name.
        status: ``ok``, ``parity-failed``, ``failed`` or ``unavailable``.
        reason: cause of a status that is not ok.
        versions: of what computed.
        outcomes: by model; empty where it failed.
        errors: relative errors against the reference, by model and quantity.
    """

    backend: str
    status: str = "ok"
    reason: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=dict)
    errors: dict[ModelName, Errors] = field(default_factory=dict)

    @property
    def worst(self) -> float | None:
        """Largest error; None where nothing was compared."""
        every = [error for errors in self.errors.values() for error in errors.values()]
        return max(every, default=None)


@dataclass(frozen=True)
class SequenceResult:
    """Result of the section.

    Attributes:
        settings, series: the request, and the data drawn from it.
        reference: the outcomes of the float64 reference.
        contenders: every backend, in the order of the registry.
        asked: the backends that were asked for by name.
    """

    settings: SequenceExperiment
    series: Sine
    reference: Outcomes
    contenders: list[BackendResult]
    asked: tuple[str, ...]

    @property
    def compared(self) -> list[BackendResult]:
        """Contenders that came to their end."""
        return [each for each in self.contenders if each.outcomes]

    @property
    def passed(self) -> bool:
        """True if some backend is ok, and every other one merely absent and not asked for."""
        judged = [
            each.status == "ok"
            for each in self.contenders
            if each.status != "unavailable" or each.backend in self.asked
        ]
        return bool(judged) and all(judged)


def study(
    settings: SequenceExperiment,
    reference: Outcomes,
    names: Sequence[str],
    pythons: dict[str, Path],
) -> SequenceResult:
    """Run the section in a worker for each backend, as many at once as there are CPUs.

    Raises:
        RequestError: there is no backend of a name.
    """
    pairs = [(name, "") for name in dict.fromkeys(name for name, _ in select(names, ()))]

    def compute(pair: Pair, cpus: list[int]) -> tuple[dict[str, str], Outcomes]:
        return _compute(pair[0], settings, pythons, cpus)

    result = run_pool(pairs, names, pythons, compute)
    contenders = []
    for name, _ in pairs:
        contender = BackendResult(name)
        if error := result.errors.get((name, "")):
            contender.status = "unavailable" if error.kind == "unavailable" else "failed"
            contender.reason = str(error)
        else:
            contender.versions, contender.outcomes = result.found[name, ""]
            try:
                judge(contender, reference, TOLERANCES[settings.dtype])
            except (KeyError, ValueError) as other:  # models or shapes are not the section's
                contender.outcomes, contender.status = {}, "failed"
                contender.reason = f"it did not answer with the section: {in_one_line(other)}"
        contenders.append(contender)
    return SequenceResult(settings, draw_series(settings), reference, contenders, tuple(names))


def expected(settings: SequenceExperiment) -> Outcomes:
    """The outcomes of the reference.

    Raises:
        RequestError: training or what follows from it leaves the finite numbers.
    """
    x, outcomes = draw_series(settings).x, {}
    for model in MODELS:
        regressor = regression.build(settings, model, first_weights(settings, model))
        with np.errstate(all="ignore"):
            epochs = list(fit(regressor, settings, model, x))
            found = forecasts(regressor, settings, model, x)
        if not all(np.isfinite(each.values).all() for each in found):
            raise RequestError(
                f"--lr {settings.lr:g}: {model} diverges with it; give a smaller one"
            )
        outcomes[model] = Outcome(epochs, found)
    return outcomes


def _compute(
    name: str, settings: SequenceExperiment, pythons: dict[str, Path], cpus: list[int]
) -> tuple[dict[str, str], Outcomes]:
    """Versions and outcomes of one backend, in a worker of its own."""
    experiment = Experiment.of({"dtype": settings.dtype, "device": "cpu"})
    if reason := backends.without(name, "sequence") or backends.beyond(name, experiment):
        raise WorkerError("unavailable", reason)
    outcomes: Outcomes = {model: Outcome() for model in MODELS}
    with brief_worker(name, pythons, experiment, cpus) as worker:
        described, _ = worker.answer(Describe(), Described)
        try:
            for event in worker.answers(RunSequence(experiment=settings)):
                record(outcomes, event)
        except RequestError as error:
            raise WorkerError("error", str(error)) from error
    return described.description.versions, outcomes


def record(outcomes: Outcomes, event: Event) -> None:
    """Take an event of the worker into the outcomes."""
    if isinstance(event, Fitted):
        weights = {name: np.asarray(weight) for name, weight in event.weights.items()}
        outcomes[event.model].epochs.append(FittedEpoch(event.epoch, event.loss, weights))
    elif isinstance(event, Forecasted):
        values = np.asarray(event.values, np.float64)
        found = Forecast(event.kind, event.k, event.first, values)
        outcomes[event.model].forecasts.append(found)


def judge(contender: BackendResult, reference: Outcomes, tolerance: float) -> None:
    """Give a contender its errors, and the status that follows from them."""
    contender.errors = {
        model: errors(contender.outcomes[model], outcome) for model, outcome in reference.items()
    }
    over = [
        f"{model} {quantity} off by {error:.1e}"
        for model, found in contender.errors.items()
        for quantity, error in found.items()
        if not error <= tolerance
    ]
    if over:
        contender.status = "parity-failed"
        contender.reason = f"not the reference model: {', '.join(over)}"


def errors(found: Outcome, reference: Outcome) -> Errors:
    """The relative error of every quantity: the largest over epochs, and over every k."""
    worst: Errors = {}

    def note(quantity: str, error: float) -> None:
        worst[quantity] = max(error, worst.get(quantity, 0.0))

    for epoch, truth in zip(found.epochs, reference.epochs, strict=True):
        note("parameters", error_of(epoch.weights, truth.weights))
        note("loss", relative_error(epoch.loss, truth.loss))
    for each, true in zip(found.forecasts, reference.forecasts, strict=True):
        note(each.kind, relative_error(each.values, true.values))
    return worst


def facts(found: SequenceResult) -> dict[str, Any]:
    """Facts for ``sequence.json``: of the section itself, and of every backend."""
    return {
        "settings": found.settings.model_dump(mode="json"),
        "tolerance": TOLERANCES[found.settings.dtype],
        "backends": {
            each.backend: {
                "status": each.status,
                "reason": each.reason,
                "versions": each.versions,
                "worst_error": each.worst,
                "errors": each.errors,
            }
            for each in found.contenders
        },
        "passed": found.passed,
    }
