"""A request to ``scale``: its contest, the base shape, and the sizes around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from common.errors import RequestError
from harness.bench.contenders import Contest
from harness.bench.shapes import dimensions
from harness.scale.ranges import OF_SHAPE, Vary
from harness.workers.cpus import usable_cpus


class Setup(NamedTuple):
    """Setup of a contest: what two sweeps have in common is timed once."""

    shape: str
    threads: int
    corpus_size: int | None = None


TINY: dict[str, Any] = {
    "batch_size": 8,
    "num_steps": 8,
    "num_hiddens": 32,
    "max_tokens": 144,  # two steps an epoch, from any offset
    "num_preds": 8,
    "prefixes": ("the",),
}
"""Settings of a run whose epochs are so small that it has many of them."""


@dataclass(frozen=True)
class ScaleRequest:
    """ScaleRequest: contests at the sizes of each sweep, around a base.

    Attributes:
        contest: backends, variants and settings, whose threads are given.
        shape: the base.
        sweeps: sizes, a dimension each; the others stay as the base has them.
    """

    contest: Contest
    shape: str
    sweeps: tuple[Vary, ...]

    def setup(self, dimension: str, value: int) -> Setup:
        """The setup of a size."""
        sizes = dict(zip(OF_SHAPE, dimensions(self.shape), strict=True))
        shape = "x".join(str((sizes | {dimension: value})[name]) for name in OF_SHAPE)
        threads = value if dimension == "threads" else self.contest.settings["threads"]
        return Setup(shape, threads, value if dimension == "corpus_size" else None)

    def of_setup(self, setup: Setup, indices: Path | None) -> Contest:
        """The contest of a setup, whose text is in a file of indices."""
        settings = self.contest.settings | {"threads": setup.threads}
        return replace(self.contest, settings=settings, indices=str(indices) if indices else None)

    def check(self) -> None:
        """See that a text is long enough for the base.

        Raises:
            RequestError: it is not.
        """
        B, T, _, _ = dimensions(self.shape)
        least = 2 * B * T + T
        for sweep in self.sweeps:
            if sweep.dimension == "corpus_size" and sweep.values[0] < least:
                raise RequestError(
                    f"--vary corpus_size: {sweep.values[0]:,} characters are too few for two "
                    f"batches of {B} x {T}: from {least:,}"
                )


def around(dimension: str, shape: str) -> str:
    """Sizes of all else than a dimension, in words."""
    if dimension == "num_epochs":
        B, T, H = (TINY[name] for name in OF_SHAPE[:3])
        return f"runs of two steps of {B} x {T} x {H} an epoch"
    return f"around {shape}, batch x steps x hiddens x vocabulary"


def within_machine(sweep: Vary) -> tuple[Vary, str]:
    """A sweep as far as this machine goes, and a line on what is left out.

    Raises:
        RequestError: it goes no further than one thread.
    """
    here = len(usable_cpus())
    if sweep.dimension != "threads" or sweep.values[-1] <= here:
        return sweep, ""
    values = tuple(value for value in sweep.values if value <= here)
    if len(values) < 2:
        raise RequestError(f"--vary threads: this machine grants {here}: nothing to vary")
    return Vary(sweep.dimension, values), f"--vary threads: up to {here}, for there are no more"
