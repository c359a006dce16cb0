"""Speed and memory of a study's cells; speeds stand machine by machine, and are never joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pandas as pd

from harness.page import provenance
from harness.page.blocks import Block, Cell, Table, number
from harness.page.series import Series, in_order
from harness.records.reading import RunData
from harness.study.panels import Panel

APART = "Perplexities are those of all, for they do not hang on a machine; speeds are not joined."


def hosts(runs: Sequence[RunData]) -> dict[str, tuple[int, str]]:
    """Machines of the rows of runs, by their names in the tables: number of rows, and in words.

    A run from before machines were told has one without a name.
    """
    found: dict[str, tuple[int, str]] = {}
    for run in runs:
        for host, count in run.summary.machine.value_counts(sort=False).items():
            name = str(host)
            on = run.facts["machines"].get(name, run.facts["machine"])
            before, _ = found.get(name, (0, ""))
            found[name] = before + int(count), provenance.machine_of("", on)
    return found


def machines(runs: Sequence[RunData]) -> list[tuple[str, str]]:
    """Machines of runs, as facts of a report: of several each has its name in the tables."""
    found = hosts(runs)
    if len(found) == 1:
        return [("Machine", told) for _, told in found.values()]
    return [
        (f"Machine {host}".rstrip(), f"{told}: {count} rows")
        for host, (count, told) in found.items()
    ]


def costs(panels: Sequence[Panel]) -> Iterator[Block]:
    """A table of speeds for each machine, and one of memory.

    A run that shared what it was timed on has no speed.
    """

    def speed(panel: Panel, series: Series) -> Cell:
        return number(float(series.rows(panel.group.summary).tokens_per_sec.median()), ",.0f")

    def memory(panel: Panel, series: Series) -> Cell:
        return number(float(series.rows(panel.group.summary).peak_memory_mb.median()), ",.0f")

    found = dict.fromkeys(host for panel in panels for host in panel.group.summary.machine)
    for host in found:
        there = [mine for panel in panels if len((mine := _on(panel, host)).group.summary)]
        on = f" on {host}" * (len(found) > 1)
        yield by_panel(f"Tokens a second in training{on}", there, speed)
    yield by_panel("Most memory, MB", panels, memory)


def _on(panel: Panel, host: str) -> Panel:
    """The rows of a panel that ran on a machine; those that shared it have no speed."""
    engines = [run.facts["engine"] or {} for run in panel.group.runs]
    shared = [number_ for number_, told in enumerate(engines) if told.get("shared")]
    rows = panel.group.summary
    rows = rows[rows.machine == host]
    speeds = rows.tokens_per_sec.mask(rows.run.isin(shared))
    return replace(panel, group=replace(panel.group, summary=rows.assign(tokens_per_sec=speeds)))


def by_panel(caption: str, panels: Sequence[Panel], cell: Callable[[Panel, Series], Cell]) -> Table:
    """A row a panel, a column a series."""
    names = list(panels[0].varied) or ["runs"]
    every = in_order(pd.concat([panel.group.summary for panel in panels], ignore_index=True))
    rows = []
    for panel in panels:
        told = [Cell(str(value)) for value in panel.varied.values()]
        told = told or [Cell(str(len(panel.group.seeds)))]
        rows.append([*told, *(cell(panel, series) for series in every)])
    heads = [*names, *(series.title for series in every)]
    return Table(caption, heads, rows, tuple(range(len(names))))
