"""Progress of a study that is spread: a line a cell, and on a terminal a table of the machines.

What is left is estimated from the cells that were done here, as many at once as until now.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from itertools import islice
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harness.console import titled

NAMED = 3
"""Cells in flight that are named; of the others, how many there are."""


class Progress:
    """Progress; use it in a ``with`` block.

    Args:
        count: of all cells, and of rows beyond the first that are run again in one.
        tell: is told each line.
        console: has the table, if it is a terminal; or None.
    """

    def __init__(
        self, count: int, tell: Callable[[str], None], console: Console | None = None
    ) -> None:
        self.count, self.tell = count, tell
        self.start = time.monotonic()
        self.done = self.before = self.lost = 0
        self.machines: Counter[str] = Counter()
        self.flying: dict[str, None] = {}
        shown = console is not None and console.is_terminal
        self.live = (
            Live(console=console, transient=True, get_renderable=self.table) if shown else None
        )

    def __enter__(self) -> Progress:
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self.live.stop()

    def done_before(self, name: str) -> None:
        """Tell of a cell that was finished already."""
        self.done += 1
        self.before += 1
        self.tell(f"{self.done} of {self.count}: {name}: done before")

    def begun(self, name: str) -> None:
        """Take down a cell that an engine has taken."""
        self.flying[name] = None

    def ended(self, name: str, told: str, machine: str, is_lost: bool) -> None:
        """Tell of a cell, or of a row of one, that has ended."""
        self.flying.pop(name, None)
        self.lost += is_lost
        self.done += 1
        self.machines[machine] += 1
        self.tell(f"{self.done} of {self.count}{self._lost()}: {told}{self._left()}")

    def _lost(self) -> str:
        return f", {self.lost} lost" * bool(self.lost)

    def _left(self) -> str:
        """Time left, in words; nothing at the end."""
        left, done = self.count - self.done, self.done - self.before
        if not left or not done:
            return ""
        return f"; about {lasting((time.monotonic() - self.start) / done * left)} left"

    def table(self) -> Group:
        """The table: what is done, on which machine, and what is in flight."""
        told = Text(f"{self.done:,} of {self.count:,} cells{self._lost()}{self._left()}", "bold")
        table = titled("")
        table.add_column("machine")
        table.add_column("cells", justify="right")
        for machine, cells in self.machines.most_common(8):
            table.add_row(machine or "store", f"{cells:,}")
        named = "; ".join(islice(self.flying.copy(), NAMED))
        more = f"; and {len(self.flying) - NAMED:,} more" * (len(self.flying) > NAMED)
        return Group(told, table, Text(f"in flight: {named}{more}" if named else ""))


def lasting(seconds: float) -> str:
    """A time in words, of two figures or so."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
