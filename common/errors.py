"""The error a user can mend, the error of a disk, and how any other is told."""

from __future__ import annotations

import difflib
import errno
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError


class RequestError(ValueError):
    """The request was wrong. The message is one line: what, where, and how to mend it."""


class StorageError(OSError):
    """A file or folder can no longer be written. The message is one line: which, and why.

    Args:
        path: of the file or folder.
        error: what the system said.
    """

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(error.errno, reason_of(error), str(path))

    def __str__(self) -> str:
        return f"{self.filename}: cannot be written: {self.strerror}"


def reason_of(error: OSError) -> str:
    """Reason of an error of the system, in words; a limit of this process is named."""
    if isinstance(error, StorageError):
        return str(error.strerror)
    match error.errno:
        case errno.ENOSPC:
            return "disk full"
        case errno.EFBIG:
            return "the limit of a file's size" + _limit("RLIMIT_FSIZE", "f", " kB")
        case errno.EMFILE:
            return "the limit of open files" + _limit("RLIMIT_NOFILE", "n")
        case errno.EAGAIN:
            return "the limit of processes and threads" + _limit("RLIMIT_NPROC", "u")
        case errno.ENOMEM:
            limit = _limit("RLIMIT_AS", "v", " kB")
            return "the limit of memory" + limit if limit else "no memory left"
        case _:
            return error.strerror or type(error).__name__


def _limit(name: str, option: str, unit: str = "") -> str:
    """A limit of this process and how a shell raises it; empty where there is none."""
    if sys.platform == "win32":
        return ""
    import resource

    soft, _ = resource.getrlimit(getattr(resource, name))
    if soft == resource.RLIM_INFINITY:
        return ""
    return f" is {soft // 1024 if unit else soft}{unit}: raise it (ulimit -{option})"


def in_one_line(error: BaseException) -> str:
    """The kind of an error and its message; one that says nothing is told by where it arose.

    What the system refused is told in words.
    """
    if isinstance(error, StorageError):
        return str(error)
    if isinstance(error, MemoryError):
        return reason_of(OSError(errno.ENOMEM, ""))
    if "start new thread" in str(error):
        return reason_of(OSError(errno.EAGAIN, ""))
    if isinstance(error, OSError) and error.errno:
        return ": ".join([*([str(error.filename)] if error.filename else []), reason_of(error)])
    kind, message = type(error).__name__, " ".join(str(error).split())
    if message:
        return f"{kind}: {message}"
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return kind
    return f"{kind} in {frames[-1].filename}, line {frames[-1].lineno}: {frames[-1].line}"


def unknown(kind: str, name: str, known: Iterable[str]) -> RequestError:
    """The error for a name that does not exist, with the nearest one that does.

    >>> str(unknown("backend", "troch", ["torch", "jax"]))
    "unknown backend 'troch': did you mean 'torch'? (known: torch, jax)"
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return RequestError(f"unknown {kind} {name!r}: {hint}(known: {', '.join(known)})")


def fault_of(error: ValidationError) -> str:
    """The first setting that is wrong, as the option it is, and what it may be."""
    first = error.errors()[0]
    if not first["loc"]:  # settings that are wrong together
        return first["msg"]
    name = "prefix" if first["loc"][0] == "prefixes" else str(first["loc"][0]).replace("_", "-")
    value, message = first["input"], first["msg"][:1].lower() + first["msg"][1:]
    expected = re.findall("'([^']*)'", first.get("ctx", {}).get("expected", ""))
    if near := difflib.get_close_matches(str(value), expected, n=1):
        message += f'. Did you mean "{near[0]}"?'
    typed = isinstance(value, str) and re.fullmatch(r"[-+.\w]*\d|-?nan|-?inf", value)  # a number
    return f"--{name} {value if typed else repr(value)}: {message}"
