"""The run folder: written as the run goes on, so that a killed run never looks finished.

``run.json`` says ``running`` until its last writing says ``finished``, ``interrupted`` or
``failed``; ``epochs.csv`` and ``samples.csv`` grow by whole lines; ``summary.csv`` is written anew
whenever a row has ended. ``finished`` is said of what was read back whole; the SHA-256 of every
table and of every checkpoint then stands beside it.

A folder that is not finished is gone on with, see `harness.run.going_on`. Each time that somebody
sits down to it is a sitting, and ``run.json`` lists them.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.experiment import Experiment
from common.files import append, flush_to_disk, write_aside, writing
from common.shards import rank, world_size
from harness.console import note
from harness.lock import begun
from harness.paths import new_folder
from harness.records.cells import csv_of, guarded, lines_of
from harness.records.facts import Record
from harness.records.reading import RUN_TABLES, check_whole
from harness.records.schemas import EpochTable, SampleTable
from harness.records.tables import holds
from harness.run.checkpoints import OnTheWay, final
from harness.run.going_on import clear_up, take_up
from harness.run.row import Row, summary_table
from harness.workers.protocol import EpochDone, Sample, Saved

CHECKPOINTS = "checkpoints/*.safetensors"
"""Pattern of the checkpoints that ``run.json`` vouches for, beside the tables."""

EPOCH_COLUMNS, SAMPLE_COLUMNS = list(EpochTable.model_fields), list(SampleTable.model_fields)


def default_folder(recipe: str, experiment: Experiment) -> Path:
    """``runs/<time>-<recipe>-<hash>``, the hash being of the settings."""
    settings = hashlib.sha256(experiment.model_dump_json().encode()).hexdigest()[:8]
    started_together = f"-rank{rank()}" if world_size() > 1 else ""
    return new_folder(f"{recipe}-{settings}{started_together}")


class RunFolder:
    """One run's folder, whose lock is held.

    Args:
        path: holds no run, or one of the same request that is not finished.
        facts: contents of ``run.json`` beside the status and the times.
        rows: of the run; what an earlier sitting left is taken into them.

    Attributes:
        goes_on: checkpoint to go on from, of a row that was cut off, by the row's name.

    Raises:
        RequestError: the folder holds something else, or cannot be written.
    """

    def __init__(self, path: Path, facts: dict[str, Any], rows: list[Row]) -> None:
        self.path, self.rows = path, rows
        self.goes_on: dict[str, Path] = {}
        self.record = Record(path / "run.json", facts | {"started": _now(), "sittings": []})
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            if holds(path, "run.json"):
                self.record.facts, self.goes_on = take_up(path, facts, rows)
            elif begun(path):
                raise RequestError(
                    f"--out {path}: exists already and holds no run; name a folder that does not"
                )
            self._sit_down(facts)
            self.record.write("running")  # first: what is killed from here on says what it was
            clear_up(path, rows)
            for name in ("logs", "checkpoints"):
                (path / name).mkdir(exist_ok=True)
            for name, columns in (("epochs.csv", EPOCH_COLUMNS), ("samples.csv", SAMPLE_COLUMNS)):
                if not holds(path, name):
                    write_aside(path / name, lines_of([columns]))

    def _sit_down(self, facts: dict[str, Any]) -> None:
        """Begin a sitting; say if the source is another than it was."""
        kept = self.record.facts
        for name in ("files", "reason"):
            kept.pop(name, None)
        kept["ended"] = None
        sitting = {
            "started": _now(),
            "ended": None,
            "host": platform.node(),
            "pid": os.getpid(),
            "source": facts["source"]["sha256"],
            "versions": dict(facts["versions"]),
        }
        before = kept["sittings"][-1]["source"] if kept["sittings"] else sitting["source"]
        if before != sitting["source"]:
            note(
                f"{self.path}: the source has changed since its run was begun, from "
                f"{before[:12]} to {sitting['source'][:12]}; run.json says so"
            )
        kept["sittings"].append(sitting)

    def describe(self, backend: str, description: dict[str, Any]) -> None:
        """Take a backend's description into ``run.json``; say if it is another than it was."""
        told = self.record.facts["backends"]
        before, versions = told.get(backend, {}).get("versions"), description["versions"]
        if before not in (None, versions):
            note(f"{self.path}: {backend} has other versions than before: {before}, now {versions}")
        told[backend] = description
        self.record.facts["sittings"][-1]["versions"][backend] = versions

    def log(self, row: Row) -> Path:
        """Path for the standard error of a row's worker."""
        return self.path / "logs" / f"{row.name}.log"

    def checkpoint(self, row: Row) -> Path:
        """Path for a row's trained weights."""
        return final(self.path, row.name)

    def add_epoch(self, row: Row, event: EpochDone) -> None:
        """Append a line to ``epochs.csv``."""
        self._append("epochs.csv", row, [getattr(event, column) for column in EPOCH_COLUMNS[3:]])

    def add_sample(self, row: Row, event: Sample) -> None:
        """Append a line to ``samples.csv``."""
        self._append("samples.csv", row, [getattr(event, column) for column in SAMPLE_COLUMNS[3:]])

    def keep_checkpoint(self, row: Row, event: Saved) -> None:
        """Let a checkpoint on the way count, now that the tables hold what came before it."""
        for name in ("epochs.csv", "samples.csv"):
            flush_to_disk(self.path / name)
        OnTheWay(self.checkpoint(row)).keep((event.epochs, event.steps))

    def end_row(self, row: Row) -> None:
        """Write ``summary.csv``; a result does without its checkpoints on the way."""
        self._write_summary()
        on_the_way = OnTheWay(self.checkpoint(row))
        if row.settled:
            on_the_way.remove()
        else:
            on_the_way.remove_written()

    def finish(self, status: str, reason: str = "") -> str:
        """Read back what was written, and say in ``run.json`` how the run ended.

        Args:
            status: of the run.
            reason: one line, where it is not ``finished``.

        Returns:
            The status, which is ``failed`` where a file is not as it was written.
        """
        facts = self.record.facts
        for row in self.rows:
            OnTheWay(self.checkpoint(row)).remove_written()
        self._write_summary()
        try:
            if status == "finished":
                check_whole(self.path, [self.checkpoint(row) for row in self.rows if row.ok])
        except RequestError as error:
            status, reason = "failed", str(error)
        if reason:
            facts["reason"] = reason
        facts["ended"] = facts["sittings"][-1]["ended"] = _now()
        self.record.write(status, [*RUN_TABLES, CHECKPOINTS])
        return status

    def _write_summary(self) -> None:
        ended = [row for row in self.rows if row.status not in ("waiting", "running")]
        write_aside(self.path / "summary.csv", csv_of(summary_table(ended)))

    def _append(self, name: str, row: Row, values: Iterable[Any]) -> None:
        cells = [row.backend, row.variant, row.seed, *map(guarded, values)]
        append(self.path / name, lines_of([cells]))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
