"""Rows of a finished run, run again: what broke is replaced, what did not stays as it is.

The folder is copied, the new rows are put into the copy, and the copy takes the folder's place: it
holds the old run until the new rows are all there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from common.files import storing, write_aside
from harness.records.facts import write_facts
from harness.records.json_schemas import RunFacts
from harness.records.reading import RUN_TABLES, read_run, record
from harness.records.status import Status
from harness.records.tables import holds
from harness.run.checkpoints import OnTheWay
from harness.run.folder import CHECKPOINTS
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from harness.workers.placement import Placement

Pair = tuple[str, str]
"""A backend and a variant."""


def run_again(request: RunRequest, folder: Path, pairs: Sequence[Pair]) -> list[Status] | None:
    """Run some rows of a finished run again, each in a run of its own, and replace them.

    A run of a row that was cut off goes on when this is asked again.

    Args:
        request: the request of the whole run.
        folder: the folder of the run.
        pairs: the rows.

    Returns:
        The new status of every row; None after Ctrl-C, which leaves the folder as it was.
    """
    old, merged = (_beside(folder, name) for name in ("old", "merged"))
    before = record(folder, "run.json", RunFacts).get("placement")
    request = replace(
        request, placement=Placement(before["device"], before["reason"]) if before else None
    )
    with storing(folder):
        shutil.copytree(folder, merged)
    statuses: list[Status] = []
    try:
        for pair in pairs:
            alone = _beside(folder, f"alone-{'-'.join(pair)}")
            of_row = replace(request, backends=pair[:1], variants=pair[1:], out=alone)
            if not _is_finished(alone) and run(of_row, Silent()).status == "interrupted":
                return None
            statuses += read_run(alone).summary.status.tolist()
            take_row(alone, merged, pair)
        with storing(folder):
            os.replace(folder, old)
            os.replace(merged, folder)
        forget(folder)
        return statuses
    finally:
        sweep(folder)


def _is_finished(alone: Path) -> bool:
    return holds(alone, "run.json") and record(alone, "run.json", RunFacts)["status"] == "finished"


def forget(folder: Path) -> None:
    """Remove the runs of single rows beside a folder: their results stand in it by now."""
    for path in folder.parent.glob(f"{_beside(folder, 'alone-').name}*"):
        shutil.rmtree(path, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what was left beside a folder; a folder that was about to change places is put back.

    Between its two renamings the old run is the only whole one by a name that is known.
    """
    if not folder.exists() and _beside(folder, "old").exists():
        os.replace(_beside(folder, "old"), folder)
    for name in ("old", "merged"):
        shutil.rmtree(_beside(folder, name), ignore_errors=True)


def _beside(folder: Path, name: str) -> Path:
    return folder.with_name(f".{folder.name}.{name}")


def take_row(source: Path, target: Path, pair: Pair) -> None:
    """Replace a row of one run folder by that of another, in every table and file."""
    for name in ("epochs.csv", "samples.csv", "summary.csv"):
        old, new = (
            pd.read_csv(folder / name, dtype=str, keep_default_na=False)
            for folder in (target, source)
        )
        others = old[(old.backend != pair[0]) | (old.variant != pair[1])]
        table = pd.concat([others, new], ignore_index=True)
        if name == "summary.csv":
            speed = pd.to_numeric(table.tokens_per_sec)
            table = table.loc[speed.sort_values(ascending=False, kind="stable").index]
        write_aside(target / name, table.to_csv(index=False, lineterminator="\r\n"))
    for row in new.itertuples():  # of the summary, which came last
        OnTheWay(
            target / "checkpoints" / f"{row.backend}-{row.variant}-{row.seed}.safetensors"
        ).remove()
    for name in ("logs", "checkpoints"):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
    old, new = (
        json.loads((folder / "run.json").read_text(encoding="utf-8")) for folder in (target, source)
    )
    for name in ("backends", "gpus"):
        old[name] = old.get(name, {}) | new.get(name, {})
    write_facts(target / "run.json", old | {"ended": new["ended"]}, [*RUN_TABLES, CHECKPOINTS])
