"""Cost: compiling, memory, and the code that somebody has to read."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from harness.console import figure
from harness.page.blocks import Cell, Section, Table, named, number
from harness.page.figure import MOST
from harness.page.rosetta import lines_of_code, source_file
from harness.page.series import records
from harness.page.told import Answer, Bar, Bars
from harness.report.groups import LATELY, RunGroup

FORMS = {
    "peak_memory_mb": ("peak memory, MB", ",.0f"),
    "device_memory_mb": ("of its device, MB", ",.0f"),
    "compile_seconds": ("compiling and warming up, s", ".2f"),
    "train_seconds": ("training, s", ",.1f"),
    "lines": ("lines of code", ",.0f"),
}

FEW = 8
"""Rows of a table that is not folded."""


def answer(group: RunGroup) -> Answer:
    """The answer of the first screen."""
    table = _table(group)
    place = group.place("cost")
    return Answer("Costs?", _answer(table), place, _bars(table), bool(len(_done(table))))


def cost(group: RunGroup) -> Section:
    """Compile time, memory and lines of code of a group's rows."""
    table = _table(group)
    grid = _grid(group, table)
    return Section(group.place("cost"), "What does it cost?", _answer(table), [grid])


@lru_cache(LATELY)
def _table(group: RunGroup) -> pd.DataFrame:
    ok = group.summary[group.summary.status == "ok"]
    rows = []
    for series in group.series:
        mine = series.rows(ok)
        path = source_file(series.backend, series.variant)
        row = {"series": series, "lines": lines_of_code(path) if path else float("nan")}
        for name in ("compile_seconds", "train_seconds", "peak_memory_mb", "device_memory_mb"):
            row[name] = mine[name].median()
        rows.append(row)
    return pd.DataFrame(rows)


def _done(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.peak_memory_mb.notna()]


def _answer(table: pd.DataFrame) -> str:
    done = _done(table)
    if done.empty:
        return "No training came to its end."
    told = [
        f"Memory {_range(done, 'peak_memory_mb', ',.0f', ' MB')}",
        f"compiling {_range(done, 'compile_seconds', '.1f', ' s')}",
    ]
    if done.lines.notna().any():
        told.append(f"code {_range(done, 'lines', ',.0f', ' lines')}")
    return "; ".join(told) + "."


def _range(table: pd.DataFrame, name: str, form: str, unit: str) -> str:
    """The least and the most of a column, and whose they are."""
    rows = records(table[table[name].notna()].sort_values(name))
    low, high = rows[0], rows[-1]
    least, most = (figure(row[name], form) + unit for row in (low, high))
    if len(rows) == 1 or least == most:
        return least
    return f"{least} ({low['series'].title}) to {most} ({high['series'].title})"


def _bars(table: pd.DataFrame) -> Bars | None:
    """Memory of the first form of each framework that has one, with its compiling and its code."""
    done = _done(table)
    if done.empty:
        return None
    first = done.assign(backend=[series.backend for series in done.series])
    rows = [
        Bar(
            row["series"].title,
            row["backend"],
            row["peak_memory_mb"],
            ", ".join(
                [
                    f"{figure(row['peak_memory_mb'], ',.0f')} MB",
                    f"{figure(row['compile_seconds'], '.1f')} s",
                    *([] if pd.isna(row["lines"]) else [f"{row['lines']:.0f} lines"]),
                ]
            ),
        )
        for row in records(first.groupby("backend", sort=False).head(1).head(MOST))
    ]
    ends = "; ".join(f"{row.title} {row.text}" for row in rows)
    return Bars(f"Memory, compiling and code of each framework: {ends}.", rows)


def _grid(group: RunGroup, table: pd.DataFrame) -> Table:
    on_device = table.device_memory_mb.notna().any()
    shown = {name: f for name, f in FORMS.items() if on_device or name != "device_memory_mb"}
    rows = []
    for row in records(table):
        cells = [named(row["series"])]
        for name, (_, form) in shown.items():
            top = table[name].max()
            share = None if pd.isna(row[name]) or not top else float(row[name] / top)
            cells.append(Cell(number(row[name], form).text, share=share))
        rows.append(cells)
    median = ", the median of the seeds" if len(group.seeds) > 1 else ""
    caption = f"Memory, seconds and source of each row{median}"
    heads = ["backend", *(title for title, _ in shown.values())]
    return Table(caption, heads, rows, folded=len(rows) > FEW)
