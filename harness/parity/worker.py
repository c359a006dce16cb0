"""Worker's side of ``parity``: the grid, case by case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from common.experiment import Experiment
from common.interface import Model
from common.parity_grid import check, grid
from common.weights import Weights
from harness.checks import unable
from harness.workers.protocol import CaseErrors, Event
from harness.workers.requests import Compare
from harness.workers.session import Session


def compare_with_reference(session: Session, request: Compare) -> Iterator[Event]:
    """Compare every case of the parity grid that the variant can be, in one precision."""

    def build(experiment: Experiment, weights: Weights) -> Model:
        return session.build(experiment, request.variant, weights)

    for case in grid(request.dtype, request.devices):
        if unable(session.name, request.variant, case.experiment):
            continue
        placed = case.experiment.model_copy(update={"device": request.device})
        errors = check(build, replace(case, experiment=placed), request.steps)
        yield CaseErrors(case=case.name, errors=errors)
