"""Running a study: a run folder a cell; what is finished is never run again.

``study.json`` says ``running`` until all cells are done and the report is written. When the study
is started again, a cell whose run was killed, interrupted or failed as a whole is gone on with. A
row that broke is run again, and so is one whose backend has been installed since; a divergence,
say, is a result and stays.

Here cells are run one after the other in this process; `harness.study.spread` has an engine run
them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from common.errors import RequestError
from common.variants import unsupported
from harness.checks import check_inputs, select, told_whose
from harness.engines.choice import EngineOptions
from harness.lock import begun, locked
from harness.records.facts import Record
from harness.records.json_schemas import RunFacts
from harness.records.provenance import provenance
from harness.records.reading import RunData, read_run, record
from harness.records.status import BROKEN
from harness.records.tables import holds
from harness.run.checkpoints import CHECKPOINT_SECONDS
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from harness.study.again import Pair, forget, run_again, sweep
from harness.study.grid import GridCell, Study, cells, each_cell
from harness.study.rows import title
from harness.study.texts import Texts
from harness.workers.interpreters import missing

EndedRows = tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class StudyRequest:
    """Request to run a study.

    Attributes:
        study: contents of its file.
        out: its folder; goes on there if it exists.
        data_dir: the first folder to look in for a published corpus.
        pythons: the interpreters of backends that have one of their own.
        checkpoint_seconds: as of a run.
        engine, options: where the cells are run.
        store: address of the store that finished cells are kept in; or None.
        apart: True if the rows of a cell may be run on several machines.
    """

    study: Study
    out: Path
    data_dir: Path | None
    pythons: dict[str, Path]
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    engine: str = "local"
    options: EngineOptions = field(default_factory=EngineOptions)
    store: str | None = None
    apart: bool = False

    @property
    def in_order(self) -> bool:
        """True if the cells are run one after the other, in this process."""
        plain = replace(self.options, folder=EngineOptions().folder) == EngineOptions()
        return self.engine == "local" and plain and self.store is None

    def folder(self, cell: GridCell) -> Path:
        """The run folder of a cell."""
        return self.out / cell.grid / cell.name


def run_study(order: StudyRequest, tell: Callable[[str], None]) -> bool:
    """Run every cell that is not finished, and nobody else meanwhile.

    ``study.json`` says ``running`` then, until `harness.study.ending.finish` is told what became of
    the report.

    Args:
        order: the study, its folder and its interpreters.
        tell: is told a line at every cell.

    Returns:
        Whether all cells were done; False after Ctrl-C.

    Raises:
        RequestError: a cell cannot be run, or its folder holds something else; nothing was run.
    """
    with locked(order.out):
        count = check_cells(order, Texts(order.data_dir))
        begin(order)
        return _run_cells(order, count, tell)


def begin(order: StudyRequest) -> None:
    """Say that a study is running, unless there is nothing to do."""
    every = each_cell(order.study)
    if not all(is_finished(order, cell) and not to_run_again(order, cell) for cell in every):
        study_record(order, {}).write("running")


def check_cells(order: StudyRequest, texts: Texts) -> int:
    """See that every cell can be run, before any is.

    Returns:
        The number of cells.

    Raises:
        RequestError: as `run_study`.
    """
    count = 0
    for cell in each_cell(order.study):
        count += 1
        sweep(order.folder(cell))
        is_finished(order, cell)
        try:
            check_inputs(texts.inputs(cell.experiment), cell.experiment, None)
        except RequestError as error:
            given, source = {*order.study.settings, *cell.varied}, f"recipe {order.study.recipe}"
            raise told_whose(error, cell.experiment, given, source) from error
    return count


def _run_cells(order: StudyRequest, count: int, tell: Callable[[str], None]) -> bool:
    for number, cell in enumerate(each_cell(order.study), 1):
        where = f"{number} of {count}: {title(cell)}"
        if is_finished(order, cell):
            reasons = to_run_again(order, cell)
            if not reasons:
                forget(order.folder(cell))
                tell(f"{where}: done before")
                continue
            why = "; ".join(f"{' '.join(pair)} was {old}" for pair, old in reasons.items())
            statuses = run_again(request_of(order, cell), order.folder(cell), [*reasons])
            if statuses is None:
                return False
            tell(f"{where}: again, for {why}: now {', '.join(statuses)}")
            continue
        start = time.monotonic()
        result = run(request_of(order, cell), Silent())
        if result.status == "interrupted":
            return False
        ended = ", ".join(f"{row.backend} {row.variant} {row.status}" for row in result.rows)
        tell(f"{where}: {time.monotonic() - start:.0f} s: {ended}")
    return True


def study_record(order: StudyRequest, lost: Mapping[str, str]) -> Record:
    """The record of a study, with the cells that were lost and why."""
    facts = {"study": order.study.model_dump(mode="json"), **provenance(), "lost": {**lost}}
    return Record(order.out / "study.json", facts)


def request_of(order: StudyRequest, cell: GridCell) -> RunRequest:
    """The request of a cell's run in this process."""
    study = order.study
    return RunRequest(
        study.recipe,
        cell.experiment,
        study.backends,
        study.variants,
        order.data_dir,
        order.folder(cell),
        order.pythons,
        checkpoint_seconds=order.checkpoint_seconds,
    )


def is_finished(order: StudyRequest, cell: GridCell) -> bool:
    """True if a cell's folder holds its finished run.

    Raises:
        RequestError: the folder holds a run of something else, or no run.
    """
    folder = order.folder(cell)
    if not begun(folder):
        return False
    if not holds(folder, "run.json"):
        raise RequestError(f"{folder}: exists and is no run folder: move it, or give another --out")
    facts = record(folder, "run.json", RunFacts)
    if facts["experiment"] != cell.experiment.model_dump(mode="json"):
        raise RequestError(
            f"{folder}: holds a run of other settings: was the study edited? give another --out"
        )
    asked = {*select(order.study.backends, order.study.variants)}
    finished = bool(facts["status"] == "finished")
    found = {(pair[0], pair[1]) for pair in facts["rows"] or []}
    if finished:
        found = {(backend, variant) for backend, variant, _, _ in _ended_rows(folder)}
    if found and found != asked:
        raise RequestError(
            f"{folder}: holds a run of other backends or variants: give another --out"
        )
    return finished


def to_run_again(order: StudyRequest, cell: GridCell) -> dict[Pair, str]:
    """The rows of a finished cell that broke, and those that could be run by now: how they ended.

    Broken is what crashed, failed, timed out or was not the reference network.
    """
    return {
        (backend, variant): f"{status} ({reason})"
        for backend, variant, status, reason in _ended_rows(order.folder(cell))
        if status in BROKEN
        or (status == "unavailable" and _could_run(order, cell, backend, variant))
    }


def _ended_rows(folder: Path) -> EndedRows:
    """Backend, variant, status and reason of the rows of a finished run, which is read once."""
    return _read_rows(folder, (folder / "run.json").stat().st_mtime_ns)


@cache
def _read_rows(folder: Path, written: int) -> EndedRows:
    found = read_run(folder).summary
    return tuple(zip(found.backend, found.variant, found.status, found.reason, strict=True))


def _could_run(order: StudyRequest, cell: GridCell, backend: str, variant: str) -> bool:
    return not unsupported(cell.experiment, variant) and not missing(backend, order.pythons)


def read_cells(order: StudyRequest) -> Iterator[tuple[GridCell, RunData]]:
    """Every cell and its run.

    Raises:
        RequestError: one has no finished run.
    """
    for cell in cells(order.study):
        yield cell, read_run(order.folder(cell))
