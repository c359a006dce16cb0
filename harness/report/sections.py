"""All sections of a report, in the order in which people ask."""

from __future__ import annotations

from backends import BACKENDS
from harness.page.blocks import Note, Rosetta, Section
from harness.page.rosetta import rosetta
from harness.report.accuracy import accuracy
from harness.report.cost import cost
from harness.report.groups import Report
from harness.report.learning_curves import learning_curves
from harness.report.samples import samples
from harness.report.setup import reproduce, setup, source_note
from harness.report.throughput import throughput


def sections(report: Report) -> list[Section]:
    """Question by question."""
    return [
        setup(report),
        accuracy(report),
        throughput(report),
        learning_curves(report),
        samples(report),
        cost(report),
        source_side_by_side(report),
        reproduce(report),
    ]


def source_side_by_side(report: Report) -> Section:
    """The Rosetta view."""
    view, notes = Rosetta(rosetta()), [Note(source_note(report))]
    if others := [name for backend, name in view.frameworks.items() if backend not in BACKENDS]:
        notes.append(Note(f"The code of {', '.join(others)} is a plug-in's, as it is here now."))
    return Section(
        "source_side_by_side",
        "How does it look in each?",
        "The same function, by the same name, in every framework, side by side.",
        [*notes, view],
    )
