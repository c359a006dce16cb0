"""All sections of a report, in the order in which people ask."""

from __future__ import annotations

from harness.page.blocks import Note, Rosetta, Section
from harness.page.rosetta import rosetta
from harness.report.circumstances import again, compared, source_note
from harness.report.cost import cost
from harness.report.learning import learn
from harness.report.proof import right
from harness.report.speed import fast
from harness.report.studies import Report
from harness.report.writing import write


def sections(report: Report) -> list[Section]:
    """Question by question."""
    return [
        compared(report),
        right(report),
        fast(report),
        learn(report),
        write(report),
        cost(report),
        same(report),
        again(report),
    ]


def same(report: Report) -> Section:
    """The Rosetta view."""
    return Section(
        "same",
        "How does it look in each?",
        "The same function, by the same name, in every framework, side by side.",
        [Note(source_note(report)), Rosetta(rosetta())],
    )
