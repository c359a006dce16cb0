"""All answers and sections of a report of runs, in the order in which people ask."""

from __future__ import annotations

from backends import BACKENDS
from harness.bench import report as bench
from harness.page.blocks import Details, Note, Rosetta, Section
from harness.page.rosetta import rosetta
from harness.page.told import Answer
from harness.report import cost, learning_curves, throughput
from harness.report.accuracy import accuracy
from harness.report.groups import Report, RunGroup
from harness.report.samples import samples
from harness.report.setup import reproduce, setup, source_note


def answers(report: Report) -> list[Answer]:
    """Right? fast? learns? costs?"""
    first = report.groups[0]
    return [
        accuracy(report)[0],
        bench.answer(report.benches, first.shape) if report.benches else throughput.answer(first),
        learning_curves.answer(report),
        cost.answer(first),
    ]


def sections(report: Report) -> list[Section]:
    """Sections on all, then study by study, then on how to do it again."""
    told = [accuracy(report)[1]]
    if report.benches:
        told.append(bench.benchmark(report.benches, report.groups[0].shape))
    for group in report.groups:
        told += _study(group, bool(report.benches))
    return [*told, source_side_by_side(report), *_setups(report), reproduce(report)]


def _study(group: RunGroup, timed: bool) -> list[Section]:
    """Sections of a group: by themselves, or a part of the report."""
    speeds = throughput.throughput(group)
    if timed or not group.alone:
        speeds.blocks = [Details("Throughput while training", speeds.blocks)]
    told = [learning_curves.learning_curves(group), speeds, cost.cost(group), samples(group)]
    if group.alone:
        return [speeds, told[0], *told[2:]]
    for section in (own := [*told, setup(group)]):
        section.part = group.title
    return own


def _setups(report: Report) -> list[Section]:
    return [setup(group) for group in report.groups if group.alone]


def source_side_by_side(report: Report) -> Section:
    """The Rosetta view."""
    view, notes = Rosetta(rosetta()), [Note(source_note(report))]
    if others := [name for backend, name in view.frameworks.items() if backend not in BACKENDS]:
        notes.append(Note(f"The code of {', '.join(others)} is a plug-in's, as it is here now."))
    return Section(
        "source_side_by_side",
        "How does it look in each?",
        "The same function, by the same name, in every framework, side by side.",
        [view, *notes],
    )
