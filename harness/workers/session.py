"""Session of a worker: its backend, and what one request leaves for the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import backends
from common.experiment import Experiment
from common.interface import Backend, Model
from common.places import deterministic
from common.weights import Weights
from harness.workers.cpus import move_to
from harness.workers.loaded import loaded_files
from harness.workers.protocol import Loaded
from harness.workers.requests import Begin


@dataclass
class Session:
    """A worker's memory between requests.

    Attributes:
        name: of the backend.
        following: True for a rank that does what another does: it writes no file.
        timed: the network of a benchmark between its turns, a `harness.bench.worker.Timed`.
        told: hashes of the files that the harness was told of, by path.
        built: True once it has built a network.
        requests: lines that are still to come.
    """

    name: str
    following: bool = False
    timed: Any = None
    told: dict[str, str] = field(default_factory=dict)
    built: bool = False
    requests: Iterator[bytes] = field(default_factory=lambda: iter(()))

    @cached_property
    def backend(self) -> Backend:
        """The backend's module, imported at the first request.

        Raises:
            ImportError: its framework cannot be imported.
        """
        return backends.load(self.name)

    def build(self, experiment: Experiment, variant: str, weights: Weights) -> Model:
        """A model of the backend, where what is in force is what was set; nothing is compiled yet.

        Raises:
            RuntimeError: products may be rounded, or the bits may differ from time to time.
        """
        model = self.backend.build(experiment, variant, weights)
        self.built, in_force = True, self.backend.describe()
        if in_force.tf32:
            raise RuntimeError("it may round products to TF32")
        if deterministic() and not in_force.deterministic:
            raise RuntimeError("--deterministic was asked for, and is not in force")
        return model

    def wait_to_begin(self) -> None:
        """Wait for the harness's `Begin`, without using the CPU, and move where it says."""
        if line := next(self.requests, None):
            move_to(Begin.model_validate_json(line).cpus)

    @property
    def device_memory_mb(self) -> float | None:
        """The most memory of a device that its networks have had; None on a CPU, or not told."""
        told = getattr(self.backend, "device_memory_mb", None)
        return told() if told and self.built else None

    def newly_loaded(self) -> Iterator[Loaded]:
        """Tell the files of the project that were imported since this was last asked, if any."""
        if files := loaded_files(self.told):
            yield Loaded(files=files)
