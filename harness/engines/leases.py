"""Leases of CPUs and GPUs: a lock each, on every machine, that ends with whoever holds it.

Whatever is timed by one user on one machine, by however many studies and engines, holds what it is
timed on, so that no two share any. The locks lie where all of the user's processes on a machine
find them.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from common.errors import RequestError
from common.files import NO_LINK, storing
from harness.engines.request import CellRequest
from harness.records.provenance import host_id
from harness.workers.cpus import affinity, usable_cpus

WAIT_SECONDS = 0.1
"""Time between two looks at locks that somebody else holds."""


class Lease(NamedTuple):
    """CPUs or GPUs that were leased, and whether there are fewer than were asked for."""

    names: list[str]
    shared: bool


def runtime() -> Path:
    """Folder of this user on this machine, which nobody else can write into.

    Raises:
        RequestError: somebody else has made it.
    """
    folder = Path(tempfile.gettempdir()) / f"rnn-rosetta-{os.getuid()}"
    with storing(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    if found.st_uid != os.getuid() or folder.is_symlink() or found.st_mode & 0o022:
        raise RequestError(f"{folder}: not ours alone: remove it, or set TMPDIR to another place")
    return folder


@contextmanager
def leased(
    kind: str, among: Sequence[str], count: int | None, alone: bool = False
) -> Iterator[Lease]:
    """Hold some of a machine's CPUs or GPUs, for as long as this block lasts.

    Args:
        kind: ``cpu`` or ``gpu``.
        among: their names.
        count: how many; None takes all.
        alone: True if the others are held as well, though not given.
    """
    wanted = len(among) if count is None else count
    given = min(wanted, len(among))
    to_hold = len(among) if alone else given
    while True:
        with ExitStack() as holding:
            held: list[str] = []
            for name in among:
                if len(held) < to_hold and (file := _lock(kind, name)) is not None:
                    holding.callback(os.close, file)
                    held.append(name)
            if len(held) == to_hold:
                yield Lease(held[:given], shared=given < wanted)
                return
        time.sleep(WAIT_SECONDS)  # without any, so that no two wait for each other


def _lock(kind: str, name: str) -> int | None:
    """The open file of a lock that is ours now, or None."""
    path = runtime() / f"{kind}-{re.sub('[^A-Za-z0-9-]', '_', name)}.lock"
    with storing(path):
        file = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


@contextmanager
def on_cpus(count: int | None, alone: bool) -> Iterator[Lease]:
    """Hold CPUs of those that this process may use, and run on them alone.

    Args:
        count, alone: as of `leased`.
    """
    before = os.sched_getaffinity(0)
    with leased("cpu", [*map(str, usable_cpus())], count, alone) as lease:
        os.sched_setaffinity(0, set(map(int, lease.names)))
        try:
            yield lease
        finally:
            os.sched_setaffinity(0, before)


@contextmanager
def on_gpus(count: int) -> Iterator[Lease]:
    """Hold GPUs of those that this process may use, and see them alone; without any, see none."""
    name = "CUDA_VISIBLE_DEVICES"
    before = os.environ.get(name)
    with leased("gpu", visible_gpus(), count) as lease:
        os.environ[name] = ",".join(lease.names)
        try:
            yield lease
        finally:
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before


def engine_facts(asked: CellRequest, cpus: Lease, gpus: Lease) -> dict[str, Any]:
    """Facts of a record on who did a cell, and what of a machine it held meanwhile."""
    return {
        "name": asked.engine,
        "host": host_id(),
        "attempt": asked.attempt,
        "cpus": affinity(),  # read back
        "gpus": gpus.names,
        "shared": cpus.shared or gpus.shared,
    }


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in visible.split(",") if name.strip()]
    from harness.workers.gpus import states

    return [str(number) for number, _ in enumerate(states())]
