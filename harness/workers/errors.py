"""Failure of a worker."""

from __future__ import annotations

from typing import Literal

Failure = Literal["unavailable", "request", "error", "crashed", "timeout"]


class WorkerError(RuntimeError):
    """A backend is not available or broke down; the message is one line.

    Attributes:
        kind: which of these.
    """

    def __init__(self, kind: Failure, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
