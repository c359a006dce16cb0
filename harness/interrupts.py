"""Signals that end a command, in one way: Ctrl-C, SIGTERM, and SIGHUP of a terminal that closes.

The first raises ``KeyboardInterrupt`` where the main thread is, and what was begun is ended by
those who began it. Further ones are not heard while that goes on, so that nothing is left half
ended. While modules are imported and nothing is begun, the process ends at once: an exception in
the midst of an import comes out as a traceback of somebody else's, or not at all.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

DEAF_SECONDS = 5.0
"""Time to end in; a signal after that is heard again."""


@dataclass
class _Heard:
    number: int = 0
    when: float = 0.0
    begun: bool = False
    held: bool = False
    waits: bool = False
    closed: bool = False


_heard = _Heard()


def hear() -> None:
    """Take these signals from now on; one that was ignored when we started, stays ignored."""
    for name in SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _take)


def close() -> None:
    """Hear none any more: all is done, and Python's own end is not to be told as another."""
    _heard.closed = True  # before the first of them is: another may come meanwhile
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, signal.SIG_IGN)


def begin() -> None:
    """Say that something is begun which has an end of its own: a worker, a record."""
    _heard.begun = True


@contextmanager
def held() -> Iterator[None]:
    """Hold back what a signal raises until the end of this block, which is short."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    _heard.held = True
    try:
        yield
    finally:
        _heard.held = False
    if _heard.waits:
        _heard.waits = False
        raise KeyboardInterrupt


def heard() -> bool:
    """True once a signal has come."""
    return bool(_heard.number)


def exit_status() -> int:
    """128 and the number of the signal that came, as a shell has it; of SIGINT where none did."""
    return 128 + (_heard.number or signal.SIGINT)


def end() -> NoReturn:
    """End the process in one line."""
    print("interrupted", file=sys.stderr)
    raise SystemExit(exit_status())


def _take(number: int, frame: FrameType | None) -> None:
    if _heard.closed:
        return
    now = time.monotonic()
    if _heard.number and now - _heard.when < DEAF_SECONDS:
        return
    _heard.number, _heard.when = _heard.number or number, now
    if not _heard.begun and _is_importing(frame):
        try:
            os.write(2, b"interrupted\n")
        finally:
            os._exit(exit_status())
    if _heard.held:
        _heard.waits = True
        return
    raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
