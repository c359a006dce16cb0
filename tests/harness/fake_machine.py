"""A machine that is made up: backends that see its devices, in workers of this very process."""

import math
import os
from dataclasses import dataclass, field
from types import MappingProxyType, SimpleNamespace

import numpy as np

import backends
from common.errors import DeviceError, RequestError
from common.interface import Description
from common.places import DETERMINISTIC, place
from common.reference import Reference
from common.shards import named, too_few
from harness import worker
from harness.bench import quiet, rounds, turns
from harness.run import train
from harness.workers import gpus, interpreters, placement
from harness.workers.cpus import affinity
from harness.workers.environment import environment
from harness.workers.errors import WorkerError
from harness.workers.protocol import Done, Failed
from harness.workers.session import Session

GPU = "GPU of the tests"


@dataclass
class Framework:
    """A backend as a machine has it: the reference, said to be on a device that it sees.

    Attributes:
        gpus: how many it sees; `kind` says of what.
        room: networks that one of them has room for, of all backends together.
        same_bits: False where it cannot be asked for them.
    """

    name: str
    gpus: int = 0
    kind: str = "gpu"
    build_for: str = "cpu"
    room: int = 100
    tf32: bool = False
    same_bits: bool = True
    variants: tuple = ("scratch",)
    held: list = field(default_factory=list)

    def describe(self):
        return Description(
            {"numpy": np.__version__},
            ("cpu", *[GPU] * self.gpus),
            None,
            self.tf32,
            ("cpu", *(f"{self.kind}:{i}" for i in range(self.gpus))),
            self.build_for,
            self.same_bits and os.environ.get(DETERMINISTIC) == "1",
        )

    def compilations(self):
        return 0

    def device_memory_mb(self):
        return 7.0 if self.gpus else None

    def build(self, experiment, variant, weights):
        kind, number = place(experiment.device, self.name, {self.kind: self.gpus})
        if kind != "cpu" and self.build_for == "mps" and experiment.dtype == "float64":
            raise DeviceError("--dtype float64: it has none")
        if kind != "cpu" and experiment.devices > self.gpus:
            raise too_few(experiment.devices, self.gpus, self.name, kind.upper())
        if kind != "cpu" and len(self.held) >= self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB.\nSee the manual")
        if kind != "cpu":
            self.held.append(self)
        model = Reference(experiment, weights)
        name = "cpu" if kind == "cpu" else f"{GPU}, {kind}:{number}"
        model.device = named(name, experiment.devices)
        return model


class Here:
    """A worker without a process, and as much of `harness.workers.process.Worker` as is used."""

    machine = MappingProxyType({})
    process = SimpleNamespace(pid=os.getpid())

    def __init__(self, backend, python, experiment, log=None, cpus=None, threads=None):
        self.backend, self.experiment = backend, experiment
        self.cpus, self.threads, self.held = affinity(), 1, 0
        self.session = Session(backend)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """Give back what it holds of a device."""
        held = self.machine[self.backend].held if self.backend in self.machine else []
        del held[len(held) - self.held :]
        self.held = 0

    def ask(self, request):
        given = environment(1, self.experiment)
        os.environ[DETERMINISTIC] = given.get(DETERMINISTIC, "0")
        held = self.machine[self.backend].held if self.backend in self.machine else []
        before = len(held)
        yield from (e for e in worker.answer(self.session, request) if e.event != "loaded")
        self.held += len(held) - before

    def begin(self, cpus):
        """Nothing to do: this one never waits."""

    def look(self):
        """Nothing to do: it has no log."""

    def answers(self, request):
        for event in self.ask(request):
            if isinstance(event, Failed):
                failed = RequestError(event.reason), WorkerError(event.kind, event.reason)
                raise failed[event.kind != "request"]
            yield event

    def answer(self, request, expected):
        *found, done = self.answers(request)
        assert isinstance(done, Done)
        return found[0], done


def set_up(monkeypatch, *frameworks, missing=()):
    """Make a machine of these frameworks, and of the names of those that are not installed."""
    entries = {name: backends.Entry(name, ("no_such_module",), ()) for name in missing}
    machine = {each.name: each for each in frameworks}
    held = []
    for name, each in machine.items():
        each.held = held  # they share the memory of their device
        entries[name] = backends.Entry(
            name, (), ("numpy",), variants=each.variants, bench_variants=(), devices="together"
        )
    monkeypatch.setattr(backends, "BACKENDS", entries)
    load = backends.load
    monkeypatch.setattr(
        backends, "load", lambda name: machine[name] if name in machine else load(name)
    )
    monkeypatch.setattr(Here, "machine", machine)
    for module in (train, interpreters, turns):
        monkeypatch.setattr(module, "Worker", Here)
    monkeypatch.setattr(gpus, "may_have_one", lambda: any(each.gpus for each in frameworks))
    monkeypatch.setattr(rounds, "cpu_seconds", lambda worker, family=False: 0.0)
    monkeypatch.setattr(quiet, "DISTURBED", math.inf)
    monkeypatch.setenv(DETERMINISTIC, "0")
    placement.survey.cache_clear()
