"""Long runs of tiny epochs: throughput and memory of their workers on the way."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from common.experiment import Experiment
from common.inputs import read_inputs
from common.judging import TRAINED
from harness.bench.contenders import Contest
from harness.bench.quiet import Meter, Quiet
from harness.bench.ratios import Logs
from harness.bench.rounds import cpu_seconds
from harness.intervals import interval
from harness.scale.request import TINY
from harness.scale.tables import Row, quantity
from harness.workers.cpus import usable_cpus
from harness.workers.errors import WorkerError
from harness.workers.interpreters import brief_worker
from harness.workers.process import Worker
from harness.workers.protocol import Built, EpochDone, Judged
from harness.workers.requests import Train

SAVED = 60.0
"""Seconds between checkpoints on the way, as of a run."""


@dataclass
class LongRun:
    """Record of a long run.

    Attributes:
        quiet: of the machine meanwhile.
        speeds: tokens a second of each epoch.
        memory_mb: resident set of the worker, by the number of epochs behind it.
    """

    backend: str
    variant: str
    quiet: Quiet = field(default_factory=Quiet)
    speeds: list[float] = field(default_factory=list)
    memory_mb: dict[int, float] = field(default_factory=dict)

    def speed(self, value: int) -> float:
        """Tokens a second in the second half of so many epochs."""
        return float(1 / np.mean(1 / np.array(self.speeds[value // 2 : value])))


def relative_costs(runs: Sequence[LongRun], values: Sequence[int]) -> dict[int, Logs]:
    """Logarithms of a token's cost over that in the first number of epochs, run by run.

    Epochs of one run follow each other, and what a machine drifts meanwhile does not cancel. Runs
    differ by it, and so their intervals have it.
    """
    costs = {value: -np.log([run.speed(value) for run in runs]) for value in values}
    return {value: each - costs[values[0]] for value, each in costs.items()}


def rows_of_runs(runs: Sequence[LongRun], values: Sequence[int]) -> list[Row]:
    """Rows of ``scale.csv``: throughput of the second half of so many epochs, and memory."""
    rows = []
    for value in values:
        of: Row = {"dimension": "num_epochs", "value": value}
        of |= {"backend": runs[0].backend, "variant": runs[0].variant}
        rows.append(quantity(of, "tokens_per_sec", interval([run.speed(value) for run in runs])))
        rows.append(quantity(of, "memory_mb", interval([run.memory_mb[value] for run in runs])))
    return rows


def long_run(contest: Contest, backend: str, variant: str, values: Sequence[int]) -> LongRun:
    """Train a tiny network for the most epochs, and look at its worker at each number of them.

    Raises:
        RequestError: the worker found the request wrong.
        WorkerError: the backend failed, is not the reference network, or did not get so far.
    """
    most, run = values[-1], LongRun(backend, variant)
    settings = TINY | {"num_epochs": most, "pred_period": max(1, most // 10)}
    experiment = Experiment.of(contest.settings | settings)
    meter = Meter(usable_cpus()[: experiment.threads])
    with (
        tempfile.TemporaryDirectory(prefix="rnn-rosetta-scale-") as folder,
        brief_worker(backend, contest.pythons, experiment) as worker,
    ):
        asked = Train(
            experiment=experiment,
            device=experiment.device,
            variant=variant,
            data_dir=None,
            checkpoint=str(Path(folder) / "trained.safetensors"),
            resume=None,
            goes_on=None,
            checkpoint_seconds=SAVED,
            **read_inputs(experiment).for_workers(),
        )
        process, own, clocks = psutil.Process(worker.process.pid), 0.0, meter.reading()
        for event in worker.answers(asked):
            match event:
                case Built():
                    own, clocks = _used(worker), meter.reading()
                case Judged() if event.verdict not in TRAINED:
                    raise WorkerError("error", event.reason)
                case EpochDone():
                    run.speeds.append(event.tokens / event.seconds)
                    if event.epoch in values and math.isfinite(event.perplexity):
                        run.memory_mb[event.epoch] = process.memory_info().rss / 2**20
                    if event.epoch == most or not math.isfinite(event.perplexity):
                        meter.add(clocks, meter.reading(), _used(worker) - own)
    if run.memory_mb.keys() < {*values}:
        raise WorkerError("error", f"it diverged in epoch {len(run.speeds)} of {most}")
    meter.end_round(again=False)
    run.quiet = meter.told()
    return run


def _used(worker: Worker) -> float:
    """CPU seconds of a worker and of the harness so far."""
    mine = psutil.Process().cpu_times()
    return mine.user + mine.system + cpu_seconds(worker)
