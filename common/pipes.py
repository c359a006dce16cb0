"""A corpus that comes through a pipe: read once, kept as a file that every process can open."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from common.errors import RequestError, reason_of
from common.files import STALE, aside_of, sweep
from common.sources import cache
from common.text import PIECE


def kept(corpus: str) -> str:
    """The corpus by a name that means the same in another process, and later.

    Args:
        corpus: a name or a path. What a pipe gives, ``/dev/stdin`` or a shell's ``<(...)``, is
            kept in the user's cache by its hash; a file behind such a name is called by its own.

    Raises:
        RequestError: the path is a terminal or another device, or its text cannot be kept.
    """
    path = Path(os.path.expanduser(corpus))
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return corpus  # a name, or no file: whoever reads it says so
    if stat.S_ISREG(mode) and path.parts[:2] in (("/", "dev"), ("/", "proc")):
        return os.path.realpath(path)
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        what = "a terminal" if stat.S_ISCHR(mode) and _is_terminal(path) else "a device"
        raise RequestError(f"corpus {corpus}: that is {what}; name a text file, or pipe one in")
    if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
        return corpus
    try:
        with open(path, "rb") as pipe:
            return str(_keep(pipe))
    except OSError as error:
        raise RequestError(f"corpus {corpus}: cannot be kept: {reason_of(error)}") from error


def _is_terminal(path: Path) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.isatty()
    except OSError:
        return False


def _keep(pipe: BinaryIO) -> Path:
    folder, digest = cache(), hashlib.sha256()
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder, STALE)
    aside = aside_of(folder / "piped")
    try:
        with open(aside, "xb") as file:
            while block := pipe.read(PIECE):
                file.write(block)
                digest.update(block)
        path = folder / f"piped-{digest.hexdigest()[:16]}.txt"
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    return path
