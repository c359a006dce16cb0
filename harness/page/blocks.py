"""Blocks of a section; the page and the Markdown each write a block in their own way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from harness.console import figure
from harness.page.figure import Figure
from harness.page.rosetta import Excerpt
from harness.page.series import Series, framework

Tone = Literal["", "good", "bad", "quiet"]

TONES: dict[str, Tone] = {"faster": "good", "slower": "bad"}
"""Tones of verdicts on speed; any other is quiet."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: its words or number.
        tone: sense in which to take it.
        backend: name of the one whose colour and shape it bears.
        share: from 0 to 1, drawn as a bar behind a number; None for no bar.
    """

    text: str
    tone: Tone = ""
    backend: str = ""
    share: float | None = None


NONE = Cell("-", "quiet")
"""A cell that has nothing to say."""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: summary of its contents.
        heads: the columns; those in `texts` hold words, the others numbers.
        rows: cells by column; the first column names the row.
        texts: the columns, from 0, whose cells are words.
        folded: True if it is opened only on demand.
    """

    kind = "grid"
    caption: str
    heads: list[str]
    rows: list[list[Cell]]
    texts: tuple[int, ...] = (0,)
    folded: bool = False


@dataclass(frozen=True)
class Chart:
    """A figure, and the table that says the same, which is opened on demand.

    Attributes:
        figure, grid: the two.
        half: True if another stands beside it, where there is room.
    """

    kind = "chart"
    figure: Figure
    grid: Table
    half: bool = False


@dataclass(frozen=True)
class Multiples:
    """Small figures of one kind, side by side, whose axes are the same.

    Where they end stands in a table of its own.
    """

    kind = "multiples"
    caption: str
    figures: list[Figure]


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    kind = "note"
    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Facts:
    """Terms and what stands behind them."""

    kind = "facts"
    pairs: list[tuple[str, str]]


@dataclass(frozen=True)
class Command:
    """Command to type."""

    kind = "command"
    text: str


@dataclass(frozen=True)
class Voice:
    """A text, and who wrote it.

    Attributes:
        prefix, text: the beginning that was given, and its continuation.
        agrees: number of characters of `text` that are those of the first voice beside it.
        writers: the series that wrote it.
        unanimous: True if these are several, and all that wrote.
    """

    prefix: str
    text: str
    agrees: int
    writers: list[Series]
    unanimous: bool


@dataclass(frozen=True)
class Texts:
    """Texts written after each epoch, from one seed.

    Attributes:
        prefix: the beginning that all were given; it may be read from right to left.
        seed: the seed, in words; empty where there is one alone.
        epochs: the voices by epoch.
        folded: True if it is opened only on demand.
    """

    kind = "texts"
    prefix: str
    seed: str
    epochs: dict[int, list[Voice]]
    folded: bool

    @property
    def caption(self) -> str:
        """Prefix and seed, as plain text."""
        return f"After “{self.prefix}”{self.seed}"


@dataclass(frozen=True)
class Rosetta:
    """Functions side by side in every framework, by topic."""

    kind = "rosetta"
    topics: dict[str, list[Excerpt]]

    @property
    def frameworks(self) -> dict[str, str]:
        """The titles of the frameworks it shows, by backend."""
        found = dict.fromkeys(each.backend for topic in self.topics.values() for each in topic)
        return {backend: framework(backend) for backend in found}


@dataclass(frozen=True)
class Details:
    """Blocks that are opened on demand, under a line that says what they are."""

    kind = "details"
    summary: str
    blocks: list[Block]


Block = Table | Chart | Multiples | Note | Facts | Command | Texts | Rosetta | Details


@dataclass
class Section:
    """A question, its answer in a sentence, and what the answer stands on.

    Attributes:
        name: of its place in the page; a noun, which the contents show.
        question, answer, blocks: what it tells.
        part: the study that it belongs to, where a report has several; empty for all of them.
    """

    name: str
    question: str
    answer: str
    blocks: list[Block] = field(default_factory=list)
    part: str = ""

    @property
    def noun(self) -> str:
        """Its name as the contents show it."""
        return re.sub("[_-]", " ", self.name.removeprefix("grid-"))


def flat(blocks: Sequence[Block]) -> Iterator[Block]:
    """Blocks and the blocks in them, in their order."""
    for block in blocks:
        yield block
        if isinstance(block, Details):
            yield from flat(block.blocks)


def figures(sections: Sequence[Section]) -> list[Figure]:
    """Every figure of some sections."""
    found: list[Figure] = []
    for section in sections:
        for block in flat(section.blocks):
            if isinstance(block, Chart):
                found.append(block.figure)
            elif isinstance(block, Multiples):
                found += block.figures
    return found


def without_figures(sections: Sequence[Section]) -> list[Section]:
    """Sections as they are where nothing can be drawn: tables alone."""
    return [replace(section, blocks=_undrawn(section.blocks)) for section in sections]


def _undrawn(blocks: Sequence[Block]) -> list[Block]:
    found: list[Block] = []
    for block in blocks:
        match block:
            case Chart():
                found.append(replace(block.grid, folded=True))
            case Multiples():
                pass
            case Details():
                found.append(replace(block, blocks=_undrawn(block.blocks)))
            case _:
                found.append(block)
    return found


def number(value: float | None, form: str, tone: Tone = "") -> Cell:
    """A number in a cell; a dash where there is none."""
    if value is None or math.isnan(value):
        return NONE
    return Cell("never" if math.isinf(value) else figure(value, form), tone)


def named(series: Series) -> Cell:
    """The cell that names a row by its backend and variant."""
    return Cell(series.title, backend=series.backend)


def between(low: float, high: float, form: str = ".2f") -> Cell:
    """The cell of an interval; a dash where there is none."""
    return NONE if math.isnan(low) else Cell(f"{figure(low, form)} to {figure(high, form)}")
