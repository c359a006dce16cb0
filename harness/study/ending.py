"""The end of a study: its table, and what its record says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from harness.records.agreement import ROW
from harness.records.reading import has_finished
from harness.records.status import BROKEN
from harness.study.grid import each_cell
from harness.study.rows import columns, plain, rows_of, title, write_cells
from harness.study.run import StudyRequest, read_cells, study_record


def finish(order: StudyRequest, reason: str) -> str:
    """Write ``cells.csv``, and say in ``study.json`` that the study is finished, or why not.

    Where nothing was run, a study that was finished stays as its machine left it.

    Args:
        order: the study, whose cells are all done.
        reason: of the failure of its report; empty if that was written.

    Returns:
        Reason why it is not finished, which may be a run that failed; empty if it is.
    """
    if not reason and _told(order.out).get("status") == "finished":
        return reason
    lost = lost_cells(order.out)
    for cell in each_cell(order.study):
        if has_finished(order.folder(cell)):
            lost.pop(title(cell), None)
        elif title(cell) not in lost:
            reason = f"{order.folder(cell)}: its run failed"
    if lost:
        reason = told_of(lost)
    write_cells(order.study, order.out, lost)
    ending = study_record(order, lost)
    if reason:
        ending.facts["reason"] = reason
    ending.write("failed" if reason else "finished", ["cells.csv"])
    return reason


def lost_cells(out: Path) -> dict[str, str]:
    """Why cells of a study were lost, by their titles, as its record says."""
    lost = _told(out).get("lost")
    return {str(n): str(why) for n, why in lost.items()} if isinstance(lost, dict) else {}


def _told(out: Path) -> dict[str, Any]:
    """The record of a study; nothing where it is damaged, for the cells' own say what is done."""
    try:
        found = json.loads((out / "study.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def told_of(lost: Mapping[str, str]) -> str:
    """Sentence on cells that were lost."""
    name, reason = next(iter(lost.items()))
    return f"{len(lost)} cells lost, the first of them {name}: {reason}"


def tidy(order: StudyRequest) -> pd.DataFrame:
    """``cells.csv`` of a study whose cells are all finished, its numbers as numbers."""
    tables = []
    for cell, data in read_cells(order):
        varied = {name: value for name, value in cell.varied.items() if name not in ROW}
        tables.append(data.summary.assign(grid=cell.grid, cell=cell.name, **varied))
    return pd.concat(tables, ignore_index=True)[columns(order.study)]


def broken(order: StudyRequest) -> list[str]:
    """The rows of a study that are faults, in words; a cell that was lost is none of its own."""
    rows = map(plain, rows_of(order.study, order.out, lost_cells(order.out)))
    return [
        f"{row['grid']}, {row['cell']}: {row['backend']} {row['variant']}: {row['status']}: "
        f"{row['reason']}"
        for row in rows
        if row["status"] in BROKEN
    ]
