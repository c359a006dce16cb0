"""Source of the project as it is here, which every worker must run."""

from __future__ import annotations

import hashlib
from functools import cache

from harness.paths import ROOT
from harness.workers.loaded import PACKAGES


@cache
def _contents() -> dict[str, bytes]:
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files}


@cache
def file_hashes() -> dict[str, str]:
    """SHA-256 of every Python file by its path, as they were when this was first asked."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in _contents().items()}


@cache
def source_hash() -> str:
    """SHA-256 of all of them together."""
    digest = hashlib.sha256()
    for name, content in _contents().items():
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()


def foreign(files: dict[str, str]) -> str:
    """The first of a worker's files that is not the one here; empty if there is none."""
    return next((name for name, told in files.items() if file_hashes().get(name) != told), "")
