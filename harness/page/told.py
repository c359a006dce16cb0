"""Contents of a report: the answers of its first screen, each with a small chart; the sections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.page.blocks import Note, Section


@dataclass(frozen=True)
class Bar:
    """A row of a small chart.

    Attributes:
        title: its name.
        backend: name of the one whose colour and shape it bears; empty for none.
        value: where it ends.
        text: the value in words.
        low, high: its interval, where there is one.
        best: True if nothing is better than it.
    """

    title: str
    backend: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    best: bool = False


@dataclass(frozen=True)
class Bars:
    """A small chart of rows: bars from 0, or dots on a logarithmic axis.

    Attributes:
        words: description for a reader who does not see it.
        rows: at least one, of finite values.
        log: True for dots on a logarithmic axis.
        rule: where a line crosses all rows, and its name.
    """

    kind = "bars"
    words: str
    rows: list[Bar]
    log: bool = False
    rule: tuple[float, str] | None = None

    def at(self, value: float) -> str:
        """The place of a value, as a percentage of the chart's width."""
        ends = [end for row in self.rows for end in (row.value, row.low, row.high) if end]
        ends += [self.rule[0]] if self.rule else []
        if self.log:
            low, high = min(ends) / 3, max(ends) * 3
            share = math.log(max(value, low) / low) / math.log(high / low)
        else:
            share = value / (max(ends, default=0) or 1)
        return f"{100 * share:.2f}%"


@dataclass(frozen=True)
class Spark:
    """A small chart of a curve that falls, on a logarithmic axis.

    Attributes:
        words: description for a reader who does not see it.
        points: x and y above 0, by rising x.
        text: the last value in words.
        rules: where lines cross it, and their names.
        band: the lowest and highest of what was published, where there is such a thing.
    """

    kind = "spark"
    words: str
    points: list[tuple[float, float]]
    text: str
    rules: list[tuple[float, str]] = field(default_factory=list)
    band: tuple[float, float] | None = None

    def down(self, value: float) -> float:
        """The place of a value from the top, in percent of the chart's height."""
        ends = [y for _, y in self.points] + [y for y, _ in self.rules] + [*(self.band or ())]
        low, high = min(ends) * 0.9, max(ends)
        return 100 * (1 - math.log(value / low) / math.log(high / low))

    @property
    def path(self) -> str:
        """The curve as the points of an SVG's polyline in a box of 100 by 100."""
        first, last = self.points[0][0], self.points[-1][0]
        wide = (last - first) or 1
        return " ".join(
            f"{100 * (x - first) / wide:.2f},{self.down(y):.2f}" for x, y in self.points
        )


@dataclass(frozen=True)
class Answer:
    """An answer on the first screen, which leads to its section.

    Attributes:
        question: in a word or a few.
        text: a sentence with its numbers.
        section: the name of the section that it leads to.
        chart: a small chart that shows it, where there is one.
        good: False if all is not well.
    """

    question: str
    text: str
    section: str
    chart: Bars | Spark | None = None
    good: bool = True


@dataclass(frozen=True)
class Told:
    """Contents of a report.

    Attributes:
        title, about: its title and subject.
        backends: names of those it speaks of.
        answers: of the first screen.
        sections: in order.
        notices: what a reader has to know before anything else.
    """

    title: str
    about: str
    backends: list[str]
    answers: list[Answer]
    sections: list[Section]
    notices: list[Note] = field(default_factory=list)

    @property
    def parts(self) -> list[tuple[str, list[Section]]]:
        """The sections by the study they belong to; those of all have no name."""
        found: list[tuple[str, list[Section]]] = []
        for section in self.sections:
            if not found or found[-1][0] != section.part:
                found.append((section.part, []))
            found[-1][1].append(section)
        return found


def answers_of(sections: Sequence[Section], most: int = 4) -> list[Answer]:
    """The answers of the first sections, for a report whose first screen asks nothing else."""
    return [Answer(each.question, each.answer, each.name) for each in sections[:most]]
