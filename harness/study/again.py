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

from common.files import write_aside
from harness.records.facts import write_facts
from harness.records.status import Status
from harness.run.progress import Silent
from harness.run.train import RunRequest, run

Pair = tuple[str, str]
"""A backend and a variant."""


def run_again(request: RunRequest, folder: Path, pairs: Sequence[Pair]) -> list[Status] | None:
    """Run some rows of a finished run again, each in a run of its own, and replace them.

    Args:
        request: the request of the whole run.
        folder: the folder of the run.
        pairs: the rows.

    Returns:
        The new status of every row; None after Ctrl-C, which leaves the folder as it was.
    """
    old, merged, alone = (_beside(folder, name) for name in ("old", "merged", "alone"))
    shutil.copytree(folder, merged)
    statuses: list[Status] = []
    try:
        for backend, variant in pairs:
            of_row = replace(request, backends=(backend,), variants=(variant,), out=alone)
            result = run(of_row, Silent())
            if result.status == "interrupted":
                return None
            statuses += [row.status for row in result.rows]
            take_row(alone, merged, (backend, variant))
            shutil.rmtree(alone)
        os.replace(folder, old)
        os.replace(merged, folder)
        return statuses
    finally:
        sweep(folder)


def sweep(folder: Path) -> None:
    """Remove what was left beside a folder; a folder that was about to change places is put back.

    Between its two renamings the old run is the only whole one by a name that is known.
    """
    if not folder.exists() and _beside(folder, "old").exists():
        os.replace(_beside(folder, "old"), folder)
    for name in ("old", "merged", "alone"):
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
    for name in ("logs", "checkpoints"):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
    old, new = (
        json.loads((folder / "run.json").read_text(encoding="utf-8")) for folder in (target, source)
    )
    old["backends"] |= new["backends"]
    write_facts(target / "run.json", old | {"ended": new["ended"]})
