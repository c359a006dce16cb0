"""Files of the project that a worker has imported, for its harness to compare with its own."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("common", "backends", "harness")


def loaded_files(known: dict[str, str]) -> dict[str, str]:
    """SHA-256 of the project's files that this process has imported, by path.

    Args:
        known: those that were told before, which are left out; the new ones are added to it.
    """
    new = {}
    for name, file in _loaded():
        if name not in known:
            try:
                new[name] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
            except OSError:
                new[name] = ""  # nobody can tell any more what it was
    known |= new
    return new


def _loaded() -> Iterator[tuple[str, str]]:
    for name, module in sys.modules.copy().items():
        if name.startswith(PACKAGES) and name.partition(".")[0] in PACKAGES:
            file = getattr(module, "__file__", None)
            if file:
                parts = file.split(os.sep)
                depth = name.count(".") + (2 if parts[-1].startswith("__init__.") else 1)
                yield "/".join(parts[-depth:]), file
