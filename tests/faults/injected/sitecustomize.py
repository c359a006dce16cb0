"""Faults of storage: the n-th operation of a command and of its workers below a folder is refused.

Python imports this module where its folder is on ``PYTHONPATH``. It does nothing unless the
variable ``RNN_ROSETTA_FAULT`` is set, to JSON:

- ``below``: the folder; operations elsewhere pass, and are not counted;
- ``count``: a file that grows by a line an operation, of all processes together:
  ``fills`` if it needs space on the disk, else ``-``, then its name and that of its file;
- ``at``: number of the operation that is refused, from 1;
- ``code``: the errno;
- ``lasting``: whether all that writes is refused from there on, as by a full disk.
"""

import builtins
import errno
import io
import json
import os

REAL_OPEN, REAL_WRITE, REAL_CLOSE, REAL_SEEK = os.open, os.write, os.close, os.lseek

BY_PATH = ("open", "mkdir", "unlink", "rmdir", "replace", "rename", "truncate")
BY_FILE = ("write", "fsync", "ftruncate")

ALWAYS_POSSIBLE = ("unlink", "rmdir", "ftruncate", "truncate")
"""On a full disk."""


def install():
    """Take over the operations of this process, if a fault is asked for."""
    if not os.environ.get("RNN_ROSETTA_FAULT"):
        return
    fault = json.loads(os.environ["RNN_ROSETTA_FAULT"])
    for name in BY_PATH + BY_FILE:
        setattr(os, name, _checked(name, getattr(os, name), fault))
    builtins.open = io.open = _checked("open", io.open, fault)


def _checked(name, real, fault):
    def operation(first, *rest, **named):
        path = _path(first, named.get("dir_fd"), of_file=name in BY_FILE)
        if path and (path + "/").startswith(fault["below"] + "/"):
            _count(name, path, _writes(name, rest, named), fault)
        return real(first, *rest, **named)

    return operation


def _path(first, dir_fd, of_file):
    try:
        if of_file or isinstance(first, int):
            return os.readlink(f"/proc/self/fd/{first}") if of_file else None
        path = os.fsdecode(first)
        start = os.readlink(f"/proc/self/fd/{dir_fd}") if dir_fd is not None else os.getcwd()
        return os.path.normpath(os.path.join(start, path))
    except (OSError, TypeError):
        return None


def _writes(name, rest, named):
    if name != "open":
        return name not in ALWAYS_POSSIBLE
    how = [*rest, named.get("flags"), named.get("mode")][0] if rest or named else "r"
    if isinstance(how, int):
        return bool(how & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return bool(how) and not set(str(how)) <= set("rbt")


def _count(name, path, writes, fault):
    file = REAL_OPEN(fault["count"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    line = f"{'fills' if writes else '-'} {name} {os.path.basename(path)}".encode(errors="replace")
    REAL_WRITE(file, line.ljust(63)[:63] + b"\n")
    number = REAL_SEEK(file, 0, os.SEEK_CUR) // 64
    REAL_CLOSE(file)
    if fault["code"] == errno.ENOSPC and not writes:
        return  # a full disk can be read, and made less full
    if number == fault["at"] or (fault["lasting"] and writes and number > fault["at"]):
        raise OSError(fault["code"], os.strerror(fault["code"]), path)


install()
