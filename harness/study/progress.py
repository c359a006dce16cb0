"""Progress of a study that is spread: a line a cell, with how many are done and how long it takes.

What is left is estimated from the cells that were done here, as many at once as until now.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Progress:
    """Progress.

    Args:
        count: of all cells, and of rows beyond the first that are run again in one.
        tell: is told each line.
    """

    def __init__(self, count: int, tell: Callable[[str], None]) -> None:
        self.count, self.tell = count, tell
        self.start = time.monotonic()
        self.done = self.before = self.lost = 0

    def done_before(self, name: str) -> None:
        """Tell of a cell that was finished already."""
        self.done += 1
        self.before += 1
        self.tell(f"{self.done} of {self.count}: {name}: done before")

    def ended(self, told: str, is_lost: bool) -> None:
        """Tell of a cell, or of a row of one, that has ended."""
        self.lost += is_lost
        self.done += 1
        lost = f", {self.lost} lost" * bool(self.lost)
        self.tell(f"{self.done} of {self.count}{lost}: {told}{self.left()}")

    def left(self) -> str:
        """Time left, in words; nothing at the end."""
        left = self.count - self.done
        if not left:
            return ""
        seconds = (time.monotonic() - self.start) / (self.done - self.before) * left
        return f"; about {lasting(seconds)} left"

    def note(self, told: str) -> None:
        """Tell of something beside."""
        self.tell(told)


def lasting(seconds: float) -> str:
    """A time in words, of two figures or so."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
