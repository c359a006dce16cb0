"""``parity``: every backend and variant against the reference, over the whole grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from common.experiment import DType, Experiment
from common.parity import over_tolerance, tolerance
from common.parity_grid import grid
from harness.checks import select, unable
from harness.records.schemas import ParityTable
from harness.workers.errors import WorkerError
from harness.workers.interpreters import brief_worker
from harness.workers.placement import placed
from harness.workers.pool import Pair, run_pool
from harness.workers.process import Worker
from harness.workers.protocol import CaseErrors, Described
from harness.workers.requests import Compare, Describe

COLUMNS = list(ParityTable.model_fields)


@dataclass(frozen=True)
class ParityResult:
    """Result of a comparison: the errors, and what could not be compared.

    Attributes:
        table: an error a row, by `COLUMNS`.
        failures: the reason of every backend that broke down, by backend and variant.
        absent: likewise for backends that are not available.
        versions: of what each backend computed with, by its name.
    """

    table: pd.DataFrame
    failures: dict[str, str]
    absent: dict[str, str]
    versions: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True if something was compared and all of it holds."""
        return bool(len(self.table) and self.table.ok.all() and not self.failures)


def compare(
    names: Sequence[str],
    variants: Sequence[str],
    dtypes: Sequence[DType],
    steps: int,
    device: str,
    devices: int,
    pythons: dict[str, Path],
) -> ParityResult:
    """Run the grid in a worker for each backend and variant, and that of devices in another."""
    pairs = select(names, variants)
    strictest = "float64" if "float64" in dtypes else "float32"
    settings = [
        {"dtype": strictest, "device": device, "devices": number}
        for number in dict.fromkeys((1, devices))
    ]
    for each in settings:
        each["device"] = placed(Experiment.of(each), [name for name, _ in pairs], pythons).device

    versions: dict[str, dict[str, str]] = {}

    def compare_pair(pair: Pair, cpus: list[int]) -> list[list[object]]:
        asked = [Experiment.of(each | {"dtype": dtype}) for dtype in dtypes for each in settings]
        able = [each for each in asked if not unable(*pair, each)]
        if not able:
            raise WorkerError("unavailable", str(unable(*pair, asked[0])))
        rows: list[list[object]] = []
        for each in able:
            with brief_worker(pair[0], pythons, each, cpus) as worker:
                rows += _errors(pair, each, steps, worker)
                described, _ = worker.answer(Describe(), Described)
            versions[pair[0]] = described.description.versions
        return rows

    result = run_pool(pairs, names, pythons, compare_pair)
    rows = [row for found in result.found.values() for row in found]
    failures, absent = (
        {" ".join(pair): reason for pair, reason in reasons.items()}
        for reasons in (result.failures, result.absent)
    )
    return ParityResult(pd.DataFrame(rows, columns=COLUMNS), failures, absent, versions)


def _errors(
    pair: Pair, experiment: Experiment, steps: int, worker: Worker
) -> Iterator[list[object]]:
    dtype, devices = experiment.dtype, experiment.devices
    request = Compare(
        variant=pair[1], dtype=dtype, device=experiment.device, devices=devices, steps=steps
    )
    able = (case for case in grid(dtype, devices) if not unable(*pair, case.experiment))
    to_compare = {case.name for case in able}
    for event in worker.answers(request):
        if isinstance(event, CaseErrors):
            to_compare.discard(event.case)
            over = over_tolerance(event.errors, dtype)
            for quantity, error in event.errors.items():
                row = [*pair, dtype, event.case, quantity, error]
                yield [*row, tolerance(quantity, dtype), quantity not in over]
    if to_compare:
        raise WorkerError("error", f"it did not compare {', '.join(sorted(to_compare))}")
