"""A sweep on a terminal: its answer, the figures at every size, and the slopes."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.console import ROOMY, figure, titled
from harness.scale.ranges import size
from harness.scale.request import around
from harness.scale.slopes import sizes_told
from harness.scale.swept import Swept

COLUMNS = {
    "tokens_per_sec": ("tokens/s", ",.0f"),
    "floor_fraction": ("floor", ".2f"),
    "operations_fraction": ("operations", ".2f"),
    "compile_seconds": ("compile s", ".1f"),
    "peak_memory_mb": ("MB", ",.0f"),
    "memory_mb": ("MB then", ",.1f"),
    "generated_per_sec": ("text/s", ",.0f"),
    "first_token_ms": ("1st ms", ".2f"),
}
"""Headings and forms of quantities."""

ROOM_FOR = ("operations_fraction", "compile_seconds")
"""Quantities for a terminal that has room."""


def show(console: Console, swept: Swept, facts: dict[str, Any], shape: str) -> None:
    """Print a sweep.

    Args:
        console: to print on.
        swept: the sweep.
        facts: what was found so far: answers and slopes.
        shape: the base.
    """
    dimension = swept.vary.dimension
    for line in facts["answers"][dimension]:
        console.print(Text(line, "bold"))
    if swept.table.empty:
        return
    console.print(Text(f"{dimension}: {around(dimension, shape)}", "bold"))
    table = titled("")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("form", no_wrap=True)
    told = [name for name in COLUMNS if name in {*swept.table["quantity"]}]
    if console.width < ROOMY:
        told = [name for name in told if name not in ROOM_FOR]
    for place, name in enumerate(told):
        table.add_column(COLUMNS[name][0], justify="right", no_wrap=True)
        if not place:
            table.add_column("+-", justify="right", no_wrap=True)
    before = None
    ordered = swept.table.sort_values("value", kind="stable")
    for key, rows in ordered.groupby(["value", "backend", "variant"], sort=False):
        backend, variant = key[1:]
        value, mine = int(str(key[0])), rows.set_index("quantity")
        cells = []
        for name in told:
            found = mine["median"].get(name)
            cells.append(figure(found, COLUMNS[name][1]))
            if name == "tokens_per_sec":
                cells.append(_half_width(mine.low[name], mine.high[name]))
        at = "" if value == before else size(dimension, value)
        table.add_row(at, f"{backend} {variant}", *cells)
        before = value
    console.print(table)
    _slopes(console, [each for each in facts["slopes"] if each["dimension"] == dimension])
    if quiet := next((each for each in swept.quiets if each.busy), None):
        console.print(Text(quiet.told(), "yellow"))


def _half_width(low: float, high: float) -> str:
    return "-" if low != low else figure((high - low) / (high + low), ".0%")


def _slopes(console: Console, slopes: list[dict[str, Any]]) -> None:
    """Print the power of the size that each cost grows with: over the sweep, and at its end."""
    for sizes, group in groupby(slopes, sizes_told):
        table = titled(f"Slopes of log cost over log size, {sizes}")
        table.add_column("form", no_wrap=True)
        for name in ("slope", "95 % interval", "products"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        for each in group:
            ends = "-"
            if each["low"] == each["low"]:
                ends = f"{figure(each['low'], '.2f')} to {figure(each['high'], '.2f')}"
            found = figure(each["slope"], ".2f"), ends, figure(each["expected"], ".2f")
            table.add_row(f"{each['backend']} {each['variant']}", *found, each["verdict"])
        console.print(table)
