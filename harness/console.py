"""Tables and lines on a terminal, and JSON for programs."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

from common.files import strict

STYLES = {"ok": "green", "ok, unjudged": "yellow", "unavailable": "yellow", "interrupted": "yellow"}


JOINERS = "\u200c\u200d"
"""Without width, and part of the spelling of Persian, Hindi and others: they stay."""


def printable(text: str) -> str:
    """A text from outside, safe on a terminal: what does not print is shown as a dot."""
    return "".join(char if char.isprintable() or char in JOINERS else "·" for char in text)


LONGEST_WORD, LONGEST = 160, 1000
"""Characters of a word in a message, and of all of it: of a longer one the middle is left out."""


def in_brief(text: str) -> str:
    """A message on one line, safe on a terminal, without the middle of what is too long to read."""
    line = printable(" ".join(text.splitlines()))
    words = re.sub(rf"\S{{{LONGEST_WORD},}}", lambda word: _cut(word[0], LONGEST_WORD), line)
    return _cut(words, LONGEST)


def _cut(text: str, longest: int) -> str:
    end = longest // 4
    return text if len(text) <= longest else f"{text[: longest - end]}…{text[-end:]}"


WIDEST = 12
"""Characters of a number in a column; a wider one is told by its exponent."""


def figure(value: float | None, form: str) -> str:
    """A number in a column, at most `WIDEST` wide; a dash where there is none."""
    if value is None or math.isnan(value):
        return "-"
    number: float | Decimal = value
    if form.endswith("%") and math.isfinite(value):
        number = Decimal(value)  # a hundred times the largest numbers is beyond every float
    text = format(number, form)
    if len(text) <= WIDEST:
        return text
    return f"{100 * number:.3e}%" if form.endswith("%") else f"{value:.3e}"


def titled(title: str, show_header: bool = True) -> Table:
    """An empty table in the one style of this program: narrow enough for 80 columns."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="underline",
        show_header=show_header,
        box=None,
        padding=(0, 2, 0, 0),
    )


ROOMY = 100  # columns of text; a narrower terminal gets the table without its last details


class Screen(Console):
    """A console on which nothing from outside moves the cursor or turns a line around."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """The segments of what is printed, each of them `printable` but for line ends."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                lines = "\n".join(map(printable, segment.text.split("\n")))
                yield Segment(lines, segment.style)


def screen() -> Console:
    """Console for people: a terminal in its own width, anything else wide enough for a table."""
    return Screen(width=None if sys.stdout.isatty() else 120)


def note(text: str) -> None:
    """Print a line that is neither result nor error, such as that threads are fewer than asked."""
    if text:
        print(f"note: {in_brief(text)}", file=sys.stderr)


FORMAT = 1
"""Version of every JSON file that a command leaves or prints; one without is of version 1.

``docs/output.schema.json`` is its schema.
"""


def print_json(value: Any) -> None:
    """Print strict JSON, escaped where a character does not print or the stream has none for it.

    A number that is not finite becomes null; an object begins with its version.
    """
    plain = strict({"format": FORMAT} | value if isinstance(value, dict) else value)
    text = json.dumps(plain, indent=2, ensure_ascii=False)
    safe = "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)
    try:
        safe.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        safe = json.dumps(plain, indent=2)
    print(safe)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]
