"""A contest on a terminal: a shape's answer and figures; then the ranking over all shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from common.shards import MIXED, mixes
from harness.bench.answers import answers, withheld
from harness.bench.ranking import ALL, Match, against_reference, reference
from harness.bench.ratios import ShapeResult, by_machine
from harness.bench.shapes import dimensions
from harness.bench.tables import same
from harness.bench.twins import EXCHANGES, Twin
from harness.console import ROOMY, figure, titled
from harness.intervals import bounds
from harness.page.series import records

STYLES = {"faster": "green", "slower": "red", "tie": "", None: ""}

NARROWEST, WIDEST = 13, 40
"""Columns of the chart of the ranking."""


def show(console: Console, result: ShapeResult, table: pd.DataFrame, against: str = "") -> None:
    """Print one shape: its answer, its figures, the fastest first; who failed; what disturbed.

    The last line says what chance alone did, and the smallest ratio that can be told.
    """
    networks = table[table.backend != "null"].sort_values("tokens_per_sec", ascending=False)
    if mixed := mixes(networks.device):
        networks = networks.sort_values("device", kind="stable")
    base = reference([result], against) if against else None
    title = f"{result.shape} (batch x steps x hiddens x vocabulary)"
    for line in answers([result], against):
        console.print(Text(f"{result.shape}: {line}", "bold"))
    _figures(console, title, result, networks, against, base)
    if mixed:
        console.print(Text(MIXED))
    if batches := len({each.batch for each in result.found} - {1}):
        console.print(Text(f"in {batches + 1} batches, for its device could not hold all at once"))
    for each in result.found:
        told = not isinstance(each, Twin) and (each.is_network or each.kind != "unavailable")
        if each.reason and told:
            style = "yellow" if each.kind == "unavailable" else "red"
            console.print(Text(f"{each.name}: no figures: {each.reason}", style))
        elif each.checked and each.checked.reason:
            console.print(Text(f"{each.name}: {each.checked.reason}", "yellow"))
    for row in table[table.backend == "null"].to_dict("records"):
        B, T, _, _ = dimensions(result.shape)
        microseconds = B * T / row["tokens_per_sec"] * 1e6
        console.print(f"the harness itself takes {microseconds:.1f} microseconds a step")
    if shares := [each.idle_cpu / each.idle_wall for each in result.found if each.idle_wall]:
        console.print(f"waiting workers used at most {max(shares):.1%} of a CPU each")
    console.print(Text(result.quiet.told(), "yellow" if result.quiet.disturbed else ""))
    console.print(Text(told_apart(result)))


def told_apart(result: ShapeResult) -> str:
    """Line on the contender that ran twice: its false alarms, the smallest ratio that is told."""
    twice = same(result)
    if twice is None:
        return "the same code twice: no figures, so no verdicts"
    said = f"the same code twice ({twice.name}): {twice.ratio.median:.2f}"
    if math.isnan(twice.smallest):
        return f"{said}; no verdicts, for {withheld([result])}"
    return (
        f"{said} [{bounds(twice.ratio.low, twice.ratio.high, ', ')}]; false alarms "
        f"{twice.false_alarms:.1%} of {EXCHANGES}; the smallest ratio that can be told here today: "
        f"{twice.smallest:.2f}"
    )


def _figures(
    console: Console,
    title: str,
    result: ShapeResult,
    networks: pd.DataFrame,
    against: str,
    base: str | None,
) -> None:
    over = "x base" if base else "x concise"
    headings = ["tokens/s", "+-", over, "interval", "verdict", "floor"]
    if console.width >= ROOMY:
        headings += ["compile s", "even after", "MB", "lines"]
    optional = {"device_memory_mb": ("device MB", ",.0f"), "joules_per_token": ("uJ/token", ",.1f")}
    told = {name: how for name, how in optional.items() if networks[name].notna().any()}
    headings += [heading for heading, _ in told.values()]
    if scaling := bool(networks.scaling_efficiency.notna().any()):
        headings.insert(0, "of N x 1")
    mixed = mixes(networks.device)
    named = f"; the base is {base}" if base else ""
    shown = titled(f"{title}, 95 % intervals{named}")
    for name in ("backend", "variant", *["device"] * mixed):
        shown.add_column(name, no_wrap=True)
    for name in headings:
        shown.add_column(name, justify="right", no_wrap=True)
    asked = {each.form: each for each in against_reference([result], against)}
    for row in _records(networks):
        if base:
            row |= _over(base, asked, f"{row['backend']} {row['variant']}")
        cells: list[str | Text] = [
            figure(row["tokens_per_sec"], ",.0f"),
            half_width(row["low"], row["high"]),
            figure(row["ratio_to_concise"], ".2f"),
            bounds(row["ratio_low"], row["ratio_high"]),
            Text(row["verdict"] or "-", STYLES[row["verdict"]]),
            figure(row["floor_fraction"], ".2f"),
        ]
        if console.width >= ROOMY:
            cells += [
                figure(row["compile_seconds"], ".2f"),
                figure(row["break_even_steps"], ",.0f"),
                figure(row["peak_memory_mb"], ",.0f"),
                figure(row["code_lines"], ".0f"),
            ]
        for name, (_, form) in told.items():
            value = row[name]
            cells.append(figure(value * 1e6 if value and "joules" in name else value, form))
        if scaling:
            cells.insert(0, figure(row["scaling_efficiency"], ".2f"))
        shown.add_row(row["backend"], row["variant"], *[row["device"]] * mixed, *cells)
    console.print(shown)


def _over(base: str, asked: dict[str, Match], name: str) -> dict[str, Any]:
    """Cells of a form's ratio over the base; those of the floor, which is no form, are empty."""
    found: tuple[Any, ...] = (1.0 if name == base else None, None, None, None)
    if match := asked.get(name):
        found = match.ratio.median, match.ratio.low, match.ratio.high, match.verdict
    names = ("ratio_to_concise", "ratio_low", "ratio_high", "verdict")
    return dict(zip(names, found, strict=True))


def show_comparisons(console: Console, table: pd.DataFrame) -> None:
    """Print the best form of each framework against that of each other, machine by machine."""
    best = table[table.question == "best"]
    for machine, mine in best.groupby("machine", sort=False):
        of_all = mine[mine["shape"] == ALL] if ALL in {*mine["shape"]} else mine
        _comparisons(console, of_all, f" on {machine}" * (best.machine.nunique() > 1))


def _comparisons(console: Console, best: pd.DataFrame, on: str) -> None:
    shown = titled(f"Best against best{on}")
    for name in ("form", "over"):
        shown.add_column(name, no_wrap=True)
    for name in ("ratio", "95 % interval", "verdict"):
        shown.add_column(name, justify="right", no_wrap=True)
    for row in _records(best):
        shown.add_row(
            f"{row['backend']} {row['variant']}",
            f"{row['base_backend']} {row['base_variant']}",
            figure(row["ratio"], ".2f"),
            bounds(row["low"], row["high"]),
            Text(row["verdict"] or "-", STYLES[row["verdict"]]),
        )
    console.print(shown)


def show_ranking(
    console: Console, results: Sequence[ShapeResult], table: pd.DataFrame, against: str
) -> None:
    """Print all forms over all shapes of a machine, the fastest first, each with its interval."""
    machines = by_machine(results)
    for machine, mine in machines.items():
        ranked = table[table.machine == machine]
        if len(mine) > 1 and len(ranked):
            on = f" on {machine}" * (len(machines) > 1)
            _ranking(console, mine, ranked, against, f"Over {len(mine)} shapes{on}")


def _ranking(
    console: Console, results: Sequence[ShapeResult], table: pd.DataFrame, against: str, over: str
) -> None:
    of = f"multiples of {table.base.iloc[0]}"
    shown = titled(f"{over}: geometric means, {of}, 95 % intervals")
    shown.add_column("form", no_wrap=True)
    for name in ("ratio", "interval", "verdict", "wins", "ties"):
        shown.add_column(name, justify="right", no_wrap=True)
    width = min(WIDEST, max(NARROWEST, console.width - 68))
    shown.add_column("slower".ljust(width - 6) + "faster", no_wrap=True)
    least, most = table.ratio.min(), table.ratio.max()
    for row in _records(table):
        best = row["best"] and not withheld(results)
        shown.add_row(
            Text(f"{row['backend']} {row['variant']}", "bold" if best else ""),
            figure(row["ratio"], ".2f"),
            bounds(row["low"], row["high"]),
            Text("best" if best else row["verdict"] or "-", "" if best else STYLES[row["verdict"]]),
            str(row["wins"]),
            str(row["ties"]),
            _dots(row["ratio"], row["low"], row["high"], (least, most), width),
        )
    console.print(shown)
    for line in answers(results, against):
        console.print(Text(f"{over}: {line}", "bold"))


def _dots(
    ratio: float, low: float | None, high: float | None, ends: tuple[float, float], width: int
) -> str:
    """A dot on a logarithmic line, and its interval as dashes."""
    least, most = ends

    def place(value: float) -> int:
        whole = math.log(most / least) or 1.0
        return min(width - 1, max(0, round((width - 1) * math.log(value / least) / whole)))

    line = [" "] * width
    if low and high:
        for i in range(place(low), place(high) + 1):
            line[i] = "-"
    line[place(ratio)] = "o"
    return "".join(line)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return records(table.astype(object).where(table.notna(), None))


def half_width(low: float | None, high: float | None) -> str:
    """Half of an interval's width, as a share of its middle; a dash where there is none."""
    return "-" if low is None or high is None else figure((high - low) / (high + low), ".1%")
