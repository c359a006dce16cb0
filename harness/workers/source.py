"""Source of the project as it is here, which every worker must run."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import backends
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


def plugin_hashes() -> dict[str, str]:
    """SHA-256 of the Python files of every plug-in that can be imported, by its backend's name."""
    found = {}
    for name, entry in backends.registry().items():
        if name not in backends.BACKENDS and not entry.broken:
            digest = hashlib.sha256()
            for path in _files_of(entry.module.partition(".")[0]):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
            found[name] = digest.hexdigest()
    return found


def _files_of(module: str) -> list[Path]:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return []
    folders = spec.submodule_search_locations or []
    return sorted(path for each in folders for path in Path(each).rglob("*.py")) or [
        Path(spec.origin)
    ]


def foreign(files: dict[str, str]) -> str:
    """The first of a worker's files that is not the one here; empty if there is none."""
    return next((name for name, told in files.items() if file_hashes().get(name) != told), "")
