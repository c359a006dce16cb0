"""Texts that took long to make for a page, kept in the user's cache, each after its SHA-256.

What is damaged there is made anew; where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import platformdirs

from common.files import STALE, sweep, write_aside

MOST = 500
"""Files that are kept at most, those that were made last: about 50 KB each."""


def read(name: str) -> str | None:
    """A text as it was kept; None if there is none, or it is damaged."""
    try:
        digest, _, content = _path(name).read_bytes().partition(b"\n")
    except OSError:
        return None
    return content.decode() if digest.decode(errors="replace") == _digest(content) else None


def keep(name: str, content: str) -> None:
    """Keep a text, if that can be; the oldest ones make room for it."""
    path = _path(name)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, STALE)
        write_aside(path, f"{_digest(content.encode())}\n{content}")
        made = sorted(path.parent.iterdir(), key=lambda each: each.stat().st_mtime)
        for old in made[:-MOST]:
            old.unlink()


def _path(name: str) -> Path:
    return platformdirs.user_cache_path("rnn-rosetta") / "drawn" / name


def _digest(content: bytes) -> str:
    return f"// SHA-256 of the rest: {hashlib.sha256(content).hexdigest()}"
