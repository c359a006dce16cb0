"""Running a study: a run folder a cell; what is finished is never run again.

``study.json`` says ``running`` until all cells are done and the report is written. When the study
is started again, a cell whose run was killed, interrupted or failed as a whole is gone on with. A
row that broke is run again, and so is one whose backend has been installed since; a divergence,
say, is a result and stays.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from common.errors import RequestError
from common.files import write_aside
from common.inputs import read_inputs
from common.variants import unsupported
from harness.checks import check_inputs, select, told_whose
from harness.lock import begun, locked
from harness.records.agreement import ROW
from harness.records.cells import csv_of
from harness.records.facts import Record
from harness.records.json_schemas import RunFacts
from harness.records.provenance import provenance
from harness.records.reading import RunData, read_run, record
from harness.records.tables import holds
from harness.run.checkpoints import CHECKPOINT_SECONDS
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from harness.study.again import Pair, forget, run_again, sweep
from harness.study.grid import GridCell, Study, cells
from harness.workers.interpreters import missing

BROKEN = {"failed", "crashed", "timeout", "parity-failed", "interrupted"}
"""A row that ended so is a fault. One that diverged is a finding; one not installed is forgiven."""


@dataclass(frozen=True)
class StudyRequest:
    """StudyRequest to run a study.

    Attributes:
        study: contents of its file.
        out: its folder; goes on there if it exists.
        data_dir: the first folder to look in for a published corpus.
        pythons: the interpreters of backends that have one of their own.
        checkpoint_seconds: as of a run.
    """

    study: Study
    out: Path
    data_dir: Path | None
    pythons: dict[str, Path]
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    def folder(self, cell: GridCell) -> Path:
        """The run folder of a cell."""
        return self.out / cell.grid / cell.name


def run_study(order: StudyRequest, tell: Callable[[str], None]) -> bool:
    """Run every cell that is not finished, and nobody else meanwhile.

    ``study.json`` says ``running`` then, until `finish` is told what became of the report.

    Args:
        order: the study, its folder and its interpreters.
        tell: is told a line at every cell.

    Returns:
        Whether all cells were done; False after Ctrl-C.

    Raises:
        RequestError: a cell cannot be run, or its folder holds something else; nothing was run.
    """
    with locked(order.out):
        return _run_cells(order, tell)


def _run_cells(order: StudyRequest, tell: Callable[[str], None]) -> bool:
    every = cells(order.study)
    for cell in every:
        sweep(order.folder(cell))
        is_finished(order, cell)
        try:
            inputs = read_inputs(cell.experiment, order.data_dir)
            check_inputs(inputs, cell.experiment, None)
        except RequestError as error:
            given, source = {*order.study.settings, *cell.varied}, f"recipe {order.study.recipe}"
            raise told_whose(error, cell.experiment, given, source) from error
    if not all(is_finished(order, cell) and not to_run_again(order, cell) for cell in every):
        _record(order).write("running")
    for number, cell in enumerate(every, 1):
        where = f"{number} of {len(every)}: {cell.grid}, {cell.name}"
        if is_finished(order, cell):
            reasons = to_run_again(order, cell)
            if not reasons:
                forget(order.folder(cell))
                tell(f"{where}: done before")
                continue
            why = "; ".join(f"{' '.join(pair)} was {old}" for pair, old in reasons.items())
            statuses = run_again(_request(order, cell), order.folder(cell), [*reasons])
            if statuses is None:
                return False
            tell(f"{where}: again, for {why}: now {', '.join(statuses)}")
            continue
        start = time.monotonic()
        result = run(_request(order, cell), Silent())
        if result.status == "interrupted":
            return False
        ended = ", ".join(f"{row.backend} {row.variant} {row.status}" for row in result.rows)
        tell(f"{where}: {time.monotonic() - start:.0f} s: {ended}")
    return True


def finish(order: StudyRequest, reason: str) -> str:
    """Write ``cells.csv``, and say in ``study.json`` that the study is finished, or why not.

    Where nothing was run, a study that was finished stays as its machine left it.

    Args:
        order: the study, whose cells are all done.
        reason: of the failure of its report; empty if that was written.

    Returns:
        Reason why it is not finished, which may be a run that failed; empty if it is.
    """
    ending = _record(order)
    if not reason and _was_finished(ending.path):
        return reason
    for cell in cells(order.study):
        if not is_finished(order, cell):
            reason = f"{order.folder(cell)}: its run failed"
    write_aside(order.out / "cells.csv", csv_of(tidy(order)))
    if reason:
        ending.facts["reason"] = reason
    ending.write("failed" if reason else "finished", ["cells.csv"])
    return reason


def _was_finished(record: Path) -> bool:
    try:
        return bool(json.loads(record.read_bytes())["status"] == "finished")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _record(order: StudyRequest) -> Record:
    facts = {"study": order.study.model_dump(mode="json"), **provenance()}
    return Record(order.out / "study.json", facts)


def _request(order: StudyRequest, cell: GridCell) -> RunRequest:
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
        summary = read_run(folder).summary
        found = {*zip(summary.backend, summary.variant, strict=True)}
    if found and found != asked:
        raise RequestError(
            f"{folder}: holds a run of other backends or variants: give another --out"
        )
    return finished


def to_run_again(order: StudyRequest, cell: GridCell) -> dict[Pair, str]:
    """The rows of a finished cell that broke, and those that could be run by now: how they ended.

    Broken is what crashed, failed, timed out or was not the reference network.
    """
    found = read_run(order.folder(cell)).summary
    rows = zip(found.backend, found.variant, found.status, found.reason, strict=True)
    return {
        (backend, variant): f"{status} ({reason})"
        for backend, variant, status, reason in rows
        if status in BROKEN
        or (status == "unavailable" and _could_run(order, cell, backend, variant))
    }


def _could_run(order: StudyRequest, cell: GridCell, backend: str, variant: str) -> bool:
    return not unsupported(cell.experiment, variant) and not missing(backend, order.pythons)


def read_cells(order: StudyRequest) -> Iterator[tuple[GridCell, RunData]]:
    """Every cell and its run.

    Raises:
        RequestError: one has no finished run.
    """
    for cell in cells(order.study):
        yield cell, read_run(order.folder(cell))


def tidy(order: StudyRequest) -> pd.DataFrame:
    """``cells.csv``: a row of a cell a line, with the settings that vary as columns."""
    tables = []
    for cell, data in read_cells(order):
        table = data.summary.drop(columns="versions")
        varied = {name: value for name, value in cell.varied.items() if name not in ROW}
        tables.append(table.assign(grid=cell.grid, cell=cell.name, **varied))
    every = pd.concat(tables, ignore_index=True)
    first = ["grid", "cell", *ROW]
    return every[first + [name for name in every if name not in first]]


def broken(table: pd.DataFrame) -> list[str]:
    """The rows of ``cells.csv`` that are faults, in words."""
    rows = table[table.status.isin(BROKEN)]
    return [
        f"{row.grid}, {row.cell}: {row.backend} {row.variant}: {row.status}: {row.reason}"
        for row in rows.itertuples()
    ]
