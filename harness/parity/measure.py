"""``parity``: every backend and variant against the reference, over the whole grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pandas as pd

from common.experiment import DType, Experiment
from common.parity import over_tolerance, tolerance
from harness.checks import select
from harness.workers.cpus import usable_cpus
from harness.workers.interpreters import brief_worker, missing
from harness.workers.process import WorkerError

COLUMNS = ["backend", "variant", "dtype", "case", "quantity", "error", "tolerance", "ok"]


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison: the errors, and what could not be compared.

    Attributes:
        table: an error a row, by `COLUMNS`.
        failures: the reason of every backend that broke down, by backend and variant.
        absent: likewise for backends that are not available.
    """

    table: pd.DataFrame
    failures: dict[str, str]
    absent: dict[str, str]

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
    pythons: dict[str, Path],
) -> Comparison:
    """Run the grid in a worker for each backend and variant, as many at once as there are CPUs.

    Nothing is timed here, so the workers need not take turns; each has a CPU of its own.
    """
    records: list[list[object]] = []
    failures: dict[str, str] = {}
    absent: dict[str, str] = {}
    free: Queue[int] = Queue()
    for cpu in usable_cpus():
        free.put(cpu)

    def run_pair(pair: tuple[str, str]) -> None:
        name, variant = pair
        if reason := missing(name, pythons):
            absent[" ".join(pair)] = reason
            return
        cpu = free.get()
        try:
            for dtype in dtypes:
                records.extend(_errors(name, variant, dtype, steps, device, pythons, cpu))
        except WorkerError as error:
            where = absent if error.kind == "unavailable" else failures
            where[" ".join(pair)] = str(error)
        finally:
            free.put(cpu)

    with ThreadPoolExecutor(free.qsize()) as pool:
        list(pool.map(run_pair, select(names, variants)))
    for pair, reason in absent.items():
        if pair.split()[0] in names:
            failures[pair] = reason
    return Comparison(pd.DataFrame(records, columns=COLUMNS), failures, absent)


def _errors(
    name: str,
    variant: str,
    dtype: DType,
    steps: int,
    device: str,
    pythons: dict[str, Path],
    cpu: int,
) -> Iterator[list[object]]:
    experiment = Experiment.of({"dtype": dtype, "device": device})
    request = {"dtype": dtype, "device": device, "variant": variant, "steps": steps}
    with brief_worker(name, pythons, experiment, [cpu]) as worker:
        for event in worker.answers("parity", **request):
            if event["event"] == "case":
                over = over_tolerance(event["errors"], dtype)
                for quantity, error in event["errors"].items():
                    row = [name, variant, dtype, event["case"], quantity, error]
                    yield [*row, tolerance(quantity, dtype), quantity not in over]
