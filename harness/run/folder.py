"""The run folder: written as the run goes on, so that a killed run never looks finished.

``run.json`` says ``running`` until its last writing says ``finished``, ``interrupted`` or
``failed``; ``epochs.csv`` and ``samples.csv`` grow by whole lines; ``summary.csv`` appears at the
end, before ``run.json`` says how it ended.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.experiment import Experiment
from common.files import write_aside, writing
from common.shards import rank, world_size
from harness.paths import new_folder
from harness.records.cells import csv_of, guarded
from harness.records.facts import Record
from harness.records.schemas import EpochTable, SampleTable
from harness.run.row import Row, summary_table
from harness.workers.protocol import EpochDone, Sample

EPOCH_COLUMNS, SAMPLE_COLUMNS = list(EpochTable.model_fields), list(SampleTable.model_fields)


def default_folder(recipe: str, experiment: Experiment) -> Path:
    """``results/runs/<time>-<recipe>-<hash>``, the hash being of the settings."""
    settings = hashlib.sha256(experiment.model_dump_json().encode()).hexdigest()[:8]
    started_together = f"-rank{rank()}" if world_size() > 1 else ""
    return new_folder(f"{recipe}-{settings}{started_together}")


class RunFolder:
    """One run's folder.

    Args:
        path: must not exist yet.
        facts: contents of ``run.json`` beside the status and the times.

    Raises:
        RequestError: the folder exists or cannot be written.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path = path
        if path.exists():
            raise RequestError(f"--out {path}: exists already; name a folder that does not")
        with writing(path):
            path.mkdir(parents=True)
            times = {"pid": os.getpid(), "started": _now(), "ended": None}
            self.record = Record(path / "run.json", facts | times)
            self.record.write("running")  # first: what is killed from here on says what it was
            (path / "logs").mkdir()
            self._start_csv("epochs.csv", EPOCH_COLUMNS)
            self._start_csv("samples.csv", SAMPLE_COLUMNS)

    def log(self, row: Row) -> Path:
        """Path for the standard error of a row's worker."""
        return self.path / "logs" / f"{row.name}.log"

    def checkpoint(self, row: Row) -> Path:
        """Path for a row's trained weights."""
        return self.path / "checkpoints" / f"{row.name}.safetensors"

    def add_epoch(self, row: Row, event: EpochDone) -> None:
        """Append a line to ``epochs.csv``."""
        self._append("epochs.csv", row, [getattr(event, column) for column in EPOCH_COLUMNS[3:]])

    def add_sample(self, row: Row, event: Sample) -> None:
        """Append a line to ``samples.csv``."""
        self._append("samples.csv", row, [getattr(event, column) for column in SAMPLE_COLUMNS[3:]])

    def finish(self, rows: list[Row], status: str) -> None:
        """Write ``summary.csv``, then say in ``run.json`` how the run ended."""
        summary = csv_of(summary_table(rows))
        write_aside(self.path / "summary.csv", summary)
        self.record.facts["ended"] = _now()
        self.record.write(status)

    def _start_csv(self, name: str, columns: list[str]) -> None:
        with open(self.path / name, "x", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow(columns)

    def _append(self, name: str, row: Row, values: Iterable[Any]) -> None:
        with open(self.path / name, "a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow([row.backend, row.variant, row.seed, *map(guarded, values)])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
