"""Text in a CSV file that stays text in a spreadsheet: a formula is written with an apostrophe.

A number is written as a number. Reading a table back takes the apostrophe off again.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""Beginning of a text that a spreadsheet computes, or that would read as guarded already."""


def guarded(cell: Any) -> Any:
    """A cell as it is written."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """A cell as it was before `guarded`."""
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell) else cell


def csv_of(table: pd.DataFrame) -> str:
    """A table as CSV, its texts guarded."""
    # With these ends of lines pandas puts a carriage return of a text in quotes.
    return str(table.map(guarded).to_csv(index=False, lineterminator="\r\n"))
