"""Files that are whole or not there: written aside, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.errors import RequestError


def write_aside(path: Path, content: bytes | str) -> None:
    """Write a file so that whoever looks sees the old content or all of the new."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(aside, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def strict(value: Any) -> Any:
    """A value as strict JSON holds it: a number that is not finite becomes None."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Write into the folder that a user named with ``--out``.

    Raises:
        RequestError: the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RequestError(f"--out {folder}: cannot be written: {error.strerror}") from error
