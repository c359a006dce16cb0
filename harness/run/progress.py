"""Display of a run while it trains: a bar for every backend, and the text it writes."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from common.shards import SIMULATED
from harness.console import printable
from harness.run.row import Row
from harness.workers.protocol import Built, EpochDone, Event, Sample


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
        self.tasks: dict[str, TaskID] = {}
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[now]}"),
            TimeRemainingColumn(),
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
        self.tasks[row.name] = self.progress.add_task(name, total=self.num_epochs, now="starting")
        self._line(f"{name}: starting")

    def event(self, row: Row, event: Event) -> None:
        """Move the row's bar; print the text it wrote."""
        if isinstance(event, Built):
            self._now(row, "training")
            self._line(
                f"{row.backend} {row.variant}: on {row.device}, "
                f"ready after {row.compile_seconds:.1f} s of compiling and warming up"
            )
        elif isinstance(event, EpochDone):
            now = f"perplexity {event.perplexity:.4g}  {_speed(row, event)}".rstrip()
            self._now(row, now, completed=event.epoch)
            if event.epoch % self.line_period == 0 or event.epoch == self.num_epochs:
                self._line(f"{row.backend} {row.variant}: epoch {event.epoch}: {now}")
        elif isinstance(event, Sample):
            text = Text.assemble(
                (f"{row.backend} epoch {event.epoch}: ", "dim"), printable(event.text)
            )
            self.console.print(text)

    def ended(self, row: Row) -> None:
        """Close the row's bar with its status."""
        if row.name in self.tasks:
            self._now(row, f"{row.status}  perplexity {row.perplexity or float('nan'):.4g}")
        if row.status != "ok":
            self.console.print(Text(f"{row.backend} {row.variant}: {row.status}: {row.reason}"))

    def _now(self, row: Row, now: str, completed: int | None = None) -> None:
        self.progress.update(self.tasks[row.name], now=now, completed=completed)

    def _line(self, line: str) -> None:
        if not self.console.is_terminal:
            self.console.print(Text(line))


def _speed(row: Row, epoch: EpochDone) -> str:
    if SIMULATED in row.device:
        return ""
    return f"{epoch.tokens / epoch.seconds:,.0f} tokens/s"
