"""Section of generation in a report, and its answer: who writes fastest, and over the book?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.bench.sections import failures, judged, reproduce
from harness.bench.shapes import dimensions
from harness.page.blocks import (
    Chart,
    Details,
    Note,
    Section,
    Table,
    between,
    named,
    number,
)
from harness.page.charts import DRAWN, speed
from harness.page.series import Series, framework, in_order, records
from harness.page.speeds import fast, leaders
from harness.page.told import Answer, Told
from harness.records.generation import GenerationData, read_generation


def told_of(folders: Sequence[Path]) -> Told:
    """The report of what ``bench --generate`` wrote into folders.

    Raises:
        RequestError: one holds no such result that has ended.
    """
    found = [read_generation(folder) for folder in folders]
    every = in_order(pd.concat([each.figures for each in found]))
    backends = list(dict.fromkeys(series.backend for series in every))
    facts = found[0].facts
    about = f"{', '.join(map(framework, backends))}, in turns on {facts['machine']['cpu']}"
    notes = [note for each in found for note in failures(each.facts)]
    sections = [generation(found), reproduce(facts)]
    return Told("Who writes fastest?", about, backends, [answer(found)], sections, notes)


def answer(found: Sequence[GenerationData]) -> Answer:
    """The answer of the first screen: of the first shape that has figures."""
    for each in found:
        if len(each.figures):
            shape = each.figures["shape"].iloc[0]
            lines = each.facts["answers"].get(shape) or [""]
            mine = titled(each.figures[each.figures["shape"] == shape])
            return Answer("Writes?", f"{size(shape)}. {lines[0]}", "generation", fast(mine))
    return Answer("Writes?", "Nobody has a figure.", "generation", good=False)


def generation(found: Sequence[GenerationData]) -> Section:
    """Every shape with its winners; open is the first."""
    section = Section("generation", "Who writes fastest, in turns?", answer(found).text)
    for number_, each in enumerate(found, 1):
        settings, facts = each.facts["settings"], each.facts
        section.blocks.append(
            Note(
                f"{facts['rounds']} rounds in turns on {facts['machine']['cpu']}, "
                f"{settings['dtype']}. Each writes one text, greedily; the form book is the "
                "chapter's predict_rnn, the form generate what predict, runs and parity use. A "
                "ratio is that of the same round."
            )
        )
        shapes = each.figures.groupby("shape", sort=False)
        for index, (shape, mine) in enumerate(shapes, 1):
            table = titled(mine)
            chart = drawn(table, f"generation-{number_}-{index}", size(str(shape)))
            first = number_ == index == 1
            told = facts["answers"].get(shape, [])
            lines = [Note(line) for line in told[1 if first else 0 :]]  # the answer has said it
            summary = f"{size(str(shape))}: {leaders(table)}"
            section.blocks += [*lines, chart] if first else [Details(summary, [*lines, chart])]
    return section


def size(shape: str) -> str:
    """A shape in words."""
    _, T, H, V = dimensions(shape)
    return f"One text, {H:,} hidden units, {V:,} tokens in the vocabulary; its first after {T}"


def titled(figures: pd.DataFrame) -> pd.DataFrame:
    """The figures of a shape, the fastest first, with the names that people know."""
    table = figures.sort_values("tokens_per_sec", ascending=False, ignore_index=True)
    names = table.backend.map(framework)
    return table.assign(framework=names, title=names + " " + table.variant)


def drawn(table: pd.DataFrame, name: str, title: str) -> Chart:
    """A chart of tokens a second, and the table of all figures."""
    columns: dict[str, Any] = {
        "backend": lambda row: named(Series(row["backend"], row["variant"])),
        "tokens/s": lambda row: number(row["tokens_per_sec"], ",.0f"),
        "95 % interval": lambda row: between(row["low"], row["high"], ",.0f"),
        "verdict": lambda row: judged(row["verdict"]),
        "over book": lambda row: number(row["ratio_to_book"], ".2f"),
        "interval": lambda row: between(row["ratio_low"], row["ratio_high"]),
        "first token ms": lambda row: number(row["first_token_ms"], ".2f"),
        "its interval": lambda row: between(row["first_low"], row["first_high"]),
        "first text s": lambda row: number(row["compile_seconds"], ".2f"),
        "MB": lambda row: number(row["peak_memory_mb"], ",.0f"),
    }
    rows = [[cell(row) for cell in columns.values()] for row in records(table)]
    caption = f"{title}; the verdict is on the book's loop"
    return Chart(speed(name, title, table[DRAWN]), Table(caption, [*columns], rows, (0, 3)))
