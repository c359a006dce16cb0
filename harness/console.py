"""How the commands speak: to a terminal, to a log, and to a program."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console


def screen() -> Console:
    """Where people read: the terminal in its own width, anything else wide enough for a table."""
    return Console(width=None if sys.stdout.isatty() else 120)


def note(text: str) -> None:
    """Print a line that is neither result nor error, such as that threads are fewer than asked."""
    if text:
        print(f"note: {text}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Print strict JSON, escaped where the stream has no letter for it.

    A number that is not finite becomes null.
    """
    plain = json.loads(json.dumps(value), parse_constant=lambda _: None)
    text = json.dumps(plain, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(plain, indent=2)
    print(text)
