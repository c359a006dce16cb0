"""Placement: the device that all rows of a command compute on, decided once for all of them.

Rows on different devices are not compared in speed, so that ``auto`` never mixes them: it is an
accelerator if every backend that was asked for, and is installed, sees one, else the CPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from common.experiment import Experiment
from common.interface import Description
from harness.console import note
from harness.workers import gpus
from harness.workers.errors import WorkerError
from harness.workers.interpreters import brief_worker, missing
from harness.workers.pool import run_at_once
from harness.workers.protocol import Described
from harness.workers.requests import Describe


class Placement(NamedTuple):
    """Where all rows are computed.

    Attributes:
        device: as ``--device`` names it.
        reason: why it is not another; or nothing.
        threads: of backends whose threads spin; None: as many as there are CPUs.
        neighbours: why they are fewer than the CPUs; or nothing.
    """

    device: str
    reason: str = ""
    threads: int | None = None
    neighbours: str = ""

    @classmethod
    def recorded(cls, facts: Mapping[str, Any]) -> Placement:
        """The placement that a record tells of, which may have facts of before or after ours."""
        return cls(**{name: facts[name] for name in cls._fields if name in facts})


def placed(experiment: Experiment, names: Sequence[str], pythons: Mapping[str, Path]) -> Placement:
    """The placement of the rows of these backends; it is told, if there is something to tell.

    Args:
        experiment: says which device, how many of them, and in which precision.
        names: of the backends, each once or more often.
        pythons: interpreters of backends that have one of their own.
    """
    if experiment.device != "auto":
        return Placement(experiment.device)
    if not gpus.may_have_one():
        return Placement("cpu")
    found = survey(tuple(dict.fromkeys(names)), tuple(sorted(pythons.items())))
    chosen = decide(found, experiment.dtype, experiment.devices)
    note(chosen.reason)
    return chosen


@cache
def survey(names: tuple[str, ...], pythons: tuple[tuple[str, Path], ...]) -> dict[str, Description]:
    """Descriptions of the backends that are installed, each from a worker that sees all devices."""
    installed = [name for name in names if not missing(name, dict(pythons))]
    found = run_at_once(partial(described, pythons=dict(pythons)), installed, len(installed) or 1)
    pairs = zip(installed, found, strict=True)
    return {name: about for name, about in pairs if isinstance(about, Description)}


def described(
    name: str, pythons: dict[str, Path], briefly: bool = False
) -> Description | WorkerError:
    """The description of a backend, from a worker; or the error that kept it from giving one.

    Args:
        name: of the backend.
        pythons: interpreters of backends that have one of their own.
        briefly: as of `Describe`.
    """
    try:
        with brief_worker(name, pythons, Experiment()) as worker:
            found, _ = worker.answer(Describe(briefly=briefly), Described)
    except WorkerError as error:
        return error
    return found.description


def decide(found: Mapping[str, Description], dtype: str, devices: int) -> Placement:
    """The placement that ``auto`` is, by what each backend sees.

    Args:
        found: descriptions of the backends, by name.
        dtype: precision that is asked for.
        devices: number of devices that compute one model.
    """
    lacking = {name: _lacks(about, "gpu", dtype, devices) for name, about in found.items()}
    if found and not any(lacking.values()):
        return Placement("gpu")
    if found and not any(_lacks(about, "tpu", dtype, devices) for about in found.values()):
        return Placement("tpu")
    able = [name for name, why in lacking.items() if not why]
    reasons = ", ".join(f"{name} {why}" for name, why in lacking.items() if why)
    if not able:
        return Placement("cpu", f"--device auto is the CPU: {reasons}" if reasons else "")
    return Placement(
        "cpu",
        f"--device auto is the CPU for all, so that they can be compared: {reasons}; "
        f"--device gpu is for {', '.join(able)} alone",
    )


def _lacks(about: Description, kind: str, dtype: str, devices: int) -> str:
    """Lack that keeps a backend from computing on a kind of device; empty for none."""
    count = sum(place.startswith(kind) for place in about.places)
    if not count:
        return f"sees no {kind.upper()}"
    if count < devices:
        return f"sees {count} {kind.upper()} of {devices}"
    if about.build == "mps" and dtype == "float64":
        return "has no float64 on it"
    return ""
