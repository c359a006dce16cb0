"""Schemas of ``run.json`` and ``bench.json``, as Pydantic reads them; other facts are kept."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from common.experiment import Device, DType, Experiment
from common.interface import Description
from harness.records.columns import Shape, Whole
from harness.workers.gpus import Watched


class Open(BaseModel):
    """A record that keeps what else stands in it."""

    model_config = ConfigDict(extra="allow")


class Corpus(Open):
    """The text of a run."""

    name: str
    sha256: str
    characters: Whole
    tokens: Whole
    vocab_size: Whole
    batches_per_epoch: Whole


class Source(Open):
    """The source that ran."""

    revision: str | None
    modified: bool
    sha256: str


class ResultFacts(Open):
    """ResultFacts of ``run.json`` and of ``bench.json`` alike; SHA-256 of ``files`` beside them."""

    format: Literal[1] = 1
    files: dict[str, str] = {}
    made: str | None = None
    machine: dict[str, Any]
    versions: dict[str, str]
    source: Source
    command: list[str]


class Sitting(Open):
    """One of the processes that a run took; ``ended`` is None where it was killed."""

    started: str
    ended: str | None
    source: str
    versions: dict[str, Any]


class PlacementFacts(Open):
    """Device of all rows, and why it is not another; threads of those that spin, and why so few."""

    device: Device
    reason: str
    threads: int | None = None
    neighbours: str = ""


class EngineFacts(Open):
    """Engine that had a node do the run, if one did.

    Attributes:
        name: of the engine.
        host: a hash of the node's name.
        attempt: from 1; those before were lost with their node.
        cpus: numbers of the CPUs that it held, and nobody else.
        gpus: names of the GPUs, likewise.
        shared: True if it could not have them for itself, so that its throughput is no verdict.
    """

    name: str
    host: str
    attempt: Whole
    cpus: list[int]
    gpus: list[str]
    shared: bool


class RunFacts(ResultFacts):
    """``run.json``; what was not recorded at first may be None.

    Attributes:
        engine: None where the run was started by hand.
        rows: backends and variants.
        placement: of all rows, decided when the run was begun.
        gpus: what they went through while each row was trained, by its name.
        machines: those of rows that were run elsewhere than the others, by a hash of their names.
    """

    recipe: str
    experiment: Experiment
    rows: list[list[str]] | None = None
    corpus: Corpus
    resumed: str | None = None
    resumed_sha256: str | None = None
    sittings: list[Sitting] = []
    placement: PlacementFacts | None = None
    engine: EngineFacts | None = None
    gpus: dict[str, list[Watched]] = {}
    machines: dict[str, dict[str, Any]] = {}
    backends: dict[str, Description]
    started: str
    ended: str | None
    status: Literal["running", "finished", "interrupted", "failed"]


class BenchSettings(Open):
    """Settings of a benchmark beside the shapes."""

    dtype: DType
    device: str
    devices: int = 1
    deterministic: bool = False
    threads: int | None


class RecordedConditions(Open):
    """RecordedConditions in force in a worker."""

    versions: dict[str, str]


class Entered(Open):
    """Contender of a benchmark; one that never got ready has no device and no conditions.

    Attributes:
        rounds: in which it took its turn; None in a record from before rounds could differ.
    """

    backend: str
    variant: str
    reason: str
    rounds: Whole | None = None
    checked: dict[str, Any] = {}
    device: str | None = None
    conditions: RecordedConditions | None = None


class Quietness(Open):
    """Quiet of the machine while a shape was timed; a busy one allows no verdicts."""

    busy: bool
    rounds: Whole
    disturbed: Whole


class SameTwice(Open):
    """Contender that ran twice, and the smallest ratio that could be told; None: too few rounds."""

    contender: str
    smallest: float | None


class Circumstances(Open):
    """Circumstances of the figures of one shape; see `harness.bench.quiet` and ``twins``.

    Attributes:
        engine, machine: who had it timed, and where; None where the benchmark was started by hand.
    """

    shape: Shape
    quiet: Quietness | None = None
    same: SameTwice | None = None
    gpus: list[Watched] = []
    engine: EngineFacts | None = None
    machine: dict[str, Any] | None = None
    workers: list[Entered]
    products: dict[str, dict[str, dict[str, float]]]
    passes: dict[str, dict[str, dict[str, float]]] = {}


class ParityFacts(ResultFacts):
    """``parity.json``; the versions of ``backends`` by their names."""

    backends: dict[str, dict[str, str]]
    failures: dict[str, str]
    status: Literal["finished", "failed"]


class StudyFacts(ResultFacts):
    """``study.json``: contents of its file, and by cell why it was lost."""

    study: dict[str, Any]
    lost: dict[str, str] = {}
    status: Literal["running", "finished", "failed"]


class BenchFacts(ResultFacts):
    """``bench.json``; ``answers`` are sentences by shape, and over ``all`` where there are several.

    Attributes:
        rounds: that every contender took on every shape, at least.
    """

    rounds: Whole
    answers: dict[str, list[str]] = {}
    settings: BenchSettings
    placement: PlacementFacts | None = None
    shapes: list[Circumstances]
    failures: dict[str, str]
    status: Literal["running", "finished"]
