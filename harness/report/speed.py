"""Who is fast: throughput in training, and the benchmark where a folder holds one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness.bench import dimensions
from harness.page.blocks import (
    NONE,
    Block,
    Cell,
    Chart,
    Grid,
    Heading,
    Note,
    Section,
    Tone,
    named,
    number,
)
from harness.page.charts import speed
from harness.page.series import Series, framework, records
from harness.records.reading import BenchData
from harness.report.curves import throughput
from harness.report.studies import Report, Study, endings, heading

DRAWN = ["backend", "framework", "variant", "title", "tokens_per_sec", "low", "high"]
"""The columns of a chart's table."""

TONES: dict[str, Tone] = {"faster": "good", "slower": "bad"}


def fast(report: Report) -> Section:
    """Throughput of every study, then the benchmarks."""
    section = Section("fast", "Who is fast?", "")
    for study in report.studies:
        table = throughput(study)
        section.answer = section.answer or _answer(table)
        section.blocks += heading(report, study)
        section.blocks += _training(study, table)
    for number_, bench in enumerate(report.benches, 1):
        section.blocks += _bench(bench, number_)
    return section


def _answer(table: pd.DataFrame) -> str:
    if table.empty:
        return "Nobody finished, so nobody is fast."
    best, last = table.iloc[0], table.iloc[-1]
    said = f"{best.title}, with {best.tokens_per_sec:,.0f} tokens a second in training"
    if len(table) > 1:
        said += f"; {best.tokens_per_sec / last.tokens_per_sec:.1f} times {last.title}"
    return said + "."


def _training(study: Study, table: pd.DataFrame) -> list[Block]:
    blocks: list[Block] = []
    rows = [_training_row(row, table.tokens_per_sec.max()) for row in records(table)]
    failed = study.summary[study.summary.status != "ok"]
    for series in study.series:
        for status, reason, _ in endings(series.rows(failed)):
            cells = [named(series), *[NONE] * 5]
            rows.append([*cells, Cell(status, "bad")])
            blocks.append(Note(f"{series.title}: {status}" + f": {reason}" * bool(reason), "bad"))
    grid = Grid(
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
    figure = speed(f"speed-{study.number}", title, table[DRAWN])
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
        Cell(f"{row['low']:,.0f} to {row['high']:,.0f}"),
        number(row["tokens_per_sec"] / fastest, ".2f"),
        NONE if own else number(row["ratio"], ".2f"),
        NONE if own else _between(row["ratio_low"], row["ratio_high"]),
        Cell(verdict, TONES.get(verdict, "quiet")) if judged else NONE,
    ]


def _between(low: float, high: float) -> Cell:
    return NONE if pd.isna(low) else Cell(f"{low:.2f} to {high:.2f}")


def _bench(bench: BenchData, number_: int) -> list[Block]:
    cpu, rounds = bench.facts["machine"]["cpu"], bench.facts["rounds"]
    settings = bench.facts["settings"]
    blocks: list[Block] = [
        Heading("The benchmark"),
        Note(
            f"{rounds} rounds in turns on {cpu}, {settings['dtype']}, {settings['device']}. A "
            "ratio is that of the same round, the floor what unavoidable matrix products take."
        ),
    ]
    for index, (shape, found) in enumerate(bench.figures.groupby("shape", sort=False), 1):
        blocks.append(_shape(str(shape), found, f"bench-{number_}-{index}"))
    for shape in bench.facts["shapes"]:
        for worker in shape["workers"]:
            if remark := worker["checked"].get("reason"):
                who = Series(worker["backend"], worker["variant"]).title
                blocks.append(Note(f"{shape['shape']}: {who}: {remark}"))
    for who, reason in bench.facts["failures"].items():
        blocks.append(Note(f"{who}: no figures: {reason}", "bad"))
    return blocks


def _shape(shape: str, found: pd.DataFrame, name: str) -> Chart:
    limit = found[found.backend == "floor"].tokens_per_sec
    table = found[~found.backend.isin(["null", "floor"])].copy()
    table = table.sort_values("tokens_per_sec", ascending=False, ignore_index=True)
    table["framework"] = table.backend.map(framework)
    table["title"] = table.framework + " " + table.variant
    B, T, H, V = dimensions(shape)
    title = f"Batch {B} x {T} steps, {H:,} hidden units, {V:,} tokens"
    floor = float(limit.iloc[0]) if len(limit) else None
    rows = [
        [
            named(Series(row["backend"], row["variant"])),
            number(row["tokens_per_sec"], ",.0f"),
            Cell(f"{row['low']:,.0f} to {row['high']:,.0f}"),
            number(row["ratio_to_concise"], ".2f"),
            _between(row["ratio_low"], row["ratio_high"]),
            Cell(row["verdict"], TONES.get(row["verdict"], "quiet")) if row["verdict"] else NONE,
            number(row["floor_fraction"], ".2f"),
            number(row["compile_seconds"], ".2f"),
            number(row["break_even_steps"], ",.0f"),
            number(row["peak_memory_mb"], ",.0f"),
        ]
        for row in records(table)
    ]
    heads = "backend|tokens/s|95 % interval|over concise|interval|verdict|of the floor|compile s|"
    heads += "ahead of the book's loop after steps|MB"
    return Chart(
        speed(name, title, table[DRAWN], floor), Grid(title, heads.split("|"), rows, (0, 5))
    )
