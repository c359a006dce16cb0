"""Text in a CSV file that stays text in a spreadsheet: a formula is written with an apostrophe.

A number is written as a number. Reading a table back takes the apostrophe off again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


def lines_of(rows: Iterable[Iterable[Any]]) -> str:
    """Rows of cells as lines of CSV, as they are."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


@contextmanager
def reader_of(text: str) -> Iterator[Any]:
    """A `csv.reader` of a text for this block; a cell may be as long as the text.

    A text that a network wrote may be longer than csv's own limit.
    """
    limit = csv.field_size_limit(len(text))
    try:
        yield csv.reader(io.StringIO(text, newline=""), strict=True)
    finally:
        csv.field_size_limit(limit)
