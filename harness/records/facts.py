"""Records: JSON files that say ``running`` until their last writing says how it ended.

They then vouch for what was written with them, by its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.files import strict, write_aside
from harness.console import FORMAT, printable


class Record:
    """A JSON file of facts, whole at any moment.

    Args:
        path: of the file, in a folder that exists.
        facts: by name; more may be added until the last writing.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self.facts = path, facts

    def write(self, status: str, files: Iterable[str] = ()) -> None:
        """Write all of them with this status, which is kept; ``running``: more will follow.

        Args:
            status: of the result.
            files: patterns of the files that it vouches for, if it has ended.
        """
        self.facts["status"] = status
        write_facts(self.path, self.facts, files)


def write_facts(path: Path, facts: dict[str, Any], files: Iterable[str] = ()) -> None:
    """Write facts as strict JSON that begins with its version.

    Args:
        path: of the file.
        facts: by name.
        files: patterns of the files beside it that it vouches for, if its status is an ending.
    """
    vouched = hashes(path.parent, files) if facts.get("status") != "running" else {}
    content = strict({"format": FORMAT} | facts | ({"files": vouched} if vouched else {}))
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


@contextmanager
def replacing(path: Path, name: str) -> Iterator[None]:
    """Have a record vouch for a file that is written in this block, as it is afterwards.

    Args:
        path: of the record; one that vouches for nothing stays as it is.
        name: of the file beside it.
    """
    facts = json.loads(path.read_bytes())
    if not facts.get("files"):
        yield
        return
    facts["files"].pop(name, None)
    write_facts(path, facts)  # first: a kill must not make the new file look edited
    yield
    facts["files"] |= hashes(path.parent, [name])
    write_facts(path, facts)


def check_unedited(folder: Path, vouched: Mapping[str, str], names: Iterable[str]) -> None:
    """See that files are those that a record vouches for.

    Args:
        folder: their folder.
        vouched: as `hashes` gave it; a record from before there were hashes has none.
        names: of the files.

    Raises:
        RequestError: one was edited since.
    """
    for path in (folder / name for name in names if name in vouched):
        if path.is_file() and sha256_of(path) != vouched[path.name]:
            raise RequestError(
                printable(f"{path}: edited since it was written: bring back what it was")
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
