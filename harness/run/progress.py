"""Display of a run while it trains: a bar for every backend, and the text it writes."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol

from rich import progress as bars
from rich.console import Console
from rich.text import Text

from common.shards import SIMULATED
from harness.console import printable
from harness.run.row import Row
from harness.workers.protocol import Built, EpochDone, Event, Phase, Progress, Sample
from harness.workers.requests import WAITS

LINE_SECONDS = 60.0
"""Time after which a long epoch has a line where there is no terminal, and so no bar."""


class Display(Protocol):
    """Whoever watches a run."""

    def started(self, row: Row) -> None:
        """A row's worker has been started."""

    def event(self, row: Row, event: Event) -> None:
        """An epoch, a sample, or another event of the row."""

    def ended(self, row: Row) -> None:
        """The row has its final status."""


class Silent:
    """Shows nothing; for ``--quiet`` and ``--json``."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def started(self, row: Row) -> None:
        """Shows nothing."""

    def event(self, row: Row, event: Event) -> None:
        """Shows nothing."""

    def ended(self, row: Row) -> None:
        """Shows nothing."""


class Live:
    """A bar per row on a terminal; a line now and then where there is none (a log, a pipe)."""

    def __init__(self, console: Console, num_epochs: int, line_period: int) -> None:
        self.console, self.num_epochs, self.line_period = console, num_epochs, line_period
        self.tasks: dict[str, bars.TaskID] = {}
        self.said = time.monotonic()
        self.progress = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(bar_width=24),
            bars.TextColumn("epoch {task.fields[epoch]}/{task.total:.0f}"),
            bars.TextColumn("{task.fields[now]}"),
            bars.TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Live:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def started(self, row: Row) -> None:
        """Open the row's bar."""
        name = f"{row.backend} {row.variant}"
        self.tasks[row.name] = self.progress.add_task(
            name, total=self.num_epochs, completed=row.epoch, epoch=row.epoch, now="starting"
        )
        self._line(f"{name}: starting" + (f" after epoch {row.epoch}" if row.epoch else ""))

    def event(self, row: Row, event: Event) -> None:
        """Move the row's bar; print the text it wrote."""
        name = f"{row.backend} {row.variant}"
        match event:
            case Phase() if event != WAITS:
                self._now(row, event.doing)
            case Built():
                self._now(row, "training")
                self._line(
                    f"{name}: on {event.device}, "
                    f"ready after {event.compile_seconds:.1f} s of compiling and warming up"
                )
            case Progress():
                part = min(event.tokens / event.of, 1)
                now = f"{part:.0%} of the epoch  {_speed(row, event)}".rstrip()
                self._now(row, now, event.epoch - 1 + part, event.epoch)
                if time.monotonic() - self.said >= LINE_SECONDS:
                    left = event.seconds * (1 / part - 1) / 60
                    self._line(f"{name}: epoch {event.epoch}: {now}, {left:,.0f} min of it left")
            case EpochDone():
                now = f"perplexity {event.perplexity:.4g}  {_speed(row, event)}".rstrip()
                self._now(row, now, event.epoch, event.epoch)
                if event.epoch % self.line_period == 0 or event.epoch == self.num_epochs:
                    self._line(f"{name}: epoch {event.epoch}: {now}")
            case Sample():
                said = (f"{row.backend} epoch {event.epoch}: ", "dim"), printable(event.text)
                self.console.print(Text.assemble(*said))

    def ended(self, row: Row) -> None:
        """Close the row's bar with its status and figures."""
        name = f"{row.backend} {row.variant}"
        told = f"{row.status}  perplexity {row.perplexity or float('nan'):.4g}"
        if row.tokens_per_sec:
            told += f"  {row.tokens_per_sec:,.0f} tokens/s"
        if row.name in self.tasks:
            self._now(row, told)
        if row.ok:
            self._line(f"{name}: {told}")
        else:
            self.console.print(Text(f"{name}: {row.status}: {row.reason}"))

    def _now(
        self, row: Row, now: str, completed: float | None = None, epoch: int | None = None
    ) -> None:
        task = self.tasks[row.name]
        self.progress.update(task, now=now, completed=completed)
        if epoch is not None:
            self.progress.update(task, epoch=epoch)

    def _line(self, line: str) -> None:
        self.said = time.monotonic()
        if not self.console.is_terminal:
            self.console.print(Text(line))


def _speed(row: Row, epoch: EpochDone | Progress) -> str:
    if SIMULATED in row.device or not epoch.seconds:
        return ""
    return f"{epoch.tokens / epoch.seconds:,.0f} tokens/s"
