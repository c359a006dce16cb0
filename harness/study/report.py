"""The report of a study: every grid's question, its small multiples, and what came out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.console import figure
from harness.page import provenance
from harness.page.blocks import Block, Cell, Facts, Multiples, Note, Section, Table, number
from harness.page.series import Series, framework, in_order
from harness.report.curves import curves
from harness.study.charts import multiple
from harness.study.equivalence import FEWEST, Equivalence, equivalences
from harness.study.panels import Panel, panels_of
from harness.study.run import StudyRequest, read_cells


def study_sections(order: StudyRequest) -> list[Section]:
    """Everything in order: what was asked, each grid, the seeds, and how to run it again."""
    panels = panels_of(order)
    every = [panel for found in panels.values() for panel in found]
    answers = [_grid(name, found, order) for name, found in panels.items()]
    seeds = [_seeds(panel) for panel in every if len(panel.group.seeds) >= FEWEST]
    return [_setup(order, every), *answers, *(s for s in seeds if s), _reproduce(order, every)]


def backends_of(sections_of: StudyRequest) -> list[str]:
    """The backends of a study, each once, in the order of the registry."""
    table = pd.concat([data.summary for _, data in read_cells(sections_of)], ignore_index=True)
    return list(dict.fromkeys(series.backend for series in in_order(table)))


def _setup(order: StudyRequest, panels: list[Panel]) -> Section:
    study, facts = order.study, panels[0].group.facts
    on = facts["machine"]
    seconds = sum(float(panel.group.epochs.seconds.sum()) for panel in panels)
    runs = [run for panel in panels for run in panel.group.runs]
    section = Section(
        "setup",
        "What was asked?",
        f"{study.title}: {len(runs)} runs, from the same weights on the same batches in every "
        f"framework.",
    )
    section.blocks.append(
        Facts(
            [
                *((f"Table {grid.name}", grid.question) for grid in study.grid),
                ("Recipe", study.recipe),
                ("dict[str, Any] of its own", _told(study.settings) or "none"),
                ("Corpus", f"{facts['corpus']['name']}, {facts['corpus']['tokens']:,} tokens"),
                ("Machine", f"{on.get('cpu')}, {on.get('cores_used')} of {on.get('cores')} cores"),
                ("Training", f"{figure(seconds, ',.0f')} seconds in all"),
            ]
        )
    )
    sources = {run.facts["source"]["sha256"] for run in runs}
    if len(sources) > 1:
        section.blocks.append(Note(f"Its cells ran from {len(sources)} versions of the source."))
    return section


def _grid(name: str, panels: list[Panel], order: StudyRequest) -> Section:
    grid = next(grid for grid in order.study.grid if grid.name == name)
    section = Section(f"grid-{name}", grid.question, _answer(panels))
    if grid.settings:
        section.blocks.append(Note(f"In this grid: {_told(grid.settings)}."))
    drawn = [(panel, curves(panel.group)) for panel in panels]
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
    guessing = 2.0 * panels[0].group.facts["corpus"]["vocab_size"]
    return float(values.min()) * 0.95, min(float(values.max()), guessing) * 1.05


def _answer(panels: list[Panel]) -> str:
    ends = {panel.title: _end(panel, None) for panel in panels}
    learned = {title: end for title, end in ends.items() if math.isfinite(end)}
    if not learned:
        return "Nothing learned."
    best, worst = min(learned, key=learned.__getitem__), max(learned, key=learned.__getitem__)
    if best == worst:
        return f"{best}: {figure(learned[best], '.3f')}."
    low, high = (figure(learned[each], ".3f") for each in (best, worst))
    said = f"Best {best}, {low}; worst {worst}, {high}"
    lost = len(ends) - len(learned)
    return said + (f"; {lost} of {len(ends)} did not come to an end." if lost else ".")


def _end(panel: Panel, series: Series | None) -> float:
    """The median perplexity at the end, of one series or of all; nan if none was ok."""
    table = panel.group.summary
    table = table if series is None else series.rows(table)
    return float(table[table.status == "ok"][panel.measure].median())


def _ends(panels: list[Panel]) -> Table:
    """A row a panel, a column a series: the perplexity, or what became of it."""
    return _by_panel("Where they ended", panels, _end_cell)


def _end_cell(panel: Panel, series: Series) -> Cell:
    mine = series.rows(panel.group.summary)
    failed = mine[mine.status != "ok"]
    if len(failed):
        statuses = ", ".join(dict.fromkeys(failed.status))
        return Cell(f"{statuses}" + f" ({len(failed)} of {len(mine)})" * (len(mine) > 1), "bad")
    return number(_end(panel, series), ".4f")


def _by_panel(caption: str, panels: list[Panel], cell: Any, folded: bool = False) -> Table:
    names = list(panels[0].varied) or ["runs"]
    every = in_order(pd.concat([panel.group.summary for panel in panels], ignore_index=True))
    rows = []
    for panel in panels:
        told = [Cell(str(value)) for value in panel.varied.values()]
        told = told or [Cell(str(len(panel.group.seeds)))]
        rows.append([*told, *(cell(panel, series) for series in every)])
    heads = [*names, *(series.title for series in every)]
    return Table(caption, heads, rows, tuple(range(len(names))), folded)


def _costs(panels: list[Panel]) -> Iterator[Block]:
    def speed(panel: Panel, series: Series) -> Cell:
        return number(float(series.rows(panel.group.summary).tokens_per_sec.median()), ",.0f")

    def memory(panel: Panel, series: Series) -> Cell:
        return number(float(series.rows(panel.group.summary).peak_memory_mb.median()), ",.0f")

    yield _by_panel("Tokens a second in training", panels, speed, folded=True)
    yield _by_panel("Most memory, MB", panels, memory, folded=True)


def _seeds(panel: Panel) -> Section | None:
    ok = panel.group.summary[panel.group.summary.status == "ok"]
    ends = {}
    for series in panel.group.series:
        mine = series.rows(ok).sort_values("seed")
        if mine.seed.tolist() == panel.group.seeds:
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
                f"Over {len(panel.group.seeds)} seeds a framework's last perplexity spreads "
                f"by {figure(spread, '.2%')} (a standard deviation). Two are equivalent if the "
                "95 % interval of their median difference, seed by seed, lies within that."
            ),
            Table(
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


def _reproduce(order: StudyRequest, panels: list[Panel]) -> Section:
    facts = panels[0].group.facts
    runs = [run for panel in panels for run in panel.group.runs]
    told = "that of this report" if provenance.unchanged(runs) else "not that of this report"
    return Section(
        "reproduce",
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


def _told(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def titles(order: StudyRequest, backends: list[str]) -> tuple[str, str]:
    """Title and subject of the report."""
    names = [framework(name) for name in backends]
    return order.study.title, f"A study in {', '.join(names)}"
