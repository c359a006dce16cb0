"""The report of a study: every grid's question, its small multiples, and what came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from common.errors import RequestError
from harness.console import figure, printable
from harness.page import provenance
from harness.page.blocks import (
    Block,
    Cell,
    Chart,
    Details,
    Facts,
    Multiples,
    Note,
    Section,
    Table,
    Tone,
    between,
    number,
)
from harness.page.figure import MOST
from harness.page.series import Series, framework, in_order
from harness.page.told import Answer, Bar, Bars, Told, answers_of
from harness.records.agreement import damaged
from harness.records.json_schemas import StudyFacts
from harness.records.reading import record
from harness.report.curves import curves
from harness.report.lines import at_most_five
from harness.study.charts import effect_sizes, multiple, where_they_end
from harness.study.costs import APART, by_panel, costs, hosts, machines
from harness.study.effects import Effect, by_row, effects, ends
from harness.study.equivalence import FEWEST
from harness.study.grid import Study
from harness.study.panels import Panel, panels_of
from harness.study.run import StudyRequest, read_cells
from harness.study.seeds import seeds
from harness.study.words import in_words


def told_of(folders: Sequence[Path]) -> Told:
    """The report of the study in a folder.

    Raises:
        RequestError: it has not ended, its record is damaged, or a cell has no finished run.
    """
    (folder,) = folders
    facts = record(folder, "study.json", StudyFacts)
    if facts["status"] != "finished":
        raise RequestError(
            printable(f"{folder}: its study is {facts['status']}: start it again, with this --out")
        )
    try:
        study = Study(**facts["study"])
    except ValidationError as error:
        raise damaged(folder / "study.json", "its study is none") from error
    return told_of_study(StudyRequest(study, folder, None, {}))


def told_of_study(order: StudyRequest) -> Told:
    """The report of a study: an answer for each grid, then what each stands on."""
    panels = panels_of(order)
    every = [panel for found in panels.values() for panel in found]
    told = (seeds(panel) for panel in every if len(panel.group.seeds) >= FEWEST)
    compared = [section for section in told if section]
    sections = [
        *(_grid(name, found, order) for name, found in panels.items()),
        *compared,
        _setup(order, every),
        _reproduce(order, every),
    ]
    answers = [_card(*each) for each in zip(sections, panels.values(), strict=False)]
    answers += answers_of(compared)
    backends = backends_of(order)
    about = f"A study in {', '.join(framework(name) for name in backends)}"
    return Told(order.study.title, about, backends, answers, sections)


def backends_of(sections_of: StudyRequest) -> list[str]:
    """The backends of a study, each once, in the order of the registry."""
    table = pd.concat([data.summary for _, data in read_cells(sections_of)], ignore_index=True)
    return list(dict.fromkeys(series.backend for series in in_order(table)))


def _setup(order: StudyRequest, panels: list[Panel]) -> Section:
    study, facts = order.study, panels[0].group.facts
    seconds = sum(float(panel.group.epochs.seconds.sum()) for panel in panels)
    runs = [run for panel in panels for run in panel.group.runs]
    section = Section(
        "setup",
        "What was asked?",
        f"{study.title}: {len(runs)} runs, from the same weights on the same batches in every "
        f"framework.",
    )
    facts_ = Facts(
        [
            *((f"Grid {grid.name}", grid.question) for grid in study.grid),
            ("Recipe", study.recipe),
            ("Settings of its own", _told(study.settings) or "none"),
            ("Corpus", f"{facts['corpus']['name']}, {facts['corpus']['tokens']:,} tokens"),
            *machines(runs),
            ("Training", f"{figure(seconds, ',.0f')} seconds in all"),
        ]
    )
    section.blocks.append(Details("Grids, recipe, corpus and machine", [facts_]))
    if len(hosts(runs)) > 1:
        section.blocks.append(Note(f"Its rows ran on {len(hosts(runs))} machines. {APART}"))
    sources = {run.facts["source"]["sha256"] for run in runs}
    if len(sources) > 1:
        section.blocks.append(Note(f"Its cells ran from {len(sources)} versions of the source."))
    return section


def _card(section: Section, panels: list[Panel]) -> Answer:
    """The answer of the first screen on a grid: its best cells."""
    table = ends(panels)
    by = "panel" if table.panel.nunique() > 1 else "seed"
    medians = table.groupby(by, sort=False).end.median().dropna().sort_values(kind="stable")
    rows = [
        Bar(f"{'seed ' * (by == 'seed')}{title}", "", float(end), figure(float(end), ".3f"))
        for title, end in medians.head(MOST).items()
    ]
    if not rows:
        return Answer(section.question, section.answer, section.name, good=False)
    rows = [replace(row, best=row.text == rows[0].text) for row in rows]
    words = "; ".join(f"{row.title} {row.text}" for row in rows)
    bars = Bars(f"Last perplexities, the best first: {words}.", rows)
    return Answer(section.question, section.answer, section.name, bars)


def _grid(name: str, panels: list[Panel], order: StudyRequest) -> Section:
    grid = next(grid for grid in order.study.grid if grid.name == name)
    table, names = ends(panels), list(panels[0].varied)
    sizes = effects(table, names)
    section = Section(f"grid-{name}", grid.question, in_words(table, names, sizes))
    if grid.settings:
        section.blocks.append(Note(f"In this grid: {_told(grid.settings)}."))
    several = len(names) > 1 and len(sizes) > 0
    if several:
        figure_ = effect_sizes(f"{name}-effects", "Effect of each setting, the best first", sizes)
        section.blocks.append(Chart(figure_, _effects(sizes), half=True))
    drawn = by_row(table)
    if len(drawn):
        title = "Every cell, the best first" if names else "Every seed, the best first"
        chart = where_they_end(f"{name}-ends", title, drawn)
        section.blocks.append(Chart(chart, _ends(panels), half=several))
    else:
        section.blocks.append(_ends(panels))
    section.blocks += [*_curves(name, panels), Details("What each cost", [*costs(panels)])]
    return section


def _effects(sizes: list[Effect]) -> Table:
    """Multiples of perplexity, and what their intervals are of."""
    rows = [
        [
            Cell(each.title),
            number(each.times.median, ".3f"),
            between(each.times.low, each.times.high, ".3f"),
            Cell(each.times.of or "one pair"),
        ]
        for each in sizes
    ]
    heads = ["setting", "times the perplexity", "from, to", "these are"]
    return Table("Perplexity with one setting changed", heads, rows, (0, 3))


def _curves(name: str, panels: list[Panel]) -> Iterator[Block]:
    drawn = [(panel, curves(panel.group)) for panel in panels]
    drawn = [(panel, table) for panel, table in drawn if len(table)]
    if not drawn:
        return
    measure = panels[0].measure
    domain = _domain([table for _, table in drawn], panels)
    figures = [
        multiple(f"{name}-{number_}", panel.title, at_most_five(table), measure, domain)
        for number_, (panel, table) in enumerate(drawn, 1)
    ]
    what = "Validation perplexity" if measure.startswith("val") else "Perplexity"
    caption = f"{what} by epoch, logarithmic, on the same axis in each"
    yield Details("How each learned", [Multiples(caption, figures)])


def _domain(tables: list[pd.DataFrame], panels: list[Panel]) -> tuple[float, float]:
    """Range of every multiple: nothing above twice what guessing gives, the vocabulary's size."""
    measure = panels[0].measure
    values = pd.concat([table[measure] for table in tables])
    guessing = 2.0 * panels[0].group.facts["corpus"]["vocab_size"]
    return float(values.min()) * 0.95, min(float(values.max()), guessing) * 1.05


def _end(panel: Panel, series: Series | None) -> float:
    """The median perplexity at the end, of one series or of all; nan if none was ok."""
    table = panel.group.summary
    table = table if series is None else series.rows(table)
    return float(table[table.status == "ok"][panel.measure].median())


def _ends(panels: list[Panel]) -> Table:
    """A row a panel, a column a series: the perplexity, or what became of it."""
    return by_panel("Where they ended", panels, _end_cell)


def _end_cell(panel: Panel, series: Series) -> Cell:
    mine = series.rows(panel.group.summary)
    failed = mine[mine.status != "ok"]
    if len(failed):
        statuses = ", ".join(dict.fromkeys(failed.status))
        tone: Tone = "quiet" if statuses == "unavailable" else "bad"
        return Cell(f"{statuses}" + f" ({len(failed)} of {len(mine)})" * (len(mine) > 1), tone)
    return number(_end(panel, series), ".4f")


def _reproduce(order: StudyRequest, panels: list[Panel]) -> Section:
    facts = panels[0].group.facts
    runs = [run for panel in panels for run in panel.group.runs]
    told = "that of this report" if provenance.unchanged(runs) else "not that of this report"
    made_of = [
        ("Source", f"{facts['source']['revision'] or 'not in git'}, {told}"),
        provenance.versions(*(run.facts for run in runs)),
        provenance.corpus(facts),
    ]
    return Section(
        "reproduce",
        "How do I run it again?",
        "With the same command: cells that are finished are not run again.",
        [
            provenance.command(facts["command"]),
            Details("Source and versions", [Facts(made_of)]),
        ],
    )


def _told(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
