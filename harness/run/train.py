"""The main job: train every backend on the same batches from the same weights, in turn."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from common.experiment import Experiment
from common.inputs import Inputs, read_inputs
from common.variants import unsupported
from harness.checks import check_inputs, corpus_facts, select, unable
from harness.records.provenance import provenance
from harness.records.status import Status
from harness.run.baselines import write_baselines
from harness.run.folder import RunFolder, default_folder
from harness.run.row import Row
from harness.workers.interpreters import interpreter, missing
from harness.workers.process import Worker
from harness.workers.protocol import Built, Done, EpochDone, Event, Failed, Judged, Sample
from harness.workers.requests import Train


class Display(Protocol):
    """Whoever watches a run."""

    def started(self, row: Row) -> None:
        """A row's worker has been started."""

    def event(self, row: Row, event: Event) -> None:
        """An epoch, a sample, or another event of the row."""

    def ended(self, row: Row) -> None:
        """The row has its final status."""


@dataclass(frozen=True)
class RunRequest:
    """RunRequest for a run.

    Attributes:
        recipe: the name the settings started from.
        backends, variants: as asked for; no backend means every one.
        data_dir: the first folder to look in for a published corpus.
        out: the run folder; None gives it a name of its own.
        pythons: the interpreters of backends that have one of their own.
        resume: the checkpoint to go on from; None starts from fresh weights.
        inputs: of the experiment, where they were read before.
    """

    recipe: str
    experiment: Experiment
    backends: tuple[str, ...] = ()
    variants: tuple[str, ...] = ("scratch",)
    data_dir: Path | None = None
    out: Path | None = None
    pythons: dict[str, Path] = field(default_factory=dict)
    resume: Path | None = None
    inputs: Inputs | None = None


@dataclass(frozen=True)
class RunResult:
    """RunResult of a run: folder, a row per backend, variant and seed, status."""

    folder: Path
    rows: list[Row]
    status: str
    asked: tuple[str, ...]

    @property
    def exit_status(self) -> int:
        """0 if every row is ok; what is not available counts only if it was asked for by name."""
        if self.status == "interrupted":
            return 130
        forgiven = {row.name for row in self.rows if row.status == "unavailable"}
        forgiven -= {row.name for row in self.rows if {row.backend, row.variant} & {*self.asked}}
        judged = [row.status == "ok" for row in self.rows if row.name not in forgiven]
        return 0 if judged and all(judged) else 1


def run(request: RunRequest, display: Display) -> RunResult:
    """Train what was asked for and write the run folder.

    Raises:
        RequestError: something asked for does not exist or does not fit; nothing was written.
    """
    experiment = request.experiment
    pairs = select(request.backends, request.variants)
    inputs = request.inputs or read_inputs(experiment, request.data_dir)
    check_inputs(inputs, experiment, request.resume)
    facts = {
        "recipe": request.recipe,
        "experiment": experiment.model_dump(mode="json"),
        "corpus": corpus_facts(inputs),
        "resumed": request.resume and str(request.resume),
        **provenance(),
        "backends": {},
    }
    path = request.out or default_folder(request.recipe, experiment)
    folder = RunFolder(path, facts)
    seed, dtype, devices = experiment.seed, experiment.dtype, experiment.devices
    rows = [Row(name, variant, seed, dtype, devices=devices) for name, variant in pairs]
    status = "failed"
    try:
        write_baselines(path, inputs)
        for row in rows:
            run_row(row, request, folder, display)
        status = "finished"
    except KeyboardInterrupt:
        status = "interrupted"
    finally:
        for row in rows:
            if row.status in ("waiting", "running"):
                row.status = "interrupted"
        folder.finish(rows, status)
    unable = {variant for variant in request.variants if unsupported(experiment, variant)}
    return RunResult(path, rows, status, (*request.backends, *unable))


def run_row(row: Row, request: RunRequest, folder: RunFolder, display: Display) -> None:
    """Train one backend in a worker of its own; whatever happens to it becomes the row's status."""
    cannot = unable(row.backend, row.variant, request.experiment)
    if reason := cannot or missing(row.backend, request.pythons):
        row.status, row.reason = "unavailable", reason
        display.ended(row)
        return
    row.status = "running"
    display.started(row)
    python = interpreter(row.backend, request.pythons)
    with Worker(row.backend, python, request.experiment, folder.log(row)) as worker:
        asked = Train(
            experiment=request.experiment,
            variant=row.variant,
            data_dir=request.data_dir and str(request.data_dir.resolve()),
            checkpoint=str(folder.checkpoint(row)),
            resume=request.resume and str(request.resume),
        )
        for event in worker.ask(asked):
            record(row, event, folder)
            display.event(row, event)
    display.ended(row)


FAILURES: dict[str, Status] = {name: name for name in ("unavailable", "crashed", "timeout")}

REFUSALS: dict[str, Status] = {
    "different": "parity-failed",
    "overflow": "overflow",
    "diverged": "diverged",
}
"""The status of a row that is not trained, by the verdict on it."""


def record(row: Row, event: Event, folder: RunFolder) -> None:
    """Take an event into the row and the folder."""
    match event:
        case Built():
            row.device, row.compile_seconds = event.device, event.compile_seconds
            row.versions = event.description.versions
            folder.record.facts["backends"][row.backend] = asdict(event.description)
        case Judged():
            row.parity, row.parity_tolerance = event.parity, event.tolerance
            row.parity_verdict, row.reason = event.verdict, event.reason
            row.status = REFUSALS.get(event.verdict, row.status)
        case EpochDone():
            row.perplexity, row.val_perplexity = event.perplexity, event.val_perplexity
            row.tokens += event.tokens
            row.train_seconds += event.seconds
            folder.add_epoch(row, event)
        case Sample():
            folder.add_sample(row, event)
        case Failed():
            row.status = FAILURES.get(event.kind, "failed")
            row.reason = event.reason
        case Done() if row.status == "running":
            row.peak_memory_mb = event.peak_memory_mb
            learning = row.perplexity is not None and math.isfinite(row.perplexity)
            row.status = "ok" if learning else "diverged"
            if not learning:
                row.reason = "its perplexity is no longer a finite number"
