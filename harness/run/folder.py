"""The run folder: written as the run goes on, so that a killed run never looks finished.

``run.json`` says ``running`` until its last writing says ``finished``, ``interrupted`` or
``failed``; ``epochs.csv`` and ``samples.csv`` grow by whole lines; ``summary.csv`` appears at the
end, before ``run.json`` says how it ended.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.experiment import Experiment
from common.files import write_aside, writing
from harness.paths import new_folder
from harness.records.cells import csv_of, guarded
from harness.run.row import Row, summary_table

EPOCH_COLUMNS = "backend variant seed epoch perplexity val_perplexity tokens seconds".split()
SAMPLE_COLUMNS = "backend variant seed epoch prefix text".split()


def default_folder(recipe: str, experiment: Experiment) -> Path:
    """``results/runs/<time>-<recipe>-<hash>``, the hash being of the settings."""
    settings = hashlib.sha256(experiment.model_dump_json().encode()).hexdigest()[:8]
    return new_folder(f"{recipe}-{settings}")


class RunFolder:
    """One run's folder.

    Args:
        path: must not exist yet.
        facts: contents of ``run.json`` beside the status and the times.

    Raises:
        RequestError: the folder exists or cannot be written.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self.facts = path, facts
        if path.exists():
            raise RequestError(f"--out {path}: exists already; name a folder that does not")
        with writing(path):
            path.mkdir(parents=True)
            self.facts |= {"pid": os.getpid(), "started": _now(), "ended": None}
            self.set_status("running")  # first: whatever is killed from here on says what it was
            (path / "logs").mkdir()
            self._start_csv("epochs.csv", EPOCH_COLUMNS)
            self._start_csv("samples.csv", SAMPLE_COLUMNS)

    def set_status(self, status: str) -> None:
        """Rewrite ``run.json`` with a new status."""
        content = json.dumps(self.facts | {"status": status}, indent=2, ensure_ascii=False)
        write_aside(self.path / "run.json", content + "\n")

    def log(self, row: Row) -> Path:
        """Path for the standard error of a row's worker."""
        return self.path / "logs" / f"{row.name}.log"

    def checkpoint(self, row: Row) -> Path:
        """Path for a row's trained weights."""
        return self.path / "checkpoints" / f"{row.name}.safetensors"

    def add_epoch(self, row: Row, event: dict[str, Any]) -> None:
        """Append a line to ``epochs.csv``."""
        self._append("epochs.csv", row, [event[column] for column in EPOCH_COLUMNS[3:]])

    def add_sample(self, row: Row, event: dict[str, Any]) -> None:
        """Append a line to ``samples.csv``."""
        self._append("samples.csv", row, [event[column] for column in SAMPLE_COLUMNS[3:]])

    def finish(self, rows: list[Row], status: str) -> None:
        """Write ``summary.csv``, then say in ``run.json`` how the run ended."""
        summary = csv_of(summary_table(rows))
        write_aside(self.path / "summary.csv", summary)
        self.facts["ended"] = _now()
        self.set_status(status)

    def _start_csv(self, name: str, columns: list[str]) -> None:
        with open(self.path / name, "x", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow(columns)

    def _append(self, name: str, row: Row, values: Iterable[Any]) -> None:
        with open(self.path / name, "a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow([row.backend, row.variant, row.seed, *map(guarded, values)])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
