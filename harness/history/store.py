"""The file of a history: SQLite, which is one file, needs nothing else and answers questions.

SQLite's own journal makes every change whole or none, and its lock lets one process write at a
time; so nothing is written aside here. ``PRAGMA application_id`` says whose file it is, and
``PRAGMA user_version`` of which version.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import BaseModel, Field, ValidationError

from common.errors import RequestError, StorageError
from harness.console import printable
from harness.history.entries import Entry
from harness.records.columns import numbers, texts, truths

APPLICATION, VERSION = 0x524E4E52, 1
"""``RNNR``, and the version of the tables below."""

PATIENCE_SECONDS = 5.0
"""Longest that is waited for another process that writes."""

TABLES = """
CREATE TABLE entry (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL, revision TEXT NOT NULL,
    modified INTEGER NOT NULL, source TEXT NOT NULL, machine TEXT NOT NULL, system TEXT NOT NULL,
    folder TEXT NOT NULL
) STRICT;
CREATE TABLE figure (
    entry TEXT NOT NULL REFERENCES entry, measure TEXT NOT NULL, backend TEXT NOT NULL,
    variant TEXT NOT NULL, "of" TEXT NOT NULL, place TEXT NOT NULL, value REAL NOT NULL,
    low REAL, high REAL, versions TEXT NOT NULL,
    PRIMARY KEY (entry, measure, backend, variant, "of", place)
) STRICT, WITHOUT ROWID;
"""

SERIES = ["measure", "backend", "variant", "of", "place", "machine"]
"""Columns that name a series: what is comparable from one entry to the next."""

ENTRY = "key kind at revision modified source machine system folder".split()
FIGURE = 'entry measure backend variant "of" place value low high versions'.split()

FULL = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO}

NoneIsNaN = Annotated[list[float | None], numbers]


class HistoryTable(BaseModel):
    """All figures with what their entries say, in order of time."""

    key: Annotated[list[str], texts]
    kind: Annotated[list[str], texts]
    at: Annotated[list[Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT[\d:]+\+00:00$")]], texts]
    revision: Annotated[list[str], texts]
    modified: Annotated[list[bool], truths]
    source: Annotated[list[str], texts]
    machine: Annotated[list[str], texts]
    system: Annotated[list[str], texts]
    folder: Annotated[list[str], texts]
    measure: Annotated[list[str], texts]
    backend: Annotated[list[str], texts]
    variant: Annotated[list[str], texts]
    of: Annotated[list[str], texts]
    place: Annotated[list[str], texts]
    value: Annotated[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], numbers]
    low: NoneIsNaN
    high: NoneIsNaN
    versions: Annotated[list[str], texts]


def add(path: Path, entries: Iterable[Entry]) -> int:
    """Add entries to a file, which is made if it is not there, all of them or none.

    Returns:
        Number of those that it did not hold yet.

    Raises:
        RequestError: the file is not a history, is of a later version, cannot be written, or
            another process is writing it.
        StorageError: the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(f"--db {path}: cannot be written: {error.strerror}") from error
    with _opened(path, "rwc") as file:
        file.execute("BEGIN IMMEDIATE")
        if _is_empty(file):
            for statement in filter(str.strip, TABLES.split(";")):
                file.execute(statement)
            file.execute(f"PRAGMA application_id = {APPLICATION}")
            file.execute(f"PRAGMA user_version = {VERSION}")
        _check(path, file)
        new = 0
        for entry in entries:
            told = asdict(entry)
            row = [told[name] for name in ENTRY]
            added = file.execute(f"INSERT OR IGNORE INTO entry VALUES ({_marks(ENTRY)})", row)
            if not added.rowcount:
                continue
            new += 1
            figures = [[entry.key, *asdict(each).values()] for each in entry.figures]
            file.executemany(f"INSERT INTO figure VALUES ({_marks(FIGURE)})", figures)
        file.execute("COMMIT")
    return new


def read(path: Path) -> pd.DataFrame:
    """All figures of a file, by the columns of `HistoryTable`, in order of time.

    Raises:
        RequestError: there is no such file, it is no history, of a later version, damaged, or
            holds no figure.
    """
    if not os.path.isfile(path):
        raise RequestError(
            printable(f"--db {path}: no such file: python -m harness history add FOLDER makes one")
        )
    with _opened(path, "ro") as file:
        _check(path, file)
        if file.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise RequestError(printable(f"--db {path}: damaged: make it anew with history add"))
        names = [*ENTRY, *FIGURE[1:]]
        found = file.execute(
            f"SELECT {', '.join(names)} FROM figure JOIN entry ON entry = key "
            "ORDER BY at, key, measure, backend, variant"
        ).fetchall()
    if not found:
        raise RequestError(printable(f"--db {path}: holds no figure yet: nothing in it is ok"))
    columns = zip(*found, strict=True)
    cells = {name.strip('"'): column for name, column in zip(names, columns, strict=True)}
    try:
        return pd.DataFrame(dict(HistoryTable.model_validate(cells)))
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{first['loc'][0]} {str(first['input'])[:40]!r}: {first['msg']}"
        raise RequestError(printable(f"--db {path}: damaged: {where}")) from error


def _marks(columns: list[str]) -> str:
    return ", ".join("?" * len(columns))


def _is_empty(file: sqlite3.Connection) -> bool:
    (count,) = file.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return bool(count == 0)


def _check(path: Path, file: sqlite3.Connection) -> None:
    (application,) = file.execute("PRAGMA application_id").fetchone()
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise RequestError(printable(f"--db {path}: not a history: name another file"))
    if version != VERSION:
        raise RequestError(
            printable(
                f"--db {path}: a history of version {version}, where this program knows {VERSION}: "
                "take a newer one"
            )
        )


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """The file in this block; what SQLite says of it is one line."""
    address = f"{path.absolute().as_uri()}?mode={mode}"
    try:
        with closing(
            sqlite3.connect(address, PATIENCE_SECONDS, isolation_level=None, uri=True)
        ) as file:
            file.execute("PRAGMA trusted_schema = OFF")  # it may be anybody's
            yield file
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in FULL:
            raise StorageError(path, OSError(FULL[code], os.strerror(FULL[code]))) from error
        why = {
            sqlite3.SQLITE_BUSY: "another process is writing it: wait for it",
            sqlite3.SQLITE_LOCKED: "another process is writing it: wait for it",
            sqlite3.SQLITE_NOTADB: "not a history: name another file",
            sqlite3.SQLITE_CORRUPT: "damaged: make it anew with history add",
        }.get(code, f"cannot be used: {error}")
        raise RequestError(printable(f"--db {path}: {why}")) from error
