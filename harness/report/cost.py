"""Cost: compiling, memory, and the code that somebody has to read."""

from __future__ import annotations

import pandas as pd

from harness.console import figure
from harness.page.blocks import Cell, Section, Table, named, number
from harness.page.rosetta import lines_of_code, source_file
from harness.page.series import records
from harness.report.groups import Report, RunGroup, heading


def cost(report: Report) -> Section:
    """Compile time, memory and lines of code of every group's rows."""
    section = Section("cost", "What does it cost?", "")
    for group in report.groups:
        table = _table(group)
        section.answer = section.answer or _answer(table)
        section.blocks += heading(report, group)
        section.blocks.append(_grid(group, table))
    return section


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


def _answer(table: pd.DataFrame) -> str:
    done = table[table.peak_memory_mb.notna()]
    if done.empty:
        return "No training came to its end."
    by_memory = records(done.sort_values("peak_memory_mb"))
    light, heavy = by_memory[0], by_memory[-1]
    slow = records(done.sort_values("compile_seconds"))[-1]
    seconds = figure(slow["compile_seconds"], ".1f")
    said = f"{slow['series'].title} compiles for {seconds} s before its first step"
    if len(done) > 1:
        said += (
            f"; memory goes from {figure(light['peak_memory_mb'], ',.0f')} MB "
            f"({light['series'].title}) to "
            f"{figure(heavy['peak_memory_mb'], ',.0f')} MB ({heavy['series'].title})"
        )
    return said + "."


def _grid(group: RunGroup, table: pd.DataFrame) -> Table:
    forms = {
        "compile_seconds": ("compiling and warming up, s", ".2f"),
        "train_seconds": ("training, s", ",.1f"),
        "peak_memory_mb": ("peak memory, MB", ",.0f"),
        "device_memory_mb": ("of its device, MB", ",.0f"),
        "lines": ("lines of code", ",.0f"),
    }
    if table.device_memory_mb.isna().all():
        del forms["device_memory_mb"]
    rows = []
    for row in records(table):
        cells = [named(row["series"])]
        for name, (_, form) in forms.items():
            top = table[name].max()
            share = None if pd.isna(row[name]) or not top else float(row[name] / top)
            cells.append(Cell(number(row[name], form).text, share=share))
        rows.append(cells)
    median = ", the median of the seeds" if len(group.seeds) > 1 else ""
    caption = f"Seconds, memory and source of each row{median}"
    return Table(caption, ["backend", *(title for title, _ in forms.values())], rows)
