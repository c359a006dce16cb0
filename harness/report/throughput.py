"""Throughput in training; a benchmark has a section of its own."""

from __future__ import annotations

from typing import Any

import pandas as pd

from common.shards import MIXED, mixes
from harness.page.blocks import (
    NONE,
    TONES,
    Block,
    Cell,
    Chart,
    Note,
    Section,
    Table,
    Tone,
    between,
    named,
    number,
)
from harness.page.charts import DRAWN, speed
from harness.page.series import Series, records
from harness.page.speeds import fast, fastest
from harness.page.told import Answer
from harness.report.curves import epoch_throughput
from harness.report.groups import RunGroup, endings

NO_BENCHMARK = (
    "A training run, one backend after the other: good for the order of things. The "
    "command bench times in turns, against the floor of the matrix products."
)


def answer(group: RunGroup) -> Answer:
    """The answer of the first screen where no folder holds a benchmark."""
    table = epoch_throughput(group)
    if table.empty:
        return Answer("Fast?", _answer(table), group.place("throughput"), good=False)
    told = f"{_answer(table)} A training run, not a benchmark."
    chart = None if mixes(table.device) else fast(table)
    return Answer("Fast?", told, group.place("throughput"), chart)


def throughput(group: RunGroup) -> Section:
    """Throughput of a group."""
    table = epoch_throughput(group)
    section = Section(group.place("throughput"), "Who is fast?", _answer(table))
    section.blocks = _training(group, table)
    return section


def _answer(table: pd.DataFrame) -> str:
    if table.empty:
        return "Nobody has earned a throughput, so nobody is fast."
    if not mixes(table.device):
        return fastest(table) + "."
    told = [f"on {device}: {fastest(mine)}" for device, mine in _by_device(table)]
    return "; ".join([MIXED[0].upper() + MIXED[1:], *told]) + "."


def _by_device(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each device; all of them under no name where they are of one kind."""
    if not mixes(table.device):
        return [("", table)]
    groups = table.groupby("device", sort=False)
    return [(str(device), mine.reset_index(drop=True)) for device, mine in groups]


def _training(group: RunGroup, table: pd.DataFrame) -> list[Block]:
    failures = []
    failed = group.summary[group.summary.status != "ok"]
    for series in group.series:
        for status, _, _ in endings(series.rows(failed)):
            tone: Tone = "quiet" if status == "unavailable" else "bad"
            failures.append([named(series), *[NONE] * 2, Cell(status, tone), *[NONE] * 3])
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
    return [*blocks, *([] if table.empty else [Note(NO_BENCHMARK)])]


HEADS = "backend|tokens/s|95 % interval|verdict|of the fastest|over concise|interval"


def _grid(on: str, rows: list[list[Cell]]) -> Table:
    caption = f"Throughput in training{on}, by the median epoch; the verdict is on concise"
    return Table(caption, HEADS.split("|"), rows, (0, 3))


def _training_row(row: dict[str, Any], fastest: float) -> list[Cell]:
    own, verdict = row["variant"] == "concise", row["verdict"]
    judged = not own and isinstance(verdict, str)
    return [
        named(Series(row["backend"], row["variant"])),
        number(row["tokens_per_sec"], ",.0f"),
        between(row["low"], row["high"], ",.0f"),
        Cell(verdict, TONES.get(verdict, "quiet")) if judged else NONE,
        number(row["tokens_per_sec"] / fastest, ".2f"),
        NONE if own else number(row["ratio"], ".2f"),
        NONE if own else between(row["ratio_low"], row["ratio_high"]),
    ]
