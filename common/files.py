"""Files that are whole or not there, and errors of a disk that are one line.

Everything that this project writes is written here. A file is written aside, flushed to the disk,
then renamed; a table that grows, grows by whole lines.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from common.errors import RequestError, StorageError
from common.limits import reason_of

PART = re.compile(r"\.rnn-rosetta-[0-9a-f]{16}\.part")
"""Name of a file aside; nobody can plant a link by a name that he cannot guess."""

NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none, and needs O_BINARY to keep line ends
BINARY = getattr(os, "O_BINARY", 0)


def write_aside(path: Path, content: bytes | str | Iterator[str]) -> None:
    """Write a file so that whoever looks sees the old content or all of the new.

    Args:
        path: of the file.
        content: all of it, or its parts.

    Raises:
        StorageError: it cannot be written; the old content is still there.
    """
    aside = aside_of(path)
    with storing(path):
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK | BINARY, 0o666)
        try:
            try:
                for part in content if isinstance(content, Iterator) else [content]:
                    _write(file, part)
                os.fsync(file)
            finally:
                os.close(file)
            os.replace(aside, path)
        except BaseException:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise


def aside_of(path: Path) -> Path:
    """A name beside a file for what is to take its place; `sweep` knows it."""
    return path.with_name(f".rnn-rosetta-{secrets.token_hex(8)}.part")


def append(path: Path, text: str) -> None:
    """Append whole lines to a file that is there: all of them, or none.

    Raises:
        StorageError: it cannot be written; it is as long as it was.
    """
    with storing(path):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | NO_LINK | BINARY)
        try:
            size = os.fstat(file).st_size
            try:
                _write(file, text)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(file, size)
                raise
        finally:
            os.close(file)


def flush_to_disk(path: Path) -> None:
    """See that what was appended to a file outlasts the machine.

    Raises:
        StorageError: it does not.
    """
    with storing(path):
        file = os.open(path, os.O_RDWR | NO_LINK | BINARY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


STALE = 3600.0
"""Seconds after which nobody is writing any more, in a folder that several processes write into."""


def sweep(folder: Path, seconds: float = 0.0) -> None:
    """Remove the files aside that killed processes left in a folder, if they are so old."""
    with suppress(OSError):
        for path in folder.iterdir():
            if PART.fullmatch(path.name):
                with suppress(OSError):
                    if time.time() - path.lstat().st_mtime >= seconds:
                        path.unlink()


def _write(file: int, content: bytes | str) -> None:
    left = memoryview(content.encode() if isinstance(content, str) else content)
    while left:
        left = left[os.write(file, left) :]


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn whatever the system refuses into the one error of a file or folder.

    Raises:
        StorageError: it refused.
    """
    try:
        yield
    except StorageError:
        raise  # it says more: which of the files
    except OSError as error:
        raise StorageError(path, error) from error


def strict(value: Any) -> Any:
    """A value as strict JSON holds it: a number that is not finite becomes None."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Begin to write into the folder that a user named with ``--out``.

    Raises:
        RequestError: the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RequestError(f"--out {folder}: cannot be written: {reason_of(error)}") from error
