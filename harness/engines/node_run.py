"""A run on a node: a cell of a study.

If the node ran a part of the very same cell before, and was cut off, it goes on from there.
"""

from __future__ import annotations

import csv
import json
import platform
from pathlib import Path
from typing import Any

from common.files import storing, write_aside
from common.inputs import Inputs, read_inputs
from common.sources import file_name
from harness.checks import check_inputs
from harness.engines.leases import engine_facts, on_cpus, on_gpus, runtime
from harness.engines.request import RunCell
from harness.engines.task import Outcome
from harness.records.facts import write_facts
from harness.records.json_schemas import RunFacts
from harness.records.provenance import host_id
from harness.records.reading import RUN_TABLES, has_finished, record
from harness.records.status import BROKEN
from harness.run.folder import CHECKPOINTS
from harness.run.progress import Silent
from harness.run.train import RunRequest, run


def run_cell(asked: RunCell, text: bytes | None, place: Path) -> Outcome | None:
    """Run a cell, on CPUs and GPUs of its own, into a folder.

    Returns:
        The outcome if it has not come to its end.
    """
    folder = Path(asked.data_dir) if asked.data_dir else None
    if text is not None:
        folder = _laid_down(text, asked)
    inputs = read_inputs(asked.experiment, folder)
    if inputs.prepared.sha256 != asked.corpus:
        reason = f"another text {asked.experiment.corpus} on {platform.node()}"
        return Outcome.ended("refused", reason, host_id())
    check_inputs(inputs, asked.experiment, None)
    request = run_request(asked, inputs, folder, place)
    share = asked.share
    with on_cpus(share.cpus, share.exclusive) as cpus, on_gpus(share.gpus) as gpus:
        if gpus.shared:  # it would compute elsewhere, not slower
            reason = f"fewer GPUs than a cell is to have on {platform.node()}"
            return Outcome.ended("refused", reason, host_id())
        if not has_finished(place):
            result = run(request, Silent())
            if result.status != "finished":
                facts = record(place, "run.json", RunFacts)
                reason = str(facts.get("reason") or result.status)
                return Outcome.ended("lost", reason, host_id())
        _say_where(place, asked, engine_facts(asked, cpus, gpus))
    return None


def run_request(asked: RunCell, inputs: Inputs, data_dir: Path | None, out: Path) -> RunRequest:
    """The request of a run for that of a cell."""
    return RunRequest(
        asked.recipe,
        asked.experiment,
        asked.backends,
        asked.variants,
        data_dir,
        out,
        {name: Path(path) for name, path in asked.pythons.items()},
        inputs=inputs,
        checkpoint_seconds=asked.checkpoint_seconds,
        placement=asked.placement,
    )


def broken_rows(place: Path) -> list[str]:
    """Reasons why rows of a finished run broke: they may not another time, and it is not kept."""
    with open(place / "summary.csv", encoding="utf-8", newline="") as file:
        return [row["reason"] for row in csv.DictReader(file) if row["status"] in BROKEN]


def _say_where(place: Path, asked: RunCell, engine: dict[str, Any]) -> None:
    """Write into a finished run's record who asked for it, and where it ran."""
    facts: dict[str, Any] = json.loads((place / "run.json").read_bytes())
    facts["command"] = [*asked.command]
    facts["sittings"] = [each | {"host": host_id()} for each in facts["sittings"]]
    facts["engine"] = engine
    write_facts(place / "run.json", facts, [*RUN_TABLES, CHECKPOINTS])


def _laid_down(text: bytes, asked: RunCell) -> Path:
    """Folder that holds the text that was sent; it is written once a node."""
    folder = runtime() / "texts" / asked.corpus
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(asked.experiment.corpus)
    if not path.exists():
        write_aside(path, text)
    return folder
