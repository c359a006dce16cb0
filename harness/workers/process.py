"""The harness's end of a worker: starts it, asks it, bounds it, and outlives it."""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from pydantic import ValidationError

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.limits import reason_of
from harness import interrupts
from harness.console import printable
from harness.paths import ROOT
from harness.workers import group
from harness.workers.answers import Answer
from harness.workers.cpus import usable_cpus
from harness.workers.environment import environment
from harness.workers.errors import Failure, WorkerError, how_it_ended
from harness.workers.lines import LINE_LIMIT, NoLineError, lines_of
from harness.workers.log import Log
from harness.workers.protocol import EVENT, Done, Event, Failed, Loaded, Message
from harness.workers.requests import Begin, Request
from harness.workers.source import foreign

Found = TypeVar("Found", bound=Message)

SILENCE_SECONDS = 600.0
"""A worker that says nothing for so long has hung: within an epoch it tells how far it is."""

ENDING_SECONDS = 2.0
"""Time for a process to end in, once it has closed its output."""

running: set[Worker] = set()
"""Workers of this process, for `end_all`."""


class Worker:
    """A worker process of one backend; use it in a ``with`` block.

    Args:
        backend: the registered name.
        python: the interpreter it runs in.
        experiment: says how many threads, which device and what precision.
        log: path for the worker's standard error, which is continued; None where nobody keeps it.
        cpus: numbers of those it may use; None gives it as many as the experiment's threads.
        silence: seconds without an event after which the worker counts as hung.
        threads: of its products, at most; None is one for each CPU.

    Raises:
        WorkerError: the process cannot be started.
    """

    def __init__(
        self,
        backend: str,
        python: Path,
        experiment: Experiment,
        log: Path | None = None,
        cpus: list[int] | None = None,
        silence: float = SILENCE_SECONDS,
        threads: int | None = None,
    ) -> None:
        interrupts.begin()
        self.cpus = cpus or usable_cpus()[: experiment.threads]
        self.silence = silence
        self.given_up: Failed | None = None
        command = [str(python), "-P", "-m", "harness.start_worker", "--backend", backend]
        command += ["--cpus", ",".join(map(str, self.cpus))]
        command += ["--devices", str(experiment.devices)]
        sharing = experiment.devices if backends.entry(backend).devices == "processes" else 1
        self.threads = max(1, min(threads or len(self.cpus), len(self.cpus) // sharing))
        with ExitStack() as opened:  # what was opened is closed where the start fails
            try:
                self.log = Log(log)
                opened.callback(self.log.close)
                with interrupts.held():  # else none knows of it
                    variables = environment(self.threads, experiment)
                    self.process = group.start(command, self.log.file, variables, opened)
                    running.add(self)
                    self.lines = lines_of(self.process, look=self.log.bound)
                    opened.callback(self._end)
            except OSError as error:
                reason = f"{backend} cannot be started: {reason_of(error)}"
                raise WorkerError("error", reason) from error
            self.opened = opened.pop_all()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.opened.close()

    def _end(self) -> None:
        running.discard(self)
        group.end(self.process)
        self.process.wait()
        self.lines.close()

    def ask(self, request: Request) -> Iterator[Event]:
        """Send a request at once; give its events, the last being `Done`, or `Failed` and why.

        A worker that dies, falls silent, or says what is no answer to the request ends in `Failed`
        too, of kind ``crashed``, ``timeout`` or ``error``; every further request is answered so.
        """
        self._send(request)
        return self._answers(Answer(request))

    def begin(self, cpus: list[int]) -> None:
        """Let a training begin that waits, in the midst of its answer, on these CPUs."""
        self.cpus = cpus
        self._send(Begin(cpus=cpus))

    def look(self) -> None:
        """Keep its log in bounds, where nobody listens to it."""
        self.log.bound()

    def _send(self, request: Request | Begin) -> None:
        self.lines.send(request.model_dump_json().encode() + b"\n")

    def _answers(self, answer: Answer) -> Iterator[Event]:
        while True:
            event = self._next_event()
            if fault := answer.fault(event):
                event = self._give_up("error", fault)
            yield event
            if isinstance(event, Done | Failed):
                return

    def answers(self, request: Request) -> Iterator[Event]:
        """As `ask`, for those who cannot go on after a failure.

        Raises:
            RequestError: the worker found the request wrong.
            WorkerError: the backend failed.
        """
        for event in self.ask(request):
            if isinstance(event, Failed):
                if event.kind == "request":
                    raise RequestError(event.reason)
                raise WorkerError(event.kind, event.reason)
            yield event

    def answer(self, request: Request, expected: type[Found]) -> tuple[Found, Done]:
        """The one event that answers a request, and its end; raises as `answers` does."""
        found, done = self.answers(request)
        assert isinstance(found, expected)
        assert isinstance(done, Done)
        return found, done

    def _next_event(self) -> Event:
        """The next event that is not about the worker's own code."""
        while self.given_up is None:
            try:
                event = EVENT.validate_json(self.lines.next(self.silence))
            except NoLineError as error:
                if error.why == "silent":
                    return self._give_up("timeout", f"silent for {self.silence:g} s")
                if error.why == "endless":
                    reason = f"it wrote a line of over {LINE_LIMIT >> 20} MB"
                    return self._give_up("error", reason)
                where = " in the middle of a line" if error.why == "cut off" else ""
                return self._give_up("crashed", self._ended(where))
            except ValidationError as error:
                return self._give_up("error", _nonsense(error))
            if not isinstance(event, Loaded):
                return event
            if name := foreign(event.files):
                reason = f"it runs another {name} than stands in {ROOT} since the start"
                return self._give_up("error", reason)
        return self.given_up

    def _give_up(self, kind: Failure, reason: str) -> Failed:
        """End the worker; the answer to this request, and to every other from now on."""
        group.end(self.process)
        self.given_up = Failed(kind=kind, reason=reason)
        return self.given_up

    def _ended(self, where: str) -> str:
        """End of the worker in words, or that it went on without its output; and its last line."""
        deadline = time.monotonic() + ENDING_SECONDS
        while not self.lines.process_ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        if not self.lines.process_ended():
            return "it closed its output and ran on"
        group.end(self.process)  # its children, while the group is known by its leader's number
        status = self.process.wait()
        said = self.log.last_line()
        reason = f"its process ended{where} with {how_it_ended(status)}"
        return f"{reason}: {said}" if said else reason


def end_all() -> None:
    """End all workers of this process; whoever waits for one hears that it crashed."""
    for worker in running.copy():
        group.end(worker.process)


atexit.register(end_all)  # those that a signal caught before their block began


def _nonsense(error: ValidationError) -> str:
    """Fault of a line that is no event, and its beginning."""
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"]))
    if isinstance(fault["input"], bytes):
        line = " ".join(fault["input"][:80].decode("utf-8", "replace").split())
        return f"it wrote a line that is no event: {printable(line)!r}"
    return f"it wrote an event with a wrong {where}: {fault['msg'].lower()}"
