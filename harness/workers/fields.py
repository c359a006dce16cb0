"""Fields of events, each within the range that an honest worker keeps to."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

LINE_CHARS = 1000
"""Characters of a reason or a name, at most."""


def in_line(text: str) -> str:
    """A text in one line that is safe on a terminal, and not without end."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(shown.split())[:LINE_CHARS]


Number = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Duration = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Line = Annotated[str, AfterValidator(in_line)]
