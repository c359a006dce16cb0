"""Filing of what an engine gives back: checked aside, then it takes its place.

The first to come stays. Rows that were run apart wait beside the folder of their cell until all of
them are there.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from common.errors import RequestError
from harness.engines.archive import unpack_run
from harness.engines.request import RunCell
from harness.engines.store import Store
from harness.engines.task import Outcome, Task
from harness.lock import locked
from harness.paths import beside
from harness.records.reading import has_finished
from harness.study.again import Pair, alone_of, gather_rows, replace_rows, take_place
from harness.study.rows import Row, summary


@dataclass(frozen=True)
class Filed:
    """End of a task: the line that is told, where it ran, and the reason if it was lost."""

    task: Task
    told: str
    machine: str = ""
    lost: str = ""


class Filing:
    """Filing; many threads may file at once.

    Args:
        pairs: backends and variants of every cell.
        store: keeps finished cells; or None.
    """

    def __init__(self, pairs: list[Pair], store: Store | None) -> None:
        self.pairs, self.store = pairs, store
        self.one_by_one = threading.Lock()  # rows of one cell

    def filed(self, task: Task, outcome: Outcome, how: str) -> Filed:
        """File an outcome: its archive takes its place, unless a finished run is there.

        Args:
            task, outcome: what is filed.
            how: it was had, in words.
        """
        header, name = outcome.header, task.request.name
        if header.ending != "done":
            if task.row and has_finished(task.folder):  # the old row stays, and so does its cell
                stays = f"{name}: {' '.join(task.row)} stays: {header.reason}"
                return Filed(task, stays, header.host)
            ending = "failed" if header.ending == "failed" else "lost"
            told = f"{name}: {ending}: {header.reason}"
            return Filed(task, told, header.host, header.reason)
        if header.stored and self.store:
            outcome = self.store.get(task.request.key) or outcome
        try:
            ended = self.put(task, outcome.archive)
        except RequestError as error:
            return Filed(task, f"{name}: lost: {error}", header.host, str(error))
        return Filed(task, f"{name}: {how}: {ended}", header.host)

    def put(self, task: Task, archive: bytes) -> str:
        """Put a run folder, or a row of one, into its place; how its rows ended, in words."""
        assert isinstance(task.request, RunCell)
        experiment = task.request.experiment.model_dump(mode="json")
        aside = beside(task.folder, "merged")
        with self.one_by_one if task.row else nullcontext():
            shutil.rmtree(aside, ignore_errors=True)
            unpack_run(archive, aside, experiment)
            if task.row:
                alone = alone_of(task.folder, task.row)
                shutil.rmtree(alone, ignore_errors=True)
                take_place(aside, alone)
                if has_finished(task.folder):
                    return f"again: {', '.join(replace_rows(task.folder, [task.row]))}"
                return self.gathered(task.folder, task.row)
        if not task.folder.exists():
            take_place(aside, task.folder)
        elif has_finished(task.folder):
            shutil.rmtree(aside)
        else:
            with locked(task.folder):
                take_place(aside, task.folder)
            shutil.rmtree(beside(task.folder, "old"), ignore_errors=True)
        return told_of(summary(task.folder))

    def gathered(self, folder: Path, row: Pair) -> str:
        """Take a row that was run apart: the last one makes its cell's folder; say how it ended."""
        said = told_of(summary(alone_of(folder, row)))
        if all(has_finished(alone_of(folder, pair)) for pair in self.pairs):
            gather_rows(folder, self.pairs)
        return said


def told_of(rows: Iterable[Row]) -> str:
    """Endings of rows, in words."""
    return ", ".join(f"{row['backend']} {row['variant']} {row['status']}" for row in rows)
