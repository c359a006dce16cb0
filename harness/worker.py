"""A worker: one process, one backend, JSON lines in and out.

Started as ``python -m harness.worker --backend NAME --cpus 0,1`` by `harness.workers.process`,
which sets thread counts and precision in its environment. Every request, a line on stdin, is
answered by any number of events and one last ``done`` or ``failed``. Standard output belongs to the
protocol: what a framework prints goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import backends
from common.errors import RequestError, in_one_line
from common.interface import Backend
from harness.bench.worker import check, prepare, take_turn, time_products
from harness.bptt.worker import measure as measure_gradients
from harness.parity.worker import compare_with_reference
from harness.predict.worker import predict_text
from harness.run.worker import train_model
from harness.sequence.worker import run_section

Event = dict[str, Any]


def describe_backend(backend: Backend, request: Event) -> Iterator[Event]:
    """Say what the backend is and what it runs on."""
    yield {"event": "described", **asdict(backend.describe())}


OPERATIONS = {
    "describe": describe_backend,
    "train": train_model,
    "predict": predict_text,
    "parity": compare_with_reference,
    "bptt": measure_gradients,
    "prepare": prepare,
    "turn": take_turn,
    "check": check,
    "products": time_products,
    "sequence": run_section,
}


def answer(name: str, request: Event) -> Iterator[Event]:
    """All events of one request; whatever goes wrong becomes its last."""
    try:
        backend = backends.load(name)
    except ImportError as error:
        traceback.print_exc()
        reason = f"cannot import its framework: {in_one_line(error)}"
        yield {"event": "failed", "kind": "unavailable", "reason": reason}
        return
    try:
        yield from OPERATIONS[request["op"]](backend, request)
        yield {"event": "done", "peak_memory_mb": peak_memory_mb()}
    except RequestError as error:
        yield {"event": "failed", "kind": "request", "reason": str(error)}
    except Exception as error:
        traceback.print_exc()
        yield {"event": "failed", "kind": "error", "reason": in_one_line(error)}


def peak_memory_mb() -> float:
    """The largest resident set of this process so far, in MB.

    Linux hands ``ru_maxrss`` on from the parent across exec, so VmHWM is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    import resource  # absent on Windows, where nobody has measured yet

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Answer requests until standard input ends."""
    parser = argparse.ArgumentParser(prog="harness.worker")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--cpus", required=True, type=lambda text: set(map(int, text.split(","))))
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, arguments.cpus)
    replies = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        for event in answer(arguments.backend, json.loads(line)):
            replies.write(json.dumps(event) + "\n")


if __name__ == "__main__":
    main()
