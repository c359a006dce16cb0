"""The error a user can mend, the error of a disk, and how any other is told."""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from common.limits import is_device_full, is_limit, reason_of


class RequestError(ValueError):
    """The request was wrong. The message is one line: what, where, and how to mend it."""


class UnavailableError(RequestError):
    """Backend, or part of it, that cannot be had here: the message says why."""


class DeviceError(UnavailableError):
    """The device that was asked for is not there, or cannot compute this, in this backend."""


class StorageError(OSError):
    """A file or folder can no longer be written. The message is one line: which, and why.

    Args:
        path: of the file or folder.
        error: what the system said.
    """

    def __init__(self, path: Path, error: OSError) -> None:
        told = isinstance(error, StorageError)
        reason = error.strerror if told else reason_of(error)
        super().__init__(error.errno, reason, str(path))

    def __str__(self) -> str:
        return f"{self.filename}: cannot be written: {self.strerror}"


def in_one_line(error: BaseException) -> str:
    """The kind of an error and its message; one that says nothing is told by where it arose.

    What the system refused is told in words.
    """
    if isinstance(error, StorageError):
        return str(error)
    if isinstance(error, OSError) and error.errno and error.filename:
        return f"{error.filename}: {reason_of(error)}"
    if is_limit(error) or (isinstance(error, OSError) and error.errno):
        return reason_of(error)
    kind, message = type(error).__name__, " ".join(str(error).split())
    if is_device_full(error):
        return f"no memory left on its device: {message[:160]}"
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
    hint = f": did you mean {near[0]!r}?" if near else ""
    return RequestError(f"unknown {kind} {name!r}{hint} (known: {', '.join(known)})")


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
