"""Files that are whole or not there: written aside, then renamed."""

from __future__ import annotations

import os
from pathlib import Path


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
