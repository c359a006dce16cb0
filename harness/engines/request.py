"""Requests for cells, as they go to a node: JSON alone, so that nothing of ours is pickled."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

import backends
from common.experiment import Experiment
from harness.workers.placement import Placement
from harness.workers.source import source_hash


class Share(BaseModel):
    """Part of a machine that a cell has for itself.

    Attributes:
        cpus: number of CPUs; None leaves it to the engine.
        gpus: number of GPUs; without, a cell sees none.
        exclusive: True if no other cell runs on the machine meanwhile.
    """

    model_config = ConfigDict(frozen=True)

    cpus: int | None = None
    gpus: int = 0
    exclusive: bool = False

    def of(self, cpus: int) -> Share:
        """The same, with so many CPUs where nothing else is said."""
        return self.model_copy(update={"cpus": self.cpus or cpus})


class CellRequest(BaseModel):
    """Request to do one cell on a node, whatever it is of.

    Attributes:
        name: of the cell, for people.
        backends, variants: as asked for.
        pythons: paths of the interpreters of backends that have one of their own.
        command: of the driver, for the record.
        source: SHA-256 of the project's source, which the node must run.
        versions: of Python, NumPy and the frameworks, which the node must have.
        share: what the cell has for itself.
        engine: name of the engine.
        attempt: from 1.
        store: address of the store that finished cells are kept in; or None.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    backends: tuple[str, ...]
    variants: tuple[str, ...]
    pythons: dict[str, str] = {}
    command: tuple[str, ...] = ()
    source: str
    versions: dict[str, str]
    share: Share = Share()
    engine: str = "local"
    attempt: int = 1
    store: str | None = None

    @property
    def key(self) -> str:
        """SHA-256 of all that decides what a cell computes, and on how much of a machine."""
        decides = self.model_dump_json(
            exclude={"name", "data_dir", "pythons", "command", "engine", "attempt", "store"}
        )
        return hashlib.sha256(decides.encode()).hexdigest()


class RunCell(CellRequest):
    """Request to run a cell of a study on a node, or a row of it again.

    Attributes:
        recipe, experiment, checkpoint_seconds: as of a run.
        data_dir: the first folder for published corpora, where the node has the driver's files.
        corpus: SHA-256 of the text, which the node's must have.
        placement: of all rows, where it was decided before; or None.
    """

    kind: Literal["run"] = "run"
    recipe: str
    experiment: Experiment
    checkpoint_seconds: float
    data_dir: str | None = None
    corpus: str
    placement: Placement | None = None


class BenchCell(CellRequest):
    """Request to time a contest on one shape, all contenders on one node.

    Attributes:
        shape: batch x steps x hiddens x vocabulary.
        rounds, seconds, precision, settings, against: as of `harness.bench.contenders.Contest`.
    """

    kind: Literal["bench"] = "bench"
    shape: str
    rounds: int | None
    seconds: float | None
    precision: float | None
    settings: dict[str, Any]
    against: str


CELL: TypeAdapter[RunCell | BenchCell] = TypeAdapter(
    Annotated[RunCell | BenchCell, Field(discriminator="kind")]
)
"""Reads the request of any cell."""


def versions_of(names: tuple[str, ...]) -> dict[str, str]:
    """Versions that a node must have as well: of Python, NumPy and the frameworks asked for.

    Args:
        names: of backends; none means every one.
    """
    found = {"python": platform.python_version(), "numpy": np.__version__}
    known = backends.registry()
    for name in names or known:
        found[f"backend {name}"] = "there" if name in known else "not there"
        for distribution in known[name].distributions if name in known else ():
            found[distribution] = _version(distribution)
    return found


@cache
def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def refusal(source: str, versions: dict[str, str], names: tuple[str, ...]) -> str:
    """Reason why this node is not one for a request; empty if it is.

    Args:
        source, versions: as the request tells them.
        names: of the backends that it asks for.
    """
    if source != source_hash():
        return f"other source: {source_hash()[:12]}, not {source[:12]}"
    here = versions_of(names)
    for name, wanted in versions.items():
        if here.get(name) != wanted:
            return f"other {name}: {here.get(name, 'not installed')}, not {wanted}"
    return ""
