"""Engine ``local``: several cells at once on this machine, each on CPUs of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from queue import SimpleQueue

from common.limits import reason_of
from harness import interrupts
from harness.engines.flight import HEAR_SECONDS, in_flight
from harness.engines.request import Share
from harness.engines.task import Outcome, Task
from harness.paths import ROOT
from harness.records.provenance import host_id
from harness.workers import group
from harness.workers.errors import how_it_ended
from harness.workers.log import Log

LENGTH = 8
"""Bytes that tell how long an answer is."""


class NodeProcess:
    """A process that runs one cell after the other; it ends with us.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", "harness.start_node"]
        with ExitStack() as opened:
            self.log = Log(None)
            opened.callback(self.log.close)
            with interrupts.held():  # else none knows of it
                self.process = group.start(command, self.log.file, _environment(), opened)
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.stdin, self.stdout = self.process.stdin, self.process.stdout
            opened.callback(self.stdout.close)
            opened.callback(self.stdin.close)
            opened.callback(self.process.wait)
            opened.callback(group.end, self.process)
            self.opened = opened.pop_all()

    def ask(self, task: Task) -> Outcome:
        """Have it run a cell; if it dies, the cell is lost."""
        try:
            self.stdin.write(task.request.model_dump_json().encode() + b"\n")
            length = int.from_bytes(self._read(LENGTH))
            return Outcome.of(self._read(length))
        except (OSError, EOFError):
            group.end(self.process)
            said = self.log.last_line()
            ended = how_it_ended(self.process.wait())
            reason = f"its process ended with {ended}" + f": {said}" * bool(said)
            return Outcome.ended("lost", reason, host_id())

    @property
    def ended(self) -> bool:
        """True if it is there no more."""
        return self.process.poll() is not None

    def close(self) -> None:
        """End it, and whatever it has started."""
        self.opened.close()

    def _read(self, length: int) -> bytes:
        found = bytearray()
        while len(found) < length:
            chunk = self.stdout.read(length - len(found))
            if not chunk:
                raise EOFError
            found += chunk
        return bytes(found)


class Local:
    """The engine ``local``.

    Args:
        jobs: cells at once.
        share: of this machine, for each cell.
    """

    name = "local"

    def __init__(self, jobs: int, share: Share) -> None:
        self.jobs, self.share = jobs, share
        self.nodes: set[NodeProcess] = set()
        self.idle: SimpleQueue[NodeProcess | None] = SimpleQueue()
        for _ in range(jobs):
            self.idle.put(None)  # started when it is first needed
        self.pool = ThreadPoolExecutor(jobs)

    def outcomes(self, tasks: Iterator[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Every task with its outcome, as they come."""
        return in_flight(self, tasks)

    def room(self) -> int:
        """Cells that may run at once."""
        return self.jobs

    def submit(self, task: Task) -> Future[Outcome]:
        """Begin a cell, in a process that is idle."""
        return self.pool.submit(self._ask, task)

    def _ask(self, task: Task) -> Outcome:
        node = self.idle.get()
        try:
            if node is None:
                node = NodeProcess()
                self.nodes.add(node)
            return node.ask(task)
        except OSError as error:
            return Outcome.ended("lost", f"no process for it: {reason_of(error)}", host_id())
        finally:
            if node and node.ended:
                self.nodes.discard(node)
                node.close()
                node = None
            self.idle.put(node)

    def ready(self, running: Sequence[Future[Outcome]]) -> Sequence[Future[Outcome]]:
        """Handles of cells that have ended; a signal that another thread takes does not wake us."""
        return [*wait(running, HEAR_SECONDS, FIRST_COMPLETED).done]

    def outcome(self, handle: Future[Outcome]) -> Outcome:
        """Outcome of one that has ended."""
        return handle.result()

    def cancel(self, running: Sequence[Future[Outcome]]) -> None:
        """End all processes, whose cells are lost."""
        for future in running:
            future.cancel()
        while busy := [future for future in running if not future.done()]:
            for node in self.nodes.copy():  # again, for one may just be starting
                group.end(node.process)
            wait(busy, HEAR_SECONDS)
        for node in self.nodes.copy():
            node.close()
        self.nodes.clear()
        for _ in range(self.idle.qsize()):  # what follows begins with new ones
            self.idle.get()
            self.idle.put(None)

    def close(self) -> None:
        """Let its threads end."""
        self.pool.shutdown()


def _environment() -> dict[str, str]:
    path = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
