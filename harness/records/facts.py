"""Records: JSON files that say ``running`` until their last writing says how it ended.

They then vouch for what was written with them, by its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.files import strict, write_aside
from harness.console import printable

FORMAT = 1
"""Version of every JSON file that a command leaves; one without is of version 1."""


class Record:
    """A JSON file of facts, whole at any moment.

    Args:
        path: of the file, in a folder that exists.
        facts: by name; more may be added until the last writing.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self.facts = path, facts

    def write(self, status: str) -> None:
        """Write all of them with this status, which is kept; ``running``: more will follow."""
        self.facts["status"] = status
        write_facts(self.path, self.facts)


def write_facts(path: Path, facts: dict[str, Any]) -> None:
    """Write facts as strict JSON that begins with its version."""
    content = strict({"format": FORMAT} | facts)
    write_aside(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def hashes(folder: Path, patterns: Iterable[str]) -> dict[str, str]:
    """SHA-256 of the files of a folder, by their names in it.

    Args:
        folder: their folder.
        patterns: names, or patterns of them.
    """
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in found
        if path.is_file() and not path.name.startswith(".")
    }


def check_unedited(folder: Path, vouched: Mapping[str, str], names: Iterable[str]) -> None:
    """See that files are those that a record vouches for.

    Args:
        folder: their folder.
        vouched: as `hashes` gave it; a record from before there were hashes has none.
        names: of the files.

    Raises:
        RequestError: one was edited since.
    """
    for name in names:
        path = folder / name
        if name in vouched and path.is_file() and sha256_of(path) != vouched[name]:
            raise RequestError(
                printable(
                    f"{path}: edited since it was written, says its record: bring the file of then "
                    f"back, or run it again"
                )
            )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        RequestError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RequestError(printable(f"{path}: cannot be read: {error.strerror}")) from error
