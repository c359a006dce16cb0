"""BpttRequest of ``bptt``: its settings, and the strategies by which gradients are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.experiment import Experiment

SMALLER: dict[str, Any] = {
    "num_steps": 28,
    "num_hiddens": 64,
    "sigma": 0.15,
    "num_epochs": 16,
}
"""Settings in place of the recipe's: two minutes for all, and first weights that let a gradient
come through; of the recipe's own, a tenth as large, it has vanished after a few steps."""

TAUS = (1, 2, 4, 8, 16)

PIS = (0.9, 0.7)
"""Kept so often that the draws have a variance: with pi below the square of what a step leaves of
a gradient, rare draws outweigh all others, and no number of draws shows their mean."""


@dataclass(frozen=True)
class BpttRequest:
    """BpttRequest for a measurement.

    Attributes:
        experiment: its activation and clipping are those at which strategies are compared.
        recipe: the name its settings came from.
        backends: as asked for; none means every one.
        taus, pis, draws: of the strategies.
    """

    experiment: Experiment
    recipe: str
    backends: tuple[str, ...]
    taus: tuple[int, ...]
    pis: tuple[float, ...]
    draws: int
    data_dir: Path | None
    pythons: dict[str, Path]

    def check(self) -> None:
        """See that the strategies fit the window.

        Raises:
            RequestError: the first that does not.
        """
        T = self.experiment.num_steps
        if self.experiment.clip_theta == 0:
            raise RequestError("--clip-theta 0: both are measured; give the theta of the clipped")
        for tau in self.taus:
            if not 1 <= tau <= T:
                raise RequestError(f"--tau {tau}: from 1 to the {T} steps of the window")
        for pi in self.pis:
            if not 0 < pi <= 1:
                raise RequestError(f"--pi {pi:g}: a probability above 0, and at most 1")
        if self.draws < 2:
            raise RequestError(f"--draws {self.draws}: at least two, or there is no variance")


def shortened(taus: Sequence[int] | None, num_steps: int) -> tuple[int, ...]:
    """The taus asked for; of the usual ones those that cut the window."""
    return tuple(taus) if taus else tuple(tau for tau in TAUS if tau < num_steps)
