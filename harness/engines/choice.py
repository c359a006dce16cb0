"""Choice of an engine by its name: ours, or one that somebody has installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from common.errors import RequestError, in_one_line, unknown
from harness.engines.request import Share
from harness.engines.task import Engine
from harness.workers.cpus import usable_cpus

GROUP = "rnn_rosetta.engines"
"""Group of entry points: the name is the engine's, the object takes `EngineOptions`."""


@dataclass(frozen=True)
class EngineOptions:
    """Options of all engines.

    Attributes:
        jobs: cells at once, of ``local``.
        address: of a Ray cluster.
        slurm: parameters of its jobs.
        share: of a machine, for each cell.
        folder: for what an engine has to write down.
    """

    jobs: int = 1
    address: str | None = None
    slurm: dict[str, str] = field(default_factory=dict)
    share: Share = field(default_factory=Share)
    folder: Path = Path()


def local(options: EngineOptions) -> Engine:
    """The engine ``local``."""
    from harness.engines.leases import visible_gpus
    from harness.engines.local import Local

    here = len(usable_cpus())
    cpus = options.share.cpus or max(1, here // options.jobs)
    if cpus > here:
        raise RequestError(f"--cpus-per-cell {cpus}: {here} CPUs are here")
    if options.jobs * cpus > here:
        raise RequestError(
            f"--jobs {options.jobs}: with {cpus} CPUs a cell, {here} CPUs here are enough for "
            f"{here // cpus}: give fewer, so that no two share one"
        )
    wanted = options.jobs * options.share.gpus
    if wanted and wanted > (gpus := len(visible_gpus())):
        raise RequestError(
            f"--gpus-per-cell {options.share.gpus}: {wanted} GPUs are asked for, {gpus} are here"
        )
    return Local(options.jobs, options.share.of(cpus))


def ray(options: EngineOptions) -> Engine:
    """The engine ``ray``."""
    from harness.engines.ray import Ray

    return Ray(options.address or "auto", options.share)


def slurm(options: EngineOptions) -> Engine:
    """The engine ``slurm``."""
    from harness.engines.slurm import Slurm

    return Slurm(options.folder, options.share, options.slurm)


Make = Callable[[EngineOptions], Engine]

ENGINES: dict[str, Make] = {"local": local, "ray": ray, "slurm": slurm}
"""Our engines by name, which is that of the extra as well."""


def engine_of(name: str, options: EngineOptions) -> Engine:
    """The engine of a name, ready to work.

    Raises:
        RequestError: there is none, it lacks what it needs, or it cannot work with the options.
    """
    check_engine(name, options)
    try:
        make: Make = ENGINES[name] if name in ENGINES else _others()[name].load()
        return make(options)
    except ImportError as error:
        told = f"install the extra {name}: pip install 'rnn-rosetta[{name}]'"
        reason = told if name in ENGINES else in_one_line(error)
        raise RequestError(f"--engine {name}: {reason}") from error


def _others() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def check_engine(name: str, options: EngineOptions) -> None:
    """See that there is an engine, and that no option is given that another one has.

    Raises:
        RequestError: there is none, or an option is.
    """
    if name not in ENGINES and name not in _others():
        raise unknown("engine", name, [*ENGINES, *_others()])
    given = {
        "--jobs": (options.jobs != 1, "local"),
        "--address": (options.address is not None, "ray"),
        "--slurm": (bool(options.slurm), "slurm"),
    }
    for option, (is_given, whose) in given.items():
        if is_given and name in ENGINES and name != whose:
            raise RequestError(f"{option}: an option of --engine {whose}, not of {name}")


def parse_slurm(given: list[str]) -> dict[str, str]:
    """The parameters of ``--slurm NAME=VALUE``.

    Raises:
        RequestError: not of that form.
    """
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals and value):
            raise RequestError(f"--slurm {each}: give it as NAME=VALUE, as in partition=long")
    return {name: value for name, _, value in (each.partition("=") for each in given)}
