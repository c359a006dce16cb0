"""A node's side: one cell from a request to the archive of its folder.

The same function for every engine; it takes and gives text and bytes, and so is all that a cluster
has to call. A cell is done in a scratch folder on the node.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from common.errors import RequestError, StorageError, in_one_line
from harness.engines.archive import pack
from harness.engines.leases import runtime
from harness.engines.node_bench import failures, time_cell
from harness.engines.node_run import broken_rows, run_cell
from harness.engines.request import CELL, BenchCell, RunCell, refusal
from harness.engines.store import Store
from harness.engines.task import Header, Outcome
from harness.lock import locked
from harness.paths import beside
from harness.records.provenance import host_id

MACHINES = re.compile(r"its process ended.* with signal SIG(KILL|TERM)\b|no memory left")
"""Beginning of a reason why a row broke that is its machine's: its memory is full, it goes down."""

GONE = "gone"
"""Name beside a scratch folder's that it has while it is removed."""

LARGE = 100 << 20
"""Bytes of an archive that is not sent if it lies in the store."""


def work(request: str, text: bytes | None = None) -> bytes:
    """Do a cell.

    Args:
        request: a `RunCell` or a `BenchCell` as JSON.
        text: the text, if the node does not have the driver's files.

    Returns:
        An `Outcome` as bytes. Nothing is raised but what ends the process.
    """
    host = host_id()
    try:
        told = json.loads(request)
        if reason := refusal(told["source"], told["versions"], tuple(told["backends"])):
            return Outcome.ended("refused", f"{reason} on {platform.node()}", host).sent()
        return _worked(CELL.validate_json(request), text).sent()
    except (StorageError, MemoryError) as error:
        return Outcome.ended("lost", in_one_line(error), host).sent()
    except RequestError as error:
        return Outcome.ended("failed", str(error), host).sent()
    except Exception as error:
        return Outcome.ended("failed", in_one_line(error), host).sent()


def _worked(asked: RunCell | BenchCell, text: bytes | None) -> Outcome:
    store = Store(asked.store) if asked.store else None
    if store and (kept := store.get(asked.key)):
        return kept
    start = time.monotonic()
    with scratch(asked.key) as place:
        ended = (
            run_cell(asked, text, place) if isinstance(asked, RunCell) else time_cell(asked, place)
        )
        if ended:
            return ended
        broken = broken_rows(place) if isinstance(asked, RunCell) else failures(place)
        packed = pack(place)
        gone = beside(place, GONE)
        os.replace(place, gone)  # at once: whatever ends us, no half of it stays there
        shutil.rmtree(gone)
    done = Header(
        ending="done",
        host=host_id(),
        seconds=time.monotonic() - start,
        sha256=hashlib.sha256(packed).hexdigest(),
        key=asked.key,
        killed=next(filter(MACHINES.match, broken), ""),
    )
    stored = store and not broken and store.put(asked.key, Outcome(done, packed))
    if stored and len(packed) > LARGE:
        return Outcome(done.model_copy(update={"stored": True}))
    return Outcome(done, packed)


@contextmanager
def scratch(key: str) -> Iterator[Path]:
    """The scratch folder of a cell, whose lock is held: it stays if the work is cut off.

    One whose holder was killed is free. Where somebody does the same cell, it is a second one.
    """
    folder = runtime() / "cells" / key
    with ExitStack() as holding:
        try:
            holding.enter_context(locked(folder))
        except RequestError:
            folder = folder.with_name(f"{key}-{time.time_ns()}")
            holding.enter_context(locked(folder))
        shutil.rmtree(beside(folder, GONE), ignore_errors=True)
        yield folder
