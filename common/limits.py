"""Limits of the system that a process runs into, and whatever else it refuses, in words."""

from __future__ import annotations

import errno
import os
import re


def is_limit(error: BaseException) -> bool:
    """True if an error says that a limit of the system is reached."""
    return _number(error) in (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)


DEVICE_FULL = re.compile(
    r"out of memory|RESOURCE_EXHAUSTED|OOM when allocating|CUBLAS_STATUS_ALLOC_FAILED",
    re.IGNORECASE,
)
"""Words by which PyTorch, XLA, TensorFlow and CUDA say that a device has no memory left."""


def is_device_full(error: BaseException) -> bool:
    """True if an error says that a device has no memory left."""
    return isinstance(error, Exception) and bool(DEVICE_FULL.search(str(error)))


def reason_of(error: BaseException) -> str:
    """Reason of an error of the system, in words; a limit of this process is named."""
    match _number(error):
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
    return getattr(error, "strerror", None) or type(error).__name__


def _number(error: BaseException) -> int | None:
    """The system's number of an error, whatever Python makes of it."""
    if isinstance(error, OSError):
        return error.errno
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return errno.EAGAIN
    if isinstance(error, ImportError) and os.strerror(errno.EMFILE) in str(error):
        return errno.EMFILE
    if isinstance(error, ImportError) and "failed to map segment" in str(error):
        return errno.ENOMEM
    return None


def _limit(name: str, option: str, unit: str = "") -> str:
    """A limit of this process and how a shell raises it; empty where there is none."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    soft, _ = resource.getrlimit(getattr(resource, name))
    if soft == resource.RLIM_INFINITY:
        return ""
    return f" is {soft // 1024 if unit else soft}{unit}: raise it (ulimit -{option})"
