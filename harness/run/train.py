"""The main job: train every backend on the same batches from the same weights, in turn."""

from __future__ import annotations

import math
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path

from backends import entry
from common.checkpoint import load_checkpoint
from common.errors import StorageError, in_one_line
from common.experiment import Experiment
from common.inputs import Inputs, read_inputs
from common.shards import world_size
from common.variants import unsupported
from harness import interrupts
from harness.checks import check_inputs, corpus_facts, select, unable
from harness.console import note
from harness.lock import locked
from harness.records.facts import sha256_of
from harness.records.provenance import provenance
from harness.records.tables import holds
from harness.run.ahead import Ahead, Asked, in_turn, sides_of
from harness.run.baselines import try_baselines
from harness.run.checkpoints import CHECKPOINT_SECONDS
from harness.run.folder import RunFolder, default_folder
from harness.run.progress import Display
from harness.run.recording import record
from harness.run.row import Row
from harness.workers.errors import WorkerError
from harness.workers.gpus import Watch
from harness.workers.interpreters import interpreter, missing
from harness.workers.neighbours import clear_of_others
from harness.workers.placement import Placement, placed
from harness.workers.process import Worker
from harness.workers.protocol import Failed
from harness.workers.requests import WAITS, Train


@dataclass(frozen=True)
class RunRequest:
    """RunRequest for a run.

    Attributes:
        recipe: the name the settings started from.
        backends, variants: as asked for; no backend means every one.
        data_dir: the first folder to look in for a published corpus.
        out: the run folder, new or of this very request; None gives it a name of its own.
        pythons: the interpreters of backends that have one of their own.
        resume: the checkpoint whose weights are the first; None draws them.
        inputs: of the experiment, where they were read before.
        checkpoint_seconds: time after which another checkpoint on the way is due.
        baselines: True if n-grams are counted, too, once all rows are trained.
        placement: of all rows, where it was decided before; None decides.
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
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    baselines: bool = True
    placement: Placement | None = None


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
            return interrupts.exit_status()
        if self.status != "finished":
            return 1
        judged = [row.status == "ok" for row in self.rows if not self.forgives(row)]
        return 0 if judged and all(judged) else 1

    def forgives(self, row: Row) -> bool:
        """True if a row is not available, and nobody asked for it by name."""
        asked = {row.backend, row.variant} & {*self.asked}
        return row.status == "unavailable" and not asked


def run(request: RunRequest, display: Display) -> RunResult:
    """Train what was asked for and write the run folder; what stands in it already is gone on with.

    Raises:
        RequestError: something asked for does not exist or does not fit; nothing was written.
        StorageError: the folder can no longer be written; what is in it agrees, and it does not say
            that it is finished.
    """
    experiment = request.experiment
    pairs = select(request.backends, request.variants)
    inputs = request.inputs or read_inputs(experiment, request.data_dir)
    check_inputs(inputs, experiment, request.resume)
    names = [name for name, _ in pairs]
    placement = request.placement or clear_of_others(
        placed(experiment, names, request.pythons), experiment, names
    )
    facts = {
        "recipe": request.recipe,
        "experiment": experiment.model_dump(mode="json"),
        "rows": [[*pair] for pair in pairs],
        "corpus": corpus_facts(inputs),
        "resumed": request.resume and str(request.resume),
        "resumed_sha256": request.resume and sha256_of(request.resume),
        **provenance(),
        "placement": placement._asdict(),
        "engine": None,
        "backends": {},
        "gpus": {},
        "machines": {},
    }
    request = replace(request, inputs=inputs)
    done = load_checkpoint(request.resume).epoch if request.resume else 0
    seed, dtype, devices = experiment.seed, experiment.dtype, experiment.devices
    rows = [Row(*pair, seed, dtype, len(inputs.vocab), done, devices=devices) for pair in pairs]
    path = request.out or default_folder(request.recipe, experiment)
    with locked(path):
        folder = RunFolder(path, facts, rows)
        folder.record.facts["placement"] = before = (
            folder.record.facts.get("placement") or placement._asdict()
        )
        request = replace(request, placement=Placement.recorded(before))
        status = train_rows(folder, request, inputs, display)
    alone = {variant for variant in request.variants if unsupported(experiment, variant)}
    return RunResult(path, folder.rows, status, (*request.backends, *alone))


def train_rows(folder: RunFolder, request: RunRequest, inputs: Inputs, display: Display) -> str:
    """Train every row that has no result yet; the status of the run."""
    status, reason = "finished", ""
    try:
        assert request.placement
        sides = sides_of(request.experiment, request.placement.device)
        todo = [row for row in folder.rows if not row.settled]
        todo = in_turn(todo) if len(sides) > 1 else todo
        able = [row for row in todo if not lacks(row, request)]
        start = partial(ask, request, folder, len(sides) > 1)
        with Ahead(able, sides, start, import_report) as ahead:
            for row in todo:
                run_row(row, request, folder, display, ahead)
        if request.baselines and not holds(folder.path, "baselines.csv"):
            try_baselines(folder.path, inputs)
    except KeyboardInterrupt:
        status = "interrupted"
    except BaseException as error:
        status, reason = "failed", in_one_line(error)
        raise
    finally:
        for row in folder.rows:
            if row.status in ("waiting", "running"):
                row.status, row.reason = "interrupted", reason
        # What cannot be said that it failed goes on saying that it is running.
        with suppress(StorageError) if status == "failed" else nullcontext():
            status = folder.finish(status, reason)
    if status == "failed":
        note(f"{folder.path}: failed: {folder.record.facts['reason']}")
    return status


def import_report() -> None:
    """Import what makes the report, which takes half a second."""
    import_module("harness.report.build")


def lacks(row: Row, request: RunRequest) -> str | None:
    """The reason why no worker is asked to train a row, or None."""
    cannot = unable(row.backend, row.variant, request.experiment)
    return cannot or missing(row.backend, request.pythons)


def run_row(
    row: Row, request: RunRequest, folder: RunFolder, display: Display, ahead: Ahead
) -> None:
    """Train one backend in a worker of its own; whatever happens to it becomes the row's status."""
    if reason := lacks(row, request):
        row.status, row.reason = "unavailable", reason
    else:
        listen(row, request, folder, display, ahead)
    folder.end_row(row)
    display.ended(row)


def listen(
    row: Row, request: RunRequest, folder: RunFolder, display: Display, ahead: Ahead
) -> None:
    """Have a worker train a row, from where it was cut off; the next one gets ready meanwhile."""
    row.status = "running"
    display.started(row)
    assert request.placement
    watch = Watch(request.placement.device)
    try:
        worker, events = ahead.take(row)
    except WorkerError as error:
        record(row, Failed(kind=error.kind, reason=str(error)), folder)
        return
    with worker:
        for event in events:
            record(row, event, folder)
            display.event(row, event)
            watch.look()
            ahead.look()
            if event == WAITS:
                worker.begin(ahead.cpus)
        if watch.first:
            told = [gpu.model_dump() for gpu in watch.told()]
            folder.record.facts["gpus"][row.name] = told


def ask(request: RunRequest, folder: RunFolder, waits: bool, row: Row, cpus: list[int]) -> Asked:
    """Start a row's worker on some CPUs, and ask it to train the row, once it is told to begin.

    Raises:
        WorkerError: it cannot be started.
    """
    assert request.placement
    device, goes_on = request.placement.device, folder.goes_on.get(row.name)
    on_it = request.experiment.model_copy(update={"device": device})
    python = interpreter(row.backend, request.pythons)
    threads = request.placement.threads if entry(row.backend).spins else None
    worker = Worker(row.backend, python, on_it, folder.log(row), cpus, threads=threads)
    asked = Train(
        experiment=request.experiment,
        device=device,
        variant=row.variant,
        data_dir=request.data_dir and str(request.data_dir.resolve()),
        checkpoint=str(folder.checkpoint(row)),
        resume=request.resume and str(request.resume),
        goes_on=goes_on and str(goes_on),
        # harnesses that were started together would not save at the same steps
        checkpoint_seconds=math.inf if world_size() > 1 else request.checkpoint_seconds,
        waits=waits,
        **(request.inputs.for_workers() if request.inputs else {}),
    )
    return Asked(worker, worker.ask(asked))
