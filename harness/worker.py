"""A worker: one process, one backend, JSON lines in and out.

`harness.start_worker` is how it begins, in an environment of `harness.workers.environment`. Every
request, a line on standard input, is answered by any number of events and one last ``done`` or
``failed``. Standard output belongs to the protocol: what a framework prints goes to the log.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from backends import PluginError, installed
from common.errors import RequestError, UnavailableError, in_one_line
from common.limits import is_device_full
from harness.bench.generation.worker import prepare_text
from harness.bench.worker import check, prepare, take_turn, time_products
from harness.bptt.worker import measure_gradients
from harness.parity.worker import compare_with_reference
from harness.predict.worker import predict_text
from harness.run.worker import train_model
from harness.scale.worker import time_text
from harness.sequence.worker import run_section
from harness.workers.errors import Failure
from harness.workers.protocol import Described, Done, Event, Failed
from harness.workers.ranks import Ranks
from harness.workers.requests import (
    REQUEST,
    Check,
    Compare,
    Describe,
    MeasureGradients,
    Predict,
    Prepare,
    PrepareText,
    Request,
    RunSequence,
    TakeTurn,
    TimeProducts,
    TimeText,
    Train,
)
from harness.workers.session import Session


def describe_backend(session: Session, request: Describe) -> Iterator[Event]:
    """Say what the backend is and what it runs on."""
    yield Described(description=session.backend.describe())


OPERATIONS: dict[type[Request], Callable[[Session, Any], Iterator[Event]]] = {
    Describe: describe_backend,
    Train: train_model,
    Predict: predict_text,
    Compare: compare_with_reference,
    Prepare: prepare,
    PrepareText: prepare_text,
    TakeTurn: take_turn,
    TimeText: time_text,
    Check: check,
    TimeProducts: time_products,
    MeasureGradients: measure_gradients,
    RunSequence: run_section,
}


def answer(session: Session, request: Request) -> Iterator[Event]:
    """All events of one request; whatever goes wrong becomes its last."""
    briefly = isinstance(request, Describe) and request.briefly
    if briefly and (found := installed.described(session.name)):
        yield from session.newly_loaded()
        yield Described(description=found)
        yield Done(peak_memory_mb=peak_memory_mb())
        return
    try:
        session.backend  # noqa: B018
    except (ImportError, RequestError) as error:  # by a Python that lacks the plug-in, the latter
        traceback.print_exc()
        reason = f"cannot import its framework: {in_one_line(error)}"
        if isinstance(error, (PluginError, RequestError)):
            reason = str(error)
        yield Failed(kind="unavailable", reason=reason)
        return
    try:
        yield from session.newly_loaded()
        yield from OPERATIONS[type(request)](session, request)
        yield from session.newly_loaded()
        yield Done(peak_memory_mb=peak_memory_mb(), device_memory_mb=session.device_memory_mb)
    except UnavailableError as error:
        yield Failed(kind="unavailable", reason=str(error))
    except RequestError as error:
        yield Failed(kind="request", reason=str(error))
    except Exception as error:
        traceback.print_exc()
        kind: Failure = "memory" if is_device_full(error) else "error"
        yield Failed(kind=kind, reason=in_one_line(error))


def peak_memory_mb() -> float:
    """The largest resident set of this process so far, in MB.

    Linux hands ``ru_maxrss`` on from the parent across exec, so VmHWM is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    try:
        import resource  # macOS, in bytes
    except ImportError:  # Windows
        import psutil

        memory: Any = psutil.Process().memory_info()
        return float(memory.peak_wset) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def serve(
    backend: str, requests: Iterator[bytes], replies: TextIO, ranks: Ranks, following: bool
) -> None:
    """Answer requests, lines of UTF-8 whatever the terminal speaks, one after the other."""
    session = Session(backend, following, requests=requests)
    for line in requests:
        ranks.tell(line)
        for event in answer(session, REQUEST.validate_json(line)):
            if isinstance(event, Failed) and event.kind != "request":
                if following:  # no other rank gets any further without it
                    print(event.reason, file=sys.stderr, flush=True)
                    os._exit(1)
                ranks.wait_for_the_cause()
            replies.write(event.model_dump_json() + "\n")
