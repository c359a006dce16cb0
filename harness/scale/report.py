"""The report of a scaling: a section a dimension, its answer first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.bench.floor import OPERATIONS, PRODUCTS
from harness.bench.sections import failures, reproduce
from harness.console import figure
from harness.intervals import bounds
from harness.page.blocks import (
    NONE,
    Block,
    Cell,
    Chart,
    Details,
    Note,
    Section,
    Table,
    between,
    named,
    number,
)
from harness.page.figure import MOST
from harness.page.series import Series, framework, in_order, records
from harness.page.told import Told, answers_of
from harness.records.scaling import read_scale
from harness.scale.charts import QUANTITIES, by_size
from harness.scale.ranges import size
from harness.scale.request import around
from harness.scale.slopes import sizes_told
from harness.scale.tables import FLOOR, series_of


def told_of(folders: Sequence[Path]) -> Told:
    """The report of what `scale` wrote into a folder, the one of these.

    Raises:
        RequestError: it holds no scaling that has ended.
    """
    (folder,) = folders
    every, facts = read_scale(folder)
    sections = [
        section(every[every.dimension == dimension], dimension, facts)
        for dimension in facts["answers"]
    ]
    series = in_order(every[every.backend != FLOOR])
    backends = list(dict.fromkeys(each.backend for each in series))
    about = f"{', '.join(map(framework, backends))}, in turns on {facts['machine']['cpu']}"
    answers = answers_of(sections, len(sections))
    sections.append(reproduce(facts))
    return Told("What does size cost?", about, backends, answers, sections, failures(facts))


def section(table: pd.DataFrame, dimension: str, facts: dict[str, Any]) -> Section:
    """The section of a dimension.

    Args:
        table: its rows of ``scale.csv``.
        dimension: of size.
        facts: of ``scale.json``.
    """
    first, *others = facts["answers"][dimension]
    found = Section(dimension, f"What does {dimension} cost?", first)
    found.blocks += [Note(line) for line in others]
    sizes = ", ".join(size(dimension, value) for value in facts["sweeps"][dimension])
    found.blocks.append(Note(f"{dimension} {sizes}: {around(dimension, facts['shape'])}."))
    shown = _shown(table)
    for name, of in QUANTITIES.items():
        mine = table[(table["quantity"] == name) & (table["median"] > 0)]
        if mine["value"].nunique() > 1:
            drawn = _drawn(mine, shown)
            title = f"{of.title} by {dimension}, both logarithmic"
            chart = by_size(f"{dimension}-{name}".replace("_", "-"), title,
                            dimension, drawn, of)  # fmt: skip
            half = name != "relative_cost"
            found.blocks.append(Chart(chart, _grid(mine, dimension, title, of.table), half))
    found.blocks += _folded(dimension, facts)
    return found


def _shown(table: pd.DataFrame) -> list[Series]:
    """The forms that are drawn: all if they are few, else the fastest of each framework."""
    speeds = table[(table["quantity"] == "tokens_per_sec") & (table.backend != FLOOR)]
    means = np.log(speeds["median"]).groupby([speeds.backend, speeds.variant]).mean()
    ranked = [Series(*map(str, key)) for key in means.sort_values(ascending=False).index]
    if len(ranked) < MOST:
        return ranked
    first = {each.backend: each for each in reversed(ranked)}
    return [each for each in ranked if first[each.backend] == each][: MOST - 1]


def _drawn(mine: pd.DataFrame, shown: Sequence[Series]) -> pd.DataFrame:
    """The rows of these forms, of the floor, and of all operations where a line is left."""
    parts = [each.rows(mine).assign(**each.labels) for each in shown]
    floors = [(PRODUCTS, "the floor"), (OPERATIONS, "all operations")]
    for variant, title in floors[: MOST - len(shown)]:
        floor = Series(FLOOR, variant)
        parts.append(floor.rows(mine).assign(**floor.labels | {"title": title}))
    columns = ["value", "median", "low", "high", "backend", "framework", "variant", "title"]
    return pd.concat([part for part in parts if len(part)])[columns].reset_index(drop=True)


def _grid(mine: pd.DataFrame, dimension: str, title: str, form: str) -> Table:
    rows = [
        [
            named(Series(row["backend"], row["variant"])),
            Cell(size(dimension, row["value"])),
            number(row["median"], form),
            between(row["low"], row["high"], form),
        ]
        for row in records(mine)
    ]
    return Table(title, ["form", dimension, "median", "95 % interval"], rows)


def _folded(dimension: str, facts: dict[str, Any]) -> list[Block]:
    """Slopes and overtakings, opened on demand."""
    blocks: list[Block] = []
    slopes = [each for each in facts["slopes"] if each["dimension"] == dimension]
    if slopes:
        rows = [
            [
                named(Series(each["backend"], each["variant"])),
                Cell(sizes_told(each)) if each.get("first") else NONE,
                number(each["slope"], ".2f"),
                NONE if each["low"] is None else between(each["low"], each["high"]),
                number(each["expected"], ".2f"),
                Cell(each.get("verdict") or "-"),
            ]
            for each in slopes
        ]
        heads = ["form", "sizes", "slope", "95 % interval", "the products say", "verdict"]
        table = Table("Slope of log cost over log size, by least squares", heads, rows)
        blocks.append(Details("As which power of the size does the cost grow?", [table]))
    over = [each for each in facts["overtakings"] if each["dimension"] == dimension]
    if over:
        rows = [
            [
                named(series_of(each["form"])),
                named(series_of(each["other"])),
                Cell(size(dimension, each["value"])),
                Cell(figure(each["crossing"], ",.3g")),
                number(each["ratio"], ".2f"),
                Cell(bounds(each["low"], each["high"])),
            ]
            for each in over
        ]
        at = size(dimension, over[0]["at"])
        heads = ["form", "overtakes", "from", "as fast at", f"times at {at}", "95 % interval"]
        table = Table("Who overtakes whom", heads, rows, (0, 1))
        blocks.append(Details("Who overtakes whom?", [table]))
    return blocks
