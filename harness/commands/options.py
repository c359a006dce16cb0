"""What the commands share: the groups and types of their options, and how they speak."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

from cyclopts import Group, Parameter
from rich.console import Console

CHOICE, DATA, NETWORK, TRAINING, OUTPUT = (
    Group(name, sort_key=key)
    for key, name in enumerate(["What to run", "Data", "Network", "Training", "Output"])
)

Names = Annotated[list[str] | None, Parameter(negative=(), group=CHOICE)]
Flag = Annotated[bool, Parameter(negative=(), group=OUTPUT)]


def split(names: list[str] | None) -> tuple[str, ...]:
    """Names that were repeated or separated by commas, each once."""
    parts = [part.strip() for name in names or [] for part in name.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


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
