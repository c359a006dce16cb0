"""Blocks of a report on what was timed in turns: steps, texts, or one size after the other."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness.bench.charts import ranking
from harness.bench.ranking import ALL
from harness.console import figure
from harness.intervals import bounds
from harness.page import provenance
from harness.page.blocks import (
    NONE,
    TONES,
    Block,
    Cell,
    Chart,
    Details,
    Facts,
    Note,
    Section,
    Table,
    named,
)
from harness.page.series import Series, records
from harness.records.reading import BenchData


def answered(bench: BenchData, number_: int, said: str) -> list[Block]:
    """Sentences on all shapes, or on each where there is one; then the ranking over several.

    Args:
        bench: read back.
        number_: of the benchmark in its report.
        said: the sentence that stands above already.
    """
    told = bench.facts["answers"]
    blocks: list[Block] = [
        Note(f"{shape}: {line}" if shape != ALL else line)
        for shape in ([ALL] if ALL in told else told)
        for line in told[shape]
        if line != said
    ]
    if bench.ranking is None:
        return blocks
    shapes = bench.figures.groupby("machine")["shape"].nunique()
    for machine, mine in bench.ranking.groupby("machine", sort=False):
        if (count := int(shapes.get(machine, 0))) > 1:
            several = len(shapes) > 1
            on = f" on {machine}" * several
            name = f"ranking-{number_}" + f"-{machine}" * several
            ranked = mine.reset_index(drop=True)
            blocks.append(Chart(ranking(name, ranked, count, on), _grid(ranked, on)))
    return blocks


def _grid(table: pd.DataFrame, on: str) -> Table:
    rows = [
        [
            named(Series(row["backend"], row["variant"])),
            Cell(figure(row["ratio"], ".2f")),
            Cell(bounds(row["low"], row["high"])),
            judged(row["verdict"]),
            Cell("best", "good") if row["best"] else NONE,
            *(Cell(str(row[word])) for word in ("wins", "ties", "losses")),
        ]
        for row in records(table)
    ]
    heads = f"form|times {table.base.iloc[0]}|95 % interval|verdict|best|wins|ties|losses"
    caption = f"All forms over all shapes{on}, geometric means"
    return Table(caption, heads.split("|"), rows, (0, 3, 4))


def judged(verdict: str) -> Cell:
    """The cell of a verdict on speed; a dash where there is none."""
    return Cell(verdict, TONES.get(verdict, "quiet")) if verdict else NONE


def failures(facts: dict[str, Any]) -> list[Note]:
    """Notes on who has no figures, and why."""
    reasons = facts["failures"].items()
    return [Note(f"{who}: no figures: {reason}", "bad") for who, reason in reasons]


def reproduce(facts: dict[str, Any]) -> Section:
    """Command, source and versions of what was timed in turns."""
    return Section(
        "reproduce",
        "How do I run it again?",
        "With the same command, on quiet cores.",
        [
            provenance.command(facts["command"]),
            Details("Source and versions", [Facts([*provenance.source(facts), _versions(facts)])]),
        ],
    )


def _versions(facts: dict[str, Any]) -> tuple[str, str]:
    """Versions of Python and of what each worker said that it timed."""
    every = dict(facts["versions"])
    for worker in (worker for shape in facts["shapes"] for worker in shape["workers"]):
        told = (worker.get("conditions") or {}).get("versions", {})
        every |= {name: version for name, version in told.items() if name != "numpy"}
    return "Versions", ", ".join(f"{name} {version}" for name, version in every.items())
