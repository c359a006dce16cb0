"""The report of a study: every grid's question, its small multiples, and what came out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.page import provenance
from harness.page.blocks import Block, Cell, Facts, Grid, Multiples, Note, Section, number
from harness.page.series import Series, framework, in_order
from harness.report.curves import curves
from harness.report.studies import Study, sort
from harness.study.charts import multiple
from harness.study.equivalence import FEWEST, Equivalence, equivalences
from harness.study.grid import Settings
from harness.study.run import Order, read_cells


@dataclass(frozen=True)
class Panel:
    """One multiple of a chart: the cells of a grid that differ in their seeds alone.

    Attributes:
        varied: their settings, without the seed.
        study: their runs.
    """

    varied: Settings
    study: Study

    @property
    def title(self) -> str:
        """The settings in words."""
        return ", ".join(f"{name} {value}" for name, value in self.varied.items()) or self._seeds

    @property
    def _seeds(self) -> str:
        count = len(self.study.seeds)
        return f"{count} seeds" if count > 1 else f"seed {self.study.seeds[0]}"

    @property
    def measure(self) -> str:
        """Measure of learning: on validation data where there are any."""
        validated = self.study.summary.val_perplexity.notna().any()
        return "val_perplexity" if validated else "perplexity"


def study_sections(order: Order) -> list[Section]:
    """Everything in order: what was asked, each grid, the seeds, and how to run it again."""
    panels = _panels(order)
    every = [panel for found in panels.values() for panel in found]
    answers = [_grid(name, found, order) for name, found in panels.items()]
    seeds = [_seeds(panel) for panel in every if len(panel.study.seeds) >= FEWEST]
    return [_asked(order, every), *answers, *(s for s in seeds if s), _again(order, every)]


def backends_of(sections_of: Order) -> list[str]:
    """The backends of a study, each once, in the order of the registry."""
    table = pd.concat([data.summary for _, data in read_cells(sections_of)], ignore_index=True)
    return list(dict.fromkeys(series.backend for series in in_order(table)))


def _panels(order: Order) -> dict[str, list[Panel]]:
    found: dict[str, list[Panel]] = {}
    by_grid: dict[str, list[tuple[Settings, Any]]] = {}
    for cell, data in read_cells(order):
        varied = {name: value for name, value in cell.varied.items() if name != "seed"}
        by_grid.setdefault(cell.grid, []).append((varied, data))
    for grid, cells in by_grid.items():
        studies = sort([data for _, data in cells])
        told = {id(data): varied for varied, data in cells}
        found[grid] = [Panel(told[id(study.runs[0])], study) for study in studies]
    return found


def _asked(order: Order, panels: list[Panel]) -> Section:
    study, facts = order.study, panels[0].study.facts
    on = facts["machine"]
    seconds = sum(float(panel.study.epochs.seconds.sum()) for panel in panels)
    runs = [run for panel in panels for run in panel.study.runs]
    section = Section(
        "asked",
        "What was asked?",
        f"{study.title}: {len(runs)} runs, from the same weights on the same batches in every "
        f"framework.",
    )
    section.blocks.append(
        Facts(
            [
                *((f"Grid {grid.name}", grid.question) for grid in study.grid),
                ("Recipe", study.recipe),
                ("Settings of its own", _told(study.settings) or "none"),
                ("Corpus", f"{facts['corpus']['name']}, {facts['corpus']['tokens']:,} tokens"),
                ("Machine", f"{on.get('cpu')}, {on.get('cores_used')} of {on.get('cores')} cores"),
                ("Training", f"{seconds:,.0f} seconds in all"),
            ]
        )
    )
    sources = {run.facts["source"]["sha256"] for run in runs}
    if len(sources) > 1:
        section.blocks.append(Note(f"Its cells ran from {len(sources)} versions of the source."))
    return section


def _grid(name: str, panels: list[Panel], order: Order) -> Section:
    grid = next(grid for grid in order.study.grid if grid.name == name)
    section = Section(f"grid-{name}", grid.question, _answer(panels))
    if grid.settings:
        section.blocks.append(Note(f"In this grid: {_told(grid.settings)}."))
    drawn = [(panel, curves(panel.study)) for panel in panels]
    drawn = [(panel, table) for panel, table in drawn if len(table)]
    if drawn:
        measure = panels[0].measure
        domain = _domain([table for _, table in drawn], panels)
        figures = [
            multiple(f"{name}-{number_}", panel.title, table, panel.measure, domain)
            for number_, (panel, table) in enumerate(drawn, 1)
        ]
        what = "Validation perplexity" if measure.startswith("val") else "Perplexity"
        caption = f"{what} by epoch, logarithmic, on the same axis in each"
        section.blocks.append(Multiples(caption, figures, _ends(panels)))
    section.blocks += _costs(panels)
    return section


def _domain(tables: list[pd.DataFrame], panels: list[Panel]) -> tuple[float, float]:
    """Range of every multiple: nothing above twice what guessing gives, the vocabulary's size."""
    measure = panels[0].measure
    values = pd.concat([table[measure] for table in tables])
    guessing = 2.0 * panels[0].study.facts["corpus"]["vocab_size"]
    return float(values.min()) * 0.95, min(float(values.max()), guessing) * 1.05


def _answer(panels: list[Panel]) -> str:
    ends = {panel.title: _end(panel, None) for panel in panels}
    learned = {title: end for title, end in ends.items() if math.isfinite(end)}
    if not learned:
        return "Nothing learned."
    best, worst = min(learned, key=learned.__getitem__), max(learned, key=learned.__getitem__)
    if best == worst:
        return f"{best}: {learned[best]:.3f}."
    said = f"Best {best}, {learned[best]:.3f}; worst {worst}, {learned[worst]:.3f}"
    lost = len(ends) - len(learned)
    return said + (f"; {lost} of {len(ends)} did not come to an end." if lost else ".")


def _end(panel: Panel, series: Series | None) -> float:
    """The median perplexity at the end, of one series or of all; nan if none was ok."""
    table = panel.study.summary
    table = table if series is None else series.rows(table)
    return float(table[table.status == "ok"][panel.measure].median())


def _ends(panels: list[Panel]) -> Grid:
    """A row a panel, a column a series: the perplexity, or what became of it."""
    return _by_panel("Where they ended", panels, _end_cell)


def _end_cell(panel: Panel, series: Series) -> Cell:
    mine = series.rows(panel.study.summary)
    failed = mine[mine.status != "ok"]
    if len(failed):
        statuses = ", ".join(dict.fromkeys(failed.status))
        return Cell(f"{statuses}" + f" ({len(failed)} of {len(mine)})" * (len(mine) > 1), "bad")
    return number(_end(panel, series), ".4f")


def _by_panel(caption: str, panels: list[Panel], cell: Any, folded: bool = False) -> Grid:
    names = list(panels[0].varied) or ["runs"]
    every = in_order(pd.concat([panel.study.summary for panel in panels], ignore_index=True))
    rows = []
    for panel in panels:
        told = [Cell(str(value)) for value in panel.varied.values()]
        told = told or [Cell(str(len(panel.study.seeds)))]
        rows.append([*told, *(cell(panel, series) for series in every)])
    heads = [*names, *(series.title for series in every)]
    return Grid(caption, heads, rows, tuple(range(len(names))), folded)


def _costs(panels: list[Panel]) -> Iterator[Block]:
    def speed(panel: Panel, series: Series) -> Cell:
        return number(float(series.rows(panel.study.summary).tokens_per_sec.median()), ",.0f")

    def memory(panel: Panel, series: Series) -> Cell:
        return number(float(series.rows(panel.study.summary).peak_memory_mb.median()), ",.0f")

    yield _by_panel("Tokens a second in training", panels, speed, folded=True)
    yield _by_panel("Most memory, MB", panels, memory, folded=True)


def _seeds(panel: Panel) -> Section | None:
    ok = panel.study.summary[panel.study.summary.status == "ok"]
    ends = {}
    for series in panel.study.series:
        mine = series.rows(ok).sort_values("seed")
        if mine.seed.tolist() == panel.study.seeds:
            ends[series.title] = mine[panel.measure].tolist()
    if len(ends) < 2:
        return None
    found = equivalences(ends)
    shown = sum(each.shown for each in found)
    spread = found[0].spread
    answer = (
        "No: every pair is shown equivalent within the spread of the seeds."
        if shown == len(found)
        else f"{shown} of {len(found)} pairs are shown equivalent within the spread of the seeds."
    )
    return Section(
        "seeds",
        "Do frameworks differ more than seeds?",
        answer,
        [
            Note(
                f"Over {len(panel.study.seeds)} seeds a framework's last perplexity spreads "
                f"by {spread:.2%} (a standard deviation). Two are equivalent if the 95 % "
                "interval of their median difference, seed by seed, lies within that."
            ),
            Grid(
                "Differences of pairs, seed by seed",
                ["pair", "median difference", "interval", "spread of seeds", "verdict"],
                [_pair(each) for each in found],
                (0, 2, 4),
            ),
        ],
    )


def _pair(each: Equivalence) -> list[Cell]:
    between = each.difference
    return [
        Cell(f"{each.one} less {each.other}"),
        number(between.median, "+.1e"),
        Cell(f"{between.low:+.1e} to {between.high:+.1e}"),
        number(each.spread, ".1e"),
        Cell("equivalent", "good") if each.shown else Cell("not shown", "quiet"),
    ]


def _again(order: Order, panels: list[Panel]) -> Section:
    facts = panels[0].study.facts
    runs = [run for panel in panels for run in panel.study.runs]
    told = "that of this report" if provenance.unchanged(runs) else "not that of this report"
    return Section(
        "again",
        "How do I run it again?",
        "With the same command: cells that are finished are not run again.",
        [
            provenance.command(facts["command"]),
            Facts(
                [
                    ("Source", f"{facts['source']['revision'] or 'not in git'}, {told}"),
                    provenance.versions(*(run.facts for run in runs)),
                    provenance.corpus(facts),
                ]
            ),
        ],
    )


def _told(settings: Settings) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def titles(order: Order, backends: list[str]) -> tuple[str, str]:
    """Title and subject of the report."""
    names = [framework(name) for name in backends]
    return order.study.title, f"A study in {', '.join(names)}"
