"""The harness's end of a worker: starts it, asks it, and outlives it."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.shards import world_size
from harness.paths import ROOT
from harness.workers.cpus import usable_cpus
from harness.workers.errors import WorkerError, how_it_ended
from harness.workers.protocol import EVENT, Done, Event, Failed, Message
from harness.workers.requests import Request

Answer = TypeVar("Answer", bound=Message)

SILENCE_SECONDS = 3600.0
"""A worker that says nothing for so long has hung: no epoch here is meant to last an hour."""


def environment(threads: str, device: str, dtype: str, devices: int) -> dict[str, str]:
    """Variables to set before a framework is imported: threads, devices, precision, quiet logs."""
    fixed = {
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "NVIDIA_TF32_OVERRIDE": "0",
        "JAX_ENABLE_X64": "1" if dtype == "float64" else "0",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    if device == "cpu":
        fixed |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    if devices > 1:  # JAX makes so many of a CPU; processes that were started together share them
        flag = f"--xla_force_host_platform_device_count={max(1, devices // world_size())}"
        fixed["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
    return os.environ | fixed


class Worker:
    """A worker process of one backend; use it in a ``with`` block.

    Args:
        backend: the registered name.
        python: the interpreter it runs in.
        experiment: says how many threads, which device and what precision.
        log: path for the worker's standard error.
        cpus: numbers of those it may use; None gives it as many as the experiment's threads.
        silence: seconds without an event after which the worker counts as hung.
    """

    def __init__(
        self,
        backend: str,
        python: Path,
        experiment: Experiment,
        log: Path,
        cpus: list[int] | None = None,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self.log, self.silence = log, silence
        self.cpus = cpus or usable_cpus()[: experiment.threads]
        devices, listed = experiment.devices, ",".join(map(str, self.cpus))
        sharing = devices if backends.entry(backend).devices == "processes" else 1
        self.threads = max(1, len(self.cpus) // sharing)
        program = [str(python), "-m", "harness.worker"]
        given = ["--backend", backend, "--cpus", listed, "--devices", str(devices)]
        settings = str(self.threads), experiment.device, experiment.dtype, devices
        with open(log, "wb") as stderr:
            self.process = subprocess.Popen(
                [*program, *given],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment(*settings),
                start_new_session=True,  # Ctrl-C is for the harness, which ends its workers
            )
        self.lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, args=[self.process.stdout], daemon=True).start()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # a request that nobody was left to read
                    pipe.close()

    def _read(self, stdout: IO[bytes]) -> None:
        try:
            for line in stdout:
                self.lines.put(line)
        except ValueError:
            pass  # closed while we read: the harness has let go of this worker
        self.lines.put(b"")

    def ask(self, request: Request) -> Iterator[Event]:
        """Send a request; give its events, the last being `Done`, or `Failed` with a reason.

        A worker that dies or falls silent ends in `Failed` too, of kind ``crashed`` or
        ``timeout``.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(request.model_dump_json().encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead: the end of its output says so below
        while True:
            event = self._next_event()
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

    def answer(self, request: Request, expected: type[Answer]) -> tuple[Answer, Done]:
        """The one event that answers a request, and its end; raises as `answers` does."""
        found, done = self.answers(request)
        assert isinstance(found, expected)
        assert isinstance(done, Done)
        return found, done

    def _next_event(self) -> Event:
        try:
            line = self.lines.get(timeout=self.silence)
        except queue.Empty:
            return Failed(kind="timeout", reason=f"silent for {self.silence:g} s")
        return EVENT.validate_json(line) if line else self._crash()

    def _crash(self) -> Failed:
        status = self.process.wait()
        said = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = f"its process ended with {how_it_ended(status)}" + (
            f": {said[-1][:200]}" if said else ""
        )
        return Failed(kind="crashed", reason=reason)
