"""Failure of a worker, and the end of a process."""

from __future__ import annotations

import signal
from typing import Literal

Failure = Literal["unavailable", "request", "error", "crashed", "timeout", "memory"]


class WorkerError(RuntimeError):
    """A backend is not available or broke down; the message is one line.

    Attributes:
        kind: which of these.
    """

    def __init__(self, kind: Failure, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def how_it_ended(status: int) -> str:
    """The signal that ended a process, or its exit status."""
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
