"""A node's side: one cell from a request to the archive of its run folder.

The same function for every engine; it takes and gives text and bytes, and so is all that a cluster
has to call. A cell is run in a scratch folder on the node. If the node ran a part of the very same
cell before, and was cut off, it goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from common.errors import RequestError, StorageError, in_one_line
from common.files import storing, write_aside
from common.inputs import Inputs, read_inputs
from common.sources import file_name
from harness.checks import check_inputs
from harness.engines.archive import pack
from harness.engines.leases import Lease, on_cpus, on_gpus, runtime
from harness.engines.request import CellRequest, refusal
from harness.engines.store import Store
from harness.engines.task import Header, Outcome
from harness.lock import locked
from harness.records.facts import write_facts
from harness.records.json_schemas import RunFacts
from harness.records.provenance import host_id
from harness.records.reading import RUN_TABLES, has_finished, read_run, record
from harness.records.status import BROKEN
from harness.run.folder import CHECKPOINTS
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from harness.workers.cpus import affinity
from harness.workers.placement import Placement

LARGE = 100 << 20
"""Bytes of an archive that is not sent if it lies in the store."""


def work(request: str, text: bytes | None = None) -> bytes:
    """Run a cell.

    Args:
        request: a `CellRequest` as JSON.
        text: the text, if the node does not have the driver's files.

    Returns:
        An `Outcome` as bytes. Nothing is raised but what ends the process.
    """
    host = host_id()
    try:
        told = json.loads(request)
        if reason := refusal(told["source"], told["versions"], tuple(told["backends"])):
            return Outcome.ended("refused", f"{reason} on {platform.node()}", host).sent()
        return _worked(CellRequest.model_validate_json(request), text).sent()
    except (StorageError, MemoryError) as error:
        return Outcome.ended("lost", in_one_line(error), host).sent()
    except RequestError as error:
        return Outcome.ended("failed", str(error), host).sent()
    except Exception as error:
        return Outcome.ended("failed", in_one_line(error), host).sent()


def _worked(asked: CellRequest, text: bytes | None) -> Outcome:
    store = Store(asked.store) if asked.store else None
    if store and (kept := store.get(asked.key)):
        return kept
    folder = Path(asked.data_dir) if asked.data_dir else None
    if text is not None:
        folder = _laid_down(text, asked)
    inputs = read_inputs(asked.experiment, folder)
    if inputs.prepared.sha256 != asked.corpus:
        reason = f"another text {asked.experiment.corpus} on {platform.node()}"
        return Outcome.ended("refused", reason, host_id())
    check_inputs(inputs, asked.experiment, None)
    start = time.monotonic()
    with scratch(asked.key) as place:
        if reason := _run(asked, run_request(asked, inputs, folder, place)):
            return Outcome.ended("lost", reason, host_id())
        packed, broken = pack(place), _is_broken(place)
        shutil.rmtree(place)
    done = Header(
        ending="done",
        host=host_id(),
        seconds=time.monotonic() - start,
        sha256=hashlib.sha256(packed).hexdigest(),
    )
    stored = store and not broken and store.put(asked.key, Outcome(done, packed))
    if stored and len(packed) > LARGE:
        return Outcome(done.model_copy(update={"stored": True}))
    return Outcome(done, packed)


def run_request(asked: CellRequest, inputs: Inputs, data_dir: Path | None, out: Path) -> RunRequest:
    """The request of a run for that of a cell."""
    return RunRequest(
        asked.recipe,
        asked.experiment,
        asked.backends,
        asked.variants,
        data_dir,
        out,
        {name: Path(path) for name, path in asked.pythons.items()},
        inputs=inputs,
        checkpoint_seconds=asked.checkpoint_seconds,
        placement=Placement(*asked.placement) if asked.placement else None,
    )


def _run(asked: CellRequest, request: RunRequest) -> str:
    """Run it on CPUs and GPUs of its own; reason why it has not come to its end, or nothing."""
    place = request.out
    assert place is not None
    share = asked.share
    with on_cpus(share.cpus, share.exclusive) as cpus, on_gpus(share.gpus) as gpus:
        if not has_finished(place):
            result = run(request, Silent())
            if result.status != "finished":
                facts = record(place, "run.json", RunFacts)
                return str(facts.get("reason") or result.status)
        _say_where(place, asked, cpus, gpus)
    return ""


def _is_broken(place: Path) -> bool:
    """True if a row of a finished run broke: it may not another time, and is not kept."""
    return bool(read_run(place).summary.status.isin(BROKEN).any())


def _say_where(place: Path, asked: CellRequest, cpus: Lease, gpus: Lease) -> None:
    """Write into a finished run's record who asked for it, and where it ran."""
    facts: dict[str, Any] = json.loads((place / "run.json").read_bytes())
    facts["command"] = [*asked.command]
    facts["sittings"] = [each | {"host": host_id()} for each in facts["sittings"]]
    facts["engine"] = {
        "name": asked.engine,
        "host": host_id(),
        "attempt": asked.attempt,
        "cpus": affinity(),  # read back
        "gpus": gpus.names,
        "shared": cpus.shared or gpus.shared,
    }
    write_facts(place / "run.json", facts, [*RUN_TABLES, CHECKPOINTS])


@contextmanager
def scratch(key: str) -> Iterator[Path]:
    """The scratch folder of a cell, whose lock is held: it stays if the work is cut off.

    One whose holder was killed is free. Where somebody runs the same cell, it is a second one.
    """
    folder = runtime() / "cells" / key
    with ExitStack() as holding:
        try:
            holding.enter_context(locked(folder))
        except RequestError:
            folder = folder.with_name(f"{key}-{time.time_ns()}")
            holding.enter_context(locked(folder))
        yield folder


def _laid_down(text: bytes, asked: CellRequest) -> Path:
    """Folder that holds the text that was sent; it is written once a node."""
    folder = runtime() / "texts" / asked.corpus
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(asked.experiment.corpus)
    if not path.exists():
        write_aside(path, text)
    return folder
