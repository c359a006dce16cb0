"""Ranks: the further processes of a worker whose framework takes a process for every device.

The worker is rank 0, and the others are workers as well: they get every request that it gets, do
the same in step with it, and say nothing. They live and die together. The ranks are of the worker's
process group, which is killed as one, and a rank ends it when its standard input ends, whatever it
is busy with (`harness.start_worker`); a worker ends with one line when a rank has ended.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import backends
from common.shards import world_size
from harness.workers.errors import how_it_ended

GRACE = 3.0
"""Seconds in which the end of a rank, if there was one, comes to be known."""


class Ranks:
    """The other ranks of a worker; none where one process has every device.

    Args:
        backend: the registered name.
        devices: how many compute one model.
        cpus: of the worker, which theirs are, as ``0,1``.
    """

    def __init__(self, backend: str, devices: int, cpus: str) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        started_elsewhere = world_size() > 1  # as by torchrun
        if devices == 1 or backends.entry(backend).devices != "processes" or started_elsewhere:
            return
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ.update(meeting, WORLD_SIZE=str(devices), RANK="0", LOCAL_RANK="0")
        program = [sys.executable, "-P", "-m", "harness.start_worker", "--following"]
        for rank in range(1, devices):
            process = subprocess.Popen(
                [*program, "--backend", backend, "--cpus", cpus],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=os.environ | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            )
            self.processes.append(process)
            threading.Thread(target=watch, args=[process, rank, devices], daemon=True).start()

    def tell(self, line: bytes) -> None:
        """Hand a request on."""
        for process in self.processes:
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # who watches it says that it has ended
                process.stdin.write(line + b"\n")
                process.stdin.flush()

    def wait_for_the_cause(self) -> None:
        """After a failure: where a rank has ended, this process does, and says so instead."""
        if self.processes:
            time.sleep(GRACE)


def watch(process: subprocess.Popen[bytes], rank: int, devices: int) -> None:
    """Hand on what a rank says on standard error; once it has ended, end this process."""
    assert process.stderr is not None
    last = ""
    for line in process.stderr:
        last = line.decode("utf-8", "replace").strip() or last
        sys.stderr.write(line.decode("utf-8", "replace"))
    reason = f"rank {rank} of {devices} ended with {how_it_ended(process.wait())}"
    print(f"{reason}: {last}" if last else reason, file=sys.stderr, flush=True)
    os._exit(1)
