"""Start of a worker: it is bound to the life of its harness before anything heavy is imported.

Started as ``python -P -m harness.start_worker --backend NAME --cpus 0,1 --lifeline FD`` by
`harness.workers.group`; with ``--following`` for a lifeline by a worker that takes a process for
every device, whose group it is of. A harness that is gone, whatever ended it, has closed its ends
of two pipes. The system watches the lifeline, where it can: it kills the worker's whole process
group, even one that is stopped, computes without a pause, or runs behind a script. A thread watches
standard input, everywhere.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from contextlib import suppress
from queue import SimpleQueue

from common.limits import reason_of
from harness.workers.group import end_ours

CHUNK = 1 << 16


def watch(lifeline: int) -> None:
    """Have the system kill this process group when nobody holds the other end of a pipe.

    Where it cannot, or a script on the way has closed the pipe, the thread that reads standard
    input is left.
    """
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)


def read_requests(requests: SimpleQueue[bytes]) -> None:
    """Read standard input, a line a request; at its end the harness is gone, and so are we."""
    buffer = b""
    while chunk := os.read(0, CHUNK):
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            requests.put(line)
    end_ours()


def main() -> None:
    """Answer requests for as long as the harness lives."""
    parser = argparse.ArgumentParser(prog="harness.start_worker")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--cpus", required=True)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--lifeline", type=int)
    parser.add_argument("--following", action="store_true", help="do as rank 0 does, in silence")
    arguments = parser.parse_args()
    if arguments.lifeline is not None:  # one that follows is of its worker's process group
        watch(arguments.lifeline)
    requests: SimpleQueue[bytes] = SimpleQueue()
    try:
        threading.Thread(target=read_requests, args=[requests], daemon=True).start()
    except RuntimeError as error:
        raise SystemExit(reason_of(error)) from None
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(map(int, arguments.cpus.split(","))))
    replies = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # what a framework prints goes to the log

    from harness.workers.ranks import Ranks

    ranks = Ranks(arguments.backend, arguments.devices, arguments.cpus)  # while we import

    from harness.worker import serve

    serve(arguments.backend, iter(requests.get, None), replies, ranks, arguments.following)


if __name__ == "__main__":
    main()
