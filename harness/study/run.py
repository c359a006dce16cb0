"""Running a study: a run folder a cell; what is finished is never run again.

``study.json`` says ``running`` until all cells are done. When the study is started again, a cell
whose run was killed, interrupted or failed as a whole is run again, and so is a row that broke, or
whose backend has been installed since; a divergence, say, is a result and stays.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from common.errors import RequestError
from common.files import write_aside, writing
from common.inputs import read_inputs
from common.variants import unsupported
from harness.checks import check_inputs, select, told_whose
from harness.records.agreement import ROW
from harness.records.cells import csv_of
from harness.records.facts import Record
from harness.records.provenance import provenance
from harness.records.reading import RunData, holds, read_run
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from harness.study.again import Pair, run_again, sweep
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
    """

    study: Study
    out: Path
    data_dir: Path | None
    pythons: dict[str, Path]

    def folder(self, cell: GridCell) -> Path:
        """The run folder of a cell."""
        return self.out / cell.grid / cell.name


def run_study(order: StudyRequest, tell: Callable[[str], None]) -> bool:
    """Run every cell that is not finished.

    Args:
        order: the study, its folder and its interpreters.
        tell: is told a line at every cell.

    Returns:
        Whether all cells were done; False after Ctrl-C.

    Raises:
        RequestError: a cell cannot be run, or its folder holds something else; nothing was run.
    """
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
    record = Record(
        order.out / "study.json", {"study": order.study.model_dump(mode="json"), **provenance()}
    )
    with writing(order.out):
        order.out.mkdir(parents=True, exist_ok=True)
        if not all(is_finished(order, cell) and not to_run_again(order, cell) for cell in every):
            record.write("running")
    for number, cell in enumerate(every, 1):
        where = f"{number} of {len(every)}: {cell.grid}, {cell.name}"
        if is_finished(order, cell):
            reasons = to_run_again(order, cell)
            if not reasons:
                tell(f"{where}: done before")
                continue
            why = "; ".join(f"{' '.join(pair)} was {old}" for pair, old in reasons.items())
            statuses = run_again(_request(order, cell), order.folder(cell), [*reasons])
            if statuses is None:
                return False
            tell(f"{where}: again, for {why}: now {', '.join(statuses)}")
            continue
        shutil.rmtree(order.folder(cell), ignore_errors=True)
        start = time.monotonic()
        result = run(_request(order, cell), Silent())
        if result.status == "interrupted":
            return False
        ended = ", ".join(f"{row.backend} {row.variant} {row.status}" for row in result.rows)
        tell(f"{where}: {time.monotonic() - start:.0f} s: {ended}")
    write_aside(order.out / "cells.csv", csv_of(tidy(order)))
    record.write("finished")
    return True


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
    )


def is_finished(order: StudyRequest, cell: GridCell) -> bool:
    """True if a cell's folder holds its finished run.

    Raises:
        RequestError: the folder holds a run of something else, one still going on, or no run.
    """
    folder = order.folder(cell)
    if not folder.exists() or all(path.name.startswith(".") for path in folder.iterdir()):
        return False  # not begun, or killed before its first file was whole
    if not holds(folder, "run.json"):
        raise RequestError(f"{folder}: exists and is no run folder: move it, or give another --out")
    facts = _facts(folder)
    if facts.get("experiment") != cell.experiment.model_dump(mode="json"):
        raise RequestError(
            f"{folder}: holds a run of other settings: was the study edited? give another --out"
        )
    if facts.get("status") == "running":
        _see_that_it_was_killed(folder, facts)
    if facts.get("status") != "finished":
        return False
    found = read_run(folder).summary
    asked = select(order.study.backends, order.study.variants)
    if {*asked} != {*zip(found.backend, found.variant, strict=True)}:
        raise RequestError(
            f"{folder}: holds a run of other backends or variants: give another --out"
        )
    return True


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


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RequestError(f"{folder / 'run.json'}: cannot be read: {error}") from error
    return facts if isinstance(facts, dict) else {}


def _see_that_it_was_killed(folder: Path, facts: dict[str, Any]) -> None:
    """A run that says it is running, and whose process lives, is left alone.

    Raises:
        RequestError: the process lives.
    """
    try:
        alive = "harness" in " ".join(psutil.Process(facts.get("pid", -1)).cmdline())
    except (psutil.Error, TypeError, ValueError):
        return
    if alive:
        raise RequestError(f"{folder}: process {facts['pid']} is running it now: wait for it")


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
