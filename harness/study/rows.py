"""Rows of a study: ``cells.csv``, a row of a cell a line, written as they are read.

Nothing here holds all cells at once, so that a study may have very many.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from common.files import write_aside
from harness.checks import select
from harness.records.agreement import ROW
from harness.records.cells import guarded, lines_of, unguarded
from harness.records.schemas import SummaryTable
from harness.records.tables import holds
from harness.study.grid import GridCell, Study, each_cell

Row = dict[str, str]
"""A row by its columns, as it is written."""

MANY = 2000
"""Rows that are written at once."""


def columns(study: Study) -> list[str]:
    """The columns of ``cells.csv``: the row, what became of it, and all settings that vary."""
    first = ["grid", "cell", *ROW]
    varied = [name for grid in study.grid for name in (*grid.ranges, *grid.vary)]
    others = [name for name in SummaryTable.model_fields if name != "versions"]
    return [*dict.fromkeys([*first, *others, *varied])]


def rows_of(study: Study, out: Path, lost: Mapping[str, str]) -> Iterator[Row]:
    """Every row of every cell; those of a cell that was lost say so.

    Args:
        study, out: the study and its folder.
        lost: reasons, by grid and name of the cell.
    """
    pairs = select(study.backends, study.variants)
    for cell in each_cell(study):
        folder = out / cell.grid / cell.name
        seed = str(cell.experiment.seed)
        varied = {name: str(guarded(value)) for name, value in cell.varied.items()}
        named = {"grid": cell.grid, "cell": str(guarded(cell.name))}
        if reason := lost.get(title(cell)):
            ended = {"seed": seed, "status": "lost", "reason": str(guarded(reason))}
            told = [{"backend": name, "variant": variant} | ended for name, variant in pairs]
        else:
            told = summary(folder)
        yield from ({**varied, **row, **named} for row in told)


def title(cell: GridCell) -> str:
    """The name of a cell among all of a study."""
    return f"{cell.grid}, {cell.name}"


def summary(folder: Path) -> list[Row]:
    """The rows of a run's ``summary.csv``, as they are written; none where it has none."""
    if not holds(folder, "summary.csv"):
        return []
    with open(folder / "summary.csv", encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def write_cells(study: Study, out: Path, lost: Mapping[str, str]) -> None:
    """Write ``cells.csv``; whoever looks sees the old one or all of the new one."""
    names = columns(study)
    rows = rows_of(study, out, lost)
    write_aside(out / "cells.csv", _lines(names, rows))


def _lines(names: list[str], rows: Iterable[Row]) -> Iterator[str]:
    cells: list[list[str]] = [names]
    for row in rows:
        cells.append([row.get(name, "") for name in names])
        if len(cells) >= MANY:
            yield lines_of(cells)
            cells = []
    yield lines_of(cells)


def plain(row: Row) -> Row:
    """A row as it was before it was written."""
    return {name: unguarded(value) for name, value in row.items()}
