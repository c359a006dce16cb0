"""One writer a folder: a lock that ends with its process, however that ends.

The lock is the system's, on the open file ``.lock`` in the folder: what the file says is for people
alone. So a number of a process used again, a file left by a kill, or a second container on the same
folder are all told right. It is hidden, and so no part of a result: see `begun`.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.files import sweep, writing
from harness import interrupts
from harness.console import note, printable

POSIX = find_spec("fcntl") is not None

LOCK = ".lock"
"""Name of the file, in the folder."""

HELD = {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}
"""Told by a system when somebody else has the lock."""

UNKNOWN = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
"""Told by a file system that knows no locks, such as some of a network."""

PATIENCE_SECONDS = 1.0
"""Longest that is waited for the holder to say who it is: it does so at once."""

_depth: dict[str, int] = {}


def begun(folder: Path) -> bool:
    """True if a folder holds anything but what is hidden, such as a lock."""
    return folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if need be, and not left behind empty.

    Files aside that killed processes left in it are swept.

    A process that holds it may take it again, so that a run can write its report; a study and its
    cells are folders of their own, each with its lock.

    Raises:
        RequestError: somebody else is writing there, or the folder cannot be written.
    """
    interrupts.begin()
    name = os.path.realpath(folder)
    if not _depth.get(name):
        made = _missing(folder)
        with writing(folder):
            file = _taken(folder)
    _depth[name] = _depth.get(name, 0) + 1
    try:
        yield
    finally:
        _depth[name] -= 1
        if not _depth[name]:
            del _depth[name]
            _let_go(folder / LOCK, file)
            for path in made:
                with suppress(OSError):  # it holds something
                    path.rmdir()


def _missing(folder: Path) -> list[Path]:
    """Folder and parents that are not there yet, the folder first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def _taken(folder: Path) -> int:
    """The open file whose lock was taken."""
    path = folder / LOCK
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except FileNotFoundError:
            continue  # whoever made the folder has just removed it
        try:
            if _lock(file, folder):
                if _is_at(path, file):
                    _say_who(file)
                    sweep(folder)
                    return file
            else:
                holder = _holder(file)
                if holder or time.monotonic() > patience:
                    raise RequestError(
                        f"{printable(str(folder))}: {holder or 'another process is writing here'}: "
                        f"wait for it, or give another --out"
                    )
                time.sleep(0.02)
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # of a file that its holder removed meanwhile


def _lock(file: int, folder: Path) -> bool:
    """True if the lock was free and is ours now."""
    try:
        if not POSIX:
            msvcrt: Any = import_module("msvcrt")
            os.lseek(file, 1 << 20, os.SEEK_SET)  # beyond what it says, which others may read
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            return False
        if error.errno not in UNKNOWN:
            raise
        note(f"{printable(str(folder))}: its file system knows no locks: let nobody else write it")
    return True


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _say_who(file: int) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    told = {"host": platform.node(), "pid": os.getpid(), "since": since}
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, json.dumps(told).encode())


def _holder(file: int) -> str:
    """Who holds a lock, and since when; empty if that has not been said yet."""
    os.lseek(file, 0, os.SEEK_SET)
    try:
        told = json.loads(os.read(file, 4096))
        host, pid, since = told["host"], told["pid"], told["since"]
        return printable(f"host {host}, process {pid} is writing here since {since}")
    except (ValueError, TypeError, KeyError):
        return ""


def _let_go(path: Path, file: int) -> None:
    with suppress(OSError):
        if not POSIX:  # an open file cannot be removed there
            os.close(file)
            path.unlink(missing_ok=True)
            return
        if _is_at(path, file):
            path.unlink()  # while it is ours: who has it open already finds that it is gone
    with suppress(OSError):
        os.close(file)
