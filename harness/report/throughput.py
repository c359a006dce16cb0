"""Throughput in training, and the benchmark where a folder holds one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from common.shards import MIXED, mixes
from harness.bench.report import benchmark
from harness.console import figure
from harness.page.blocks import (
    NONE,
    TONES,
    Block,
    Cell,
    Chart,
    Note,
    Section,
    Table,
    between,
    named,
    number,
)
from harness.page.charts import DRAWN, speed
from harness.page.series import Series, records
from harness.report.curves import epoch_throughput
from harness.report.groups import Report, RunGroup, endings, heading


def throughput(report: Report) -> Section:
    """Throughput of every group, then the benchmarks."""
    section = Section("throughput", "Who is fast?", "")
    for group in report.groups:
        table = epoch_throughput(group)
        section.answer = section.answer or _answer(table)
        section.blocks += heading(report, group)
        section.blocks += _training(group, table)
    for number_, bench in enumerate(report.benches, 1):
        section.blocks += benchmark(bench, number_)
    return section


def _answer(table: pd.DataFrame) -> str:
    if table.empty:
        return "Nobody has earned a throughput, so nobody is fast."
    if not mixes(table.device):
        return _fastest(table) + "."
    told = [f"on {device}: {_fastest(mine)}" for device, mine in _by_device(table)]
    return "; ".join([MIXED[0].upper() + MIXED[1:], *told]) + "."


def _fastest(table: pd.DataFrame) -> str:
    best, last = table.iloc[0], table.iloc[-1]
    said = f"{best.title}, with {figure(best.tokens_per_sec, ',.0f')} tokens a second in training"
    if len(table) > 1:
        said += f"; {figure(best.tokens_per_sec / last.tokens_per_sec, '.1f')} times {last.title}"
    return said


def _by_device(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each device; all of them under no name where they are of one kind."""
    if not mixes(table.device):
        return [("", table)]
    groups = table.groupby("device", sort=False)
    return [(str(device), mine.reset_index(drop=True)) for device, mine in groups]


def _training(group: RunGroup, table: pd.DataFrame) -> list[Block]:
    notes: list[Block] = []
    failures = []
    failed = group.summary[group.summary.status != "ok"]
    for series in group.series:
        for status, reason, _ in endings(series.rows(failed)):
            failures.append([named(series), *[NONE] * 5, Cell(status, "bad")])
            notes.append(Note(f"{series.title}: {status}" + f": {reason}" * bool(reason), "bad"))
    parts = _by_device(table)
    blocks: list[Block] = []
    for number_, (device, mine) in enumerate(parts):
        rows = [_training_row(row, mine.tokens_per_sec.max()) for row in records(mine)]
        on = f" on {device}" if device else ""
        grid = _grid(on, rows + failures * (number_ == len(parts) - 1))
        if mine.empty:
            blocks.append(grid)
            continue
        title = f"Tokens a second in training{on}: the median epoch and its 95 % interval"
        name = f"speed-{group.number}" + f"-{number_ + 1}" * bool(device)
        blocks.append(Chart(speed(name, title, mine[DRAWN]), grid))
    if not table.empty:
        notes.append(
            Note(
                "A training run, one backend after the other: good for the order of things. The "
                "command bench times in turns, against the floor of the matrix products."
            )
        )
    return [*blocks, *notes]


def _grid(on: str, rows: list[list[Cell]]) -> Table:
    heads = "backend|tokens/s|95 % interval|of the fastest|over concise|interval|verdict"
    return Table(f"Throughput in training{on}, by the median epoch", heads.split("|"), rows, (0, 6))


def _training_row(row: dict[str, Any], fastest: float) -> list[Cell]:
    own, verdict = row["variant"] == "concise", row["verdict"]
    judged = not own and isinstance(verdict, str)
    return [
        named(Series(row["backend"], row["variant"])),
        number(row["tokens_per_sec"], ",.0f"),
        Cell(f"{figure(row['low'], ',.0f')} to {figure(row['high'], ',.0f')}"),
        number(row["tokens_per_sec"] / fastest, ".2f"),
        NONE if own else number(row["ratio"], ".2f"),
        NONE if own else between(row["ratio_low"], row["ratio_high"]),
        Cell(verdict, TONES.get(verdict, "quiet")) if judged else NONE,
    ]
