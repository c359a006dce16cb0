"""Throughput in training, and the benchmark where a folder holds one."""

from __future__ import annotations

from typing import Any

import pandas as pd

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
    best, last = table.iloc[0], table.iloc[-1]
    said = f"{best.title}, with {figure(best.tokens_per_sec, ',.0f')} tokens a second in training"
    if len(table) > 1:
        said += f"; {figure(best.tokens_per_sec / last.tokens_per_sec, '.1f')} times {last.title}"
    return said + "."


def _training(group: RunGroup, table: pd.DataFrame) -> list[Block]:
    blocks: list[Block] = []
    rows = [_training_row(row, table.tokens_per_sec.max()) for row in records(table)]
    failed = group.summary[group.summary.status != "ok"]
    for series in group.series:
        for status, reason, _ in endings(series.rows(failed)):
            cells = [named(series), *[NONE] * 5]
            rows.append([*cells, Cell(status, "bad")])
            blocks.append(Note(f"{series.title}: {status}" + f": {reason}" * bool(reason), "bad"))
    grid = Table(
        "Throughput in training, by the median epoch",
        [
            "backend",
            "tokens/s",
            "95 % interval",
            "of the fastest",
            "over concise",
            "interval",
            "verdict",
        ],
        rows,
        (0, 6),
    )
    if table.empty:
        return [grid, *blocks]
    title = "Tokens a second in training: the median epoch and its 95 % interval"
    figure = speed(f"speed-{group.number}", title, table[DRAWN])
    return [
        Chart(figure, grid),
        *blocks,
        Note(
            "A training run, one backend after the other: good for the order of things. The "
            "command bench times in turns, against the floor of the matrix products."
        ),
    ]


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
