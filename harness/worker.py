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
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import backends
from common.batches import Batch, SeqDataLoader
from common.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from common.errors import RequestError, in_one_line
from common.experiment import Experiment
from common.grid import cases, check
from common.interface import Backend, Model
from common.judging import judge_before_training
from common.setup import first_weights, load_batches
from common.training import train, warm_up
from common.weights import Weights
from harness import flow, sequencing
from harness.bench import worker as timing

Event = dict[str, Any]


def describe_backend(backend: Backend, request: Event) -> Iterator[Event]:
    """Say what the backend is and what it runs on."""
    yield {"event": "described", **asdict(backend.describe())}


def train_model(backend: Backend, request: Event) -> Iterator[Event]:
    """Train a network from its first weights to its last epoch, or until it diverges."""
    experiment = Experiment.of(request["experiment"])
    loader, vocab = load_batches(experiment, request["data_dir"])
    if request["resume"]:
        saved = load_checkpoint(Path(request["resume"]))
        weights, done = saved.weights, saved.epoch
    else:
        weights, done = first_weights(experiment, len(vocab)), 0
    model = backend.build(experiment, request["variant"], weights)
    start = time.perf_counter()
    warm_up(model, loader.shapes())
    compile_seconds = time.perf_counter() - start
    yield {
        "event": "built",
        "device": model.device,
        "compile_seconds": compile_seconds,
        "description": asdict(backend.describe()),
    }
    batches = preflight_batches(loader)
    judgement = judge_before_training(model, weights, experiment, batches, vocab)
    yield {"event": "preflight", **judgement.summary()}
    if not judgement.trains:
        return
    model.load_weights(weights)
    epoch = None
    for epoch in train(model, loader, experiment, done):
        yield {"event": "epoch", **asdict(epoch)}
        if epoch.epoch % experiment.pred_period == 0 or epoch.epoch == experiment.num_epochs:
            for prefix in experiment.prefixes:
                text = model.predict(prefix, experiment.num_preds, vocab)
                yield {"event": "sample", "epoch": epoch.epoch, "prefix": prefix, "text": text}
    assert epoch is not None  # there is at least one epoch left: the harness has checked
    checkpoint = Checkpoint(experiment, vocab, epoch.epoch, model.weights())
    save_checkpoint(Path(request["checkpoint"]), checkpoint)


def preflight_batches(loader: SeqDataLoader) -> list[Batch]:
    """Three batches of one shape from the first epoch, some twice where it has fewer, and its last.

    The last is smaller than the others where windows slide.
    """
    epoch = [*loader.epoch(1)]
    alike = [batch for batch in epoch[:3] if batch[0].shape == epoch[0][0].shape]
    return [*islice(cycle(alike), 3), epoch[-1]]


def predict_text(backend: Backend, request: Event) -> Iterator[Event]:
    """Continue prefixes with the network of a checkpoint."""
    checkpoint = load_checkpoint(Path(request["checkpoint"]))
    settings = checkpoint.experiment.model_dump() | request["settings"]
    model = backend.build(Experiment.of(settings), request["variant"], checkpoint.weights)
    for prefix in request["prefixes"]:
        text = model.predict(prefix, request["num_preds"], checkpoint.vocab)
        yield {"event": "sample", "epoch": checkpoint.epoch, "prefix": prefix, "text": text}


def compare_with_reference(backend: Backend, request: Event) -> Iterator[Event]:
    """Compare every case of the parity grid that the variant can be, in one precision."""

    def build(experiment: Experiment, weights: Weights) -> Model:
        return backend.build(experiment, request["variant"], weights)

    for case in cases(request["dtype"]):
        if case.experiment.lacking(request["variant"]):
            continue
        placed = case.experiment.model_copy(update={"device": request["device"]})
        errors = check(build, replace(case, experiment=placed), request["steps"])
        yield {"event": "case", "case": case.name, "errors": errors}


OPERATIONS = {
    "describe": describe_backend,
    "train": train_model,
    "predict": predict_text,
    "parity": compare_with_reference,
    "bptt": flow.measure,
    "prepare": timing.prepare,
    "turn": timing.take_turn,
    "check": timing.check,
    "products": timing.time_products,
    "sequence": sequencing.run_section,
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
