"""Answers of a benchmark as blocks of a report: its sentences, and the ranking of all forms."""

from __future__ import annotations

import pandas as pd

from harness.bench.charts import ranking
from harness.bench.ranking import ALL
from harness.console import figure
from harness.intervals import bounds
from harness.page.blocks import NONE, TONES, Block, Cell, Chart, Note, Table, named
from harness.page.series import Series, records
from harness.records.reading import BenchData


def answered(bench: BenchData, number_: int) -> list[Block]:
    """Sentences on all shapes, or on each where there is one; then the ranking over several.

    Args:
        bench: read back.
        number_: of the benchmark in its report.
    """
    told = bench.facts["answers"]
    blocks: list[Block] = [
        Note(f"{shape}: {line}" if shape != ALL else line)
        for shape in ([ALL] if ALL in told else told)
        for line in told[shape]
    ]
    shapes = len(bench.facts["shapes"])
    if bench.ranking is not None and len(bench.ranking) and shapes > 1:
        chart = ranking(f"ranking-{number_}", bench.ranking, shapes)
        blocks.append(Chart(chart, _grid(bench.ranking)))
    return blocks


def _grid(table: pd.DataFrame) -> Table:
    rows = [
        [
            named(Series(row["backend"], row["variant"])),
            Cell(figure(row["ratio"], ".2f")),
            Cell(bounds(row["low"], row["high"])),
            Cell(row["verdict"], TONES.get(row["verdict"], "quiet")) if row["verdict"] else NONE,
            Cell("best", "good") if row["best"] else NONE,
            *(Cell(str(row[word])) for word in ("wins", "ties", "losses")),
        ]
        for row in records(table)
    ]
    heads = f"form|times {table.base.iloc[0]}|95 % interval|verdict|best|wins|ties|losses"
    return Table("All forms over all shapes, geometric means", heads.split("|"), rows, (0, 3, 4))
