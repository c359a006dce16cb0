"""Status of a row."""

from __future__ import annotations

from typing import Literal

Status = Literal[
    "waiting",
    "running",
    "ok",
    "unavailable",
    "failed",
    "diverged",
    "overflow",
    "timeout",
    "crashed",
    "parity-failed",
    "interrupted",
]
"""Status of a row; the first two while it is on its way."""

BROKEN = {"failed", "crashed", "timeout", "parity-failed", "interrupted"}
"""A row that ended so is a fault. One that diverged is a finding; one not installed is forgiven."""


def marked(status: str, parity_verdict: str) -> str:
    """A status as it is shown: a row that trained, but could not be judged, says so."""
    return "ok, unjudged" if (status, parity_verdict) == ("ok", "ill-conditioned") else status
