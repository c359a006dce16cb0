"""Text of a record as a report shows it: safe, of bounded length, and without anybody's home."""

from __future__ import annotations

import re

from harness.console import printable

LONGEST = 4000
"""Characters of a text in a report; the files of the run have all of it."""

HOME = re.compile(r"(?<![\w.~/-])(?:/(?:home|Users)/[^/\s:=,;'\"]+|/root)(?![^/\s:=,;'\")])")
"""Home folder of whoever ran a command, on this machine or on another."""


def shown(text: str) -> str:
    """A text from a record: safe on a page, with ``~`` for a home, and cut where it is too long."""
    return printable(HOME.sub("~", cut(text)))


def cut(text: str, longest: int = LONGEST) -> str:
    """The beginning of a text that is too long for a page, and how much of it is left out."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text) - longest:,} more characters are left out)"
