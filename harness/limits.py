"""Limits of the system that a process runs into, each in words."""

from __future__ import annotations

import errno
import os
import resource


def is_limit(error: BaseException) -> bool:
    """True if an error says that a limit of the system is reached."""
    return _number(error) in (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)


def told(error: BaseException) -> str:
    """The reason of an error of the system, which names the limit if it is one."""
    number = _number(error)
    if number == errno.EMFILE:
        allowed = _soft(resource.RLIMIT_NOFILE)
        return f"too many open files: this process may have {allowed} (ulimit -n)"
    if number == errno.EAGAIN:
        allowed = _soft(resource.RLIMIT_NPROC)
        return f"too many processes and threads: this user may have {allowed} (ulimit -u)"
    if number == errno.ENOMEM:
        allowed = _soft(resource.RLIMIT_AS)
        return f"not enough memory: this process may address {allowed} bytes (ulimit -v)"
    if not isinstance(error, OSError):
        return str(error)
    return f"{error.strerror}: {error.filename}" if error.filename else f"{error.strerror}"


def _number(error: BaseException) -> int | None:
    """The system's number of an error, whatever Python makes of it."""
    if isinstance(error, OSError):
        return error.errno
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return errno.EAGAIN
    if isinstance(error, ImportError) and os.strerror(errno.EMFILE) in str(error):
        return errno.EMFILE
    return None


def _soft(limit: int) -> str:
    soft, _ = resource.getrlimit(limit)
    return "as many as the system has" if soft == resource.RLIM_INFINITY else f"{soft:,}"
