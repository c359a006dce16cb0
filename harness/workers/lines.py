"""Lines to a worker and from it, in bounds: nothing it does, or does not, keeps us waiting."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Queue
from typing import Literal

LINE_LIMIT = 16 << 20
"""Bytes of a line. The longest honest one, a text of 100,000 words, is far below."""

CHUNK = 1 << 16

LOOK_SECONDS = 0.5
"""Time between two looks at what no pipe tells: an end that a child's open pipe hides, the log."""


class NoLineError(Exception):
    """There is no further line.

    Attributes:
        why: none came for too long; one is longer than a line may be; the output has ended, between
            two lines or within one.
    """

    def __init__(self, why: Literal["silent", "endless", "ended", "cut off"]) -> None:
        super().__init__(why)
        self.why = why


class Lines:
    """Both pipes of a worker.

    Args:
        process: the worker's, with pipes that are not buffered.
        look: is called now and then while we wait.
    """

    def __init__(self, process: subprocess.Popen[bytes], look: Callable[[], None]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self.look = process, look
        self.stdin, self.stdout = process.stdin, process.stdout
        self.received, self.searched = bytearray(), 0
        self._begin()

    def _begin(self) -> None:
        self.to_send = b""
        for pipe in (self.stdin, self.stdout):
            os.set_blocking(pipe.fileno(), False)

    def send(self, line: bytes) -> None:
        """Send a line: what the pipe does not take, while we wait for answers."""
        self.to_send += line
        self._write()

    def next(self, silence: float) -> bytes:
        """The next line.

        Raises:
            NoLineError: none came in so many seconds, or none is to come.
        """
        deadline = time.monotonic() + silence
        while (end := self.received.find(b"\n", self.searched)) < 0:
            self.searched = len(self.received)
            if self.searched > LINE_LIMIT:
                raise NoLineError("endless")
            self._exchange(deadline)
        line = bytes(self.received[:end])
        del self.received[: end + 1]
        self.searched = 0
        return line

    def _exchange(self, deadline: float) -> None:
        """Send what can be sent and read what there is, or wait a while for either."""
        poll = select.poll()
        poll.register(self.stdout, select.POLLIN)
        if self.to_send:
            poll.register(self.stdin, select.POLLOUT)
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoLineError("silent")
        had_ended = self.process_ended()  # before we look: then nothing comes after what we read
        ready = dict(poll.poll(1000 * (0 if had_ended else min(left, LOOK_SECONDS))))
        self.look()
        if self.stdin.fileno() in ready:
            self._write()
        if self.stdout.fileno() in ready:
            self._read()
        elif had_ended:
            raise self._ended()

    def _ended(self) -> NoLineError:
        return NoLineError("cut off" if self.received else "ended")

    def process_ended(self) -> bool:
        """True if the process is there no more; its number is kept until somebody waits for it."""
        if self.process.returncode is not None:
            return True
        if not hasattr(os, "waitid"):
            return self.process.poll() is not None
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, flags) is not None

    def _write(self) -> None:
        try:
            sent = os.write(self.stdin.fileno(), self.to_send[:CHUNK])
        except BlockingIOError:
            return
        except BrokenPipeError:
            sent = len(self.to_send)  # nobody reads it; the end of the output says why
        self.to_send = self.to_send[sent:]

    def _read(self) -> None:
        try:
            chunk = os.read(self.stdout.fileno(), CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            raise self._ended()
        self.received += chunk

    def close(self) -> None:
        """Close both."""
        self.stdin.close()
        self.stdout.close()


class LinesOfThreads(Lines):
    """The same where a pipe cannot be waited for, as on Windows: one thread reads, one writes."""

    def _begin(self) -> None:
        self.chunks: Queue[bytes] = Queue(2 * LINE_LIMIT // CHUNK)  # one that talks on has to wait
        self.requests: Queue[bytes] = Queue()
        for work in (self._read_on, self._write_on):
            threading.Thread(target=work, daemon=True).start()

    def send(self, line: bytes) -> None:
        """Send a line as soon as it is read."""
        self.requests.put(line)

    def _exchange(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoLineError("silent")
        had_ended = self.process_ended()
        try:
            chunk = self.chunks.get(timeout=min(left, LOOK_SECONDS))
        except Empty:
            if had_ended:
                raise self._ended() from None
            return
        finally:
            self.look()
        if not chunk:
            raise self._ended()
        self.received += chunk

    def _read_on(self) -> None:
        with suppress(OSError, ValueError):  # it is closed
            while chunk := self.stdout.read(CHUNK):
                self.chunks.put(chunk)
        self.chunks.put(b"")

    def _write_on(self) -> None:
        with suppress(OSError, ValueError):
            while True:
                self.stdin.write(self.requests.get())


def lines_of(process: subprocess.Popen[bytes], look: Callable[[], None]) -> Lines:
    """The lines of a worker, in the way that this system has; arguments as of `Lines`."""
    kind = Lines if hasattr(select, "poll") else LinesOfThreads
    return kind(process, look)
