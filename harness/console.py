"""Tables and lines on a terminal, and JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from common.files import strict

STYLES = {"ok": "green", "ok, unjudged": "yellow", "unavailable": "yellow", "interrupted": "yellow"}


JOINERS = "\u200c\u200d"
"""Without width, and part of the spelling of Persian, Hindi and others: they stay."""


def printable(text: str) -> str:
    """A text from outside, safe on a terminal: what does not print is shown as a dot."""
    return "".join(char if char.isprintable() or char in JOINERS else "·" for char in text)


def figure(value: float | None, form: str) -> str:
    """A number in a column; a dash where there is none."""
    return "-" if value is None else format(value, form)


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


def screen() -> Console:
    """Console for people: a terminal in its own width, anything else wide enough for a table."""
    return Console(width=None if sys.stdout.isatty() else 120)


def note(text: str) -> None:
    """Print a line that is neither result nor error, such as that threads are fewer than asked."""
    if text:
        print(f"note: {text}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Print strict JSON, escaped where the stream has no letter for it.

    A number that is not finite becomes null.
    """
    plain = strict(value)
    text = json.dumps(plain, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(plain, indent=2)
    print(text)
