"""Tables of results: CSV as it was written, its columns as Pydantic knows them."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ValidationError

from common.errors import RequestError
from harness.console import printable
from harness.records.agreement import damaged
from harness.records.cells import reader_of, unguarded


def holds(folder: Path, name: str) -> bool:
    """True if a folder has a file of this name."""
    return os.path.isfile(folder / name)  # Path.is_file raises where a name is too long


def content(path: Path) -> bytes:
    """Content of a file.

    Raises:
        RequestError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError(printable(f"{path}: cannot be read: {error.strerror}")) from error


def table(path: Path, columns: type[BaseModel]) -> pd.DataFrame:
    """A table by its columns.

    Raises:
        RequestError: it is not there, or damaged.
    """
    if not holds(path.parent, path.name):
        raise damaged(path, "no such file")
    header, rows, lines = _cells(path)
    cells = zip(*rows, strict=True) if rows else [()] * len(header)
    try:
        found = columns.model_validate(dict(zip(header, cells, strict=True)))
    except ValidationError as error:
        first = error.errors()[0]
        name, *index = first["loc"]
        if not index:
            raise damaged(path, f"it has no column {name}") from error
        where = f"line {lines[int(index[0])]}, {name} {str(first['input'])[:40]!r}"
        raise damaged(path, f"{where}: {first['msg']}") from error
    return pd.DataFrame(dict(found))


def _cells(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """The header, the rows, and the line on which each row ends."""
    try:
        text = content(path).decode()
    except UnicodeDecodeError as error:
        raise damaged(path, f"not UTF-8 at byte {error.start}") from error
    if "\0" in text:
        raise damaged(path, "it holds a zero byte")
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        with reader_of(text) as reader:
            header: list[str] = next(reader, [])
            for row in reader:
                if len(row) != len(header):
                    what = f"line {reader.line_num}: {len(row)} cells under {len(header)} headings"
                    raise damaged(path, what)
                rows.append([unguarded(cell) for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise damaged(path, f"not CSV: {error}") from error
    return header, rows, lines
