"""Worker's side of ``parity``: the grid, case by case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from common.experiment import Experiment
from common.interface import Backend, Model
from common.parity_grid import cases, check
from common.weights import Weights

Event = dict[str, Any]


def compare_with_reference(backend: Backend, request: Event) -> Iterator[Event]:
    """Compare every case of the parity grid that the variant can be, in one precision."""

    def build(experiment: Experiment, weights: Weights) -> Model:
        return backend.build(experiment, request["variant"], weights)

    for case in cases(request["dtype"]):
        if case.experiment.lacking(request["variant"]):
            continue
        placed = case.experiment.model_copy(update={"device": request["device"]})
        errors = check(build, replace(case, experiment=placed), request["steps"])
        yield {"event": "case", "case": case.name, "errors": errors}
