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
from harness.paths import beside
from harness.records.facts import write_facts
from harness.records.json_schemas import RunFacts
from harness.records.reading import RUN_TABLES, has_finished, read_run, record
from harness.records.status import Status
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
    request = replace(request, placement=placement_of(folder))
    for pair in pairs:
        alone = alone_of(folder, pair)
        of_row = replace(request, backends=pair[:1], variants=pair[1:], out=alone)
        if not has_finished(alone) and run(of_row, Silent()).status == "interrupted":
            return None
    return replace_rows(folder, pairs)


def replace_rows(folder: Path, pairs: Sequence[Pair]) -> list[Status]:
    """Replace rows of a finished run by those that were run alone, beside it.

    Returns:
        The new status of every row.
    """
    merged = beside(folder, "merged")
    with storing(folder):
        shutil.copytree(folder, merged)
    statuses: list[Status] = []
    try:
        for pair in pairs:
            statuses += read_run(alone_of(folder, pair)).summary.status.tolist()
            take_row(alone_of(folder, pair), merged, pair)
        take_place(merged, folder)
    finally:
        sweep(folder)
    for pair in pairs:
        shutil.rmtree(alone_of(folder, pair), ignore_errors=True)
    return statuses


def gather_rows(folder: Path, pairs: Sequence[Pair]) -> None:
    """Make the run folder of a cell each of whose rows was run alone, beside it."""
    merged = beside(folder, "merged")
    with storing(folder):
        shutil.rmtree(merged, ignore_errors=True)
        shutil.copytree(alone_of(folder, pairs[0]), merged)
    for pair in pairs[1:]:
        take_row(alone_of(folder, pair), merged, pair)
    facts = json.loads((merged / "run.json").read_text(encoding="utf-8"))
    facts["rows"] = [[*pair] for pair in pairs]
    write_facts(merged / "run.json", facts, [*RUN_TABLES, CHECKPOINTS])
    take_place(merged, folder)
    sweep(folder)
    forget(folder)


def take_place(merged: Path, folder: Path) -> None:
    """Let a folder that is whole take the place of one that may be there."""
    with storing(folder):
        if folder.exists():
            os.replace(folder, beside(folder, "old"))
        os.replace(merged, folder)


def placement_of(folder: Path) -> Placement | None:
    """The placement of a run, if it was recorded."""
    before = record(folder, "run.json", RunFacts).get("placement")
    return Placement.recorded(before) if before else None


def alone_of(folder: Path, pair: Pair) -> Path:
    """The run folder of a row that is run again, beside that of its run."""
    return beside(folder, f"alone-{'-'.join(pair)}")


def forget(folder: Path) -> None:
    """Remove the runs of single rows beside a folder: their results stand in it by now."""
    for path in folder.parent.glob(f"{beside(folder, 'alone-').name}*"):
        shutil.rmtree(path, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what was left beside a folder; a folder that was about to change places is put back.

    Between its two renamings the old run is the only whole one by a name that is known.
    """
    if not folder.exists() and beside(folder, "old").exists():
        os.replace(beside(folder, "old"), folder)
    for name in ("old", "merged"):
        shutil.rmtree(beside(folder, name), ignore_errors=True)


def table_of(folder: Path, name: str = "summary.csv") -> pd.DataFrame:
    """A table of a run as it is written, every cell a text."""
    return pd.read_csv(folder / name, dtype=str, keep_default_na=False)


def take_row(source: Path, target: Path, pair: Pair) -> None:
    """Replace a row of one run folder by that of another, in every table and file."""
    for name in ("epochs.csv", "samples.csv", "summary.csv"):
        old, new = (table_of(folder, name) for folder in (target, source))
        others = old[(old.backend != pair[0]) | (old.variant != pair[1])]
        table = pd.concat([others, new], ignore_index=True)
        if name == "summary.csv":
            speed = pd.to_numeric(table.tokens_per_sec)
            table = table.loc[speed.sort_values(ascending=False, kind="stable").index]
        write_aside(target / name, table.to_csv(index=False, lineterminator="\r\n"))
    summary = table_of(source)
    for row in summary.itertuples():
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
    there = dict.fromkeys(filter(None, summary.machine), new["machine"])
    old["machines"] = old.get("machines", {}) | there
    write_facts(target / "run.json", old | {"ended": new["ended"]}, [*RUN_TABLES, CHECKPOINTS])
