"""What the commands share: the groups and types of their options."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Group, Parameter

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
