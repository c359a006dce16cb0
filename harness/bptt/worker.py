"""The worker's side of ``bptt``: gradient flow through time as a network is trained.

The network is trained through the contract. At every point of measurement the backend's own weights
go to its `bptt` section, and its results are checked against `common.bptt` on the same weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

import backends
from common import bptt
from common.array import Array
from common.experiment import Experiment
from common.inputs import first_weights, load_batches
from common.parity import Errors, over_tolerance
from common.reference import Reference
from common.training import Underway, train_on
from common.truncation import Cost, cost, costs_of_draws, vectors
from common.weights import Weights
from harness.workers.protocol import Checked, Described, Event, Phase, Point, Strategies
from harness.workers.requests import MeasureGradients
from harness.workers.session import Session
from harness.workers.signs import SIGN_SECONDS, Signs


@dataclass
class CheckedGradients:
    """A backend's gradients on one window, each checked against the reference on the way.

    Attributes:
        section: the backend's ``bptt.py``.
        X, Y: the window, indices (batch, num_steps).
        state: before its first step (batch, H).
        errors: the worst so far, by quantity.
        ill_conditioned: number of gradients that had to be judged by what the last bit changes.
    """

    section: ModuleType
    X: Array
    Y: Array
    state: Array
    errors: Errors = field(default_factory=dict)
    ill_conditioned: int = 0

    def gradients(
        self, weights: Weights, experiment: Experiment, links: Array, loss_weights: Array
    ) -> bptt.Gradients:
        """The backend's gradients through these links."""
        given = weights, self.X, self.Y, self.state, links, loss_weights, experiment.activation
        found: bptt.Gradients = self.section.gradients(*given)
        self.keep(self._errors(found, bptt.gradients(*given), given))
        return found

    def full(self, weights: Weights, experiment: Experiment) -> bptt.Gradients:
        """The full gradients of the loss that is trained, checked against `Reference`, too."""
        T = self.X.shape[1]
        links, loss_weights = bptt.full_links(T), bptt.all_steps(T)
        found = self.gradients(weights, experiment, links, loss_weights)
        reference = Reference(experiment, weights)
        loss, grads, _ = reference.loss_and_grads(self.X, self.Y, (self.state,))
        given = weights, self.X, self.Y, self.state, links, loss_weights, experiment.activation
        errors = self._errors(found, (loss, grads, found[2]), given)
        self.keep({f"full {name}": error for name, error in errors.items() if name != "dl/dH"})
        return found

    def _errors(self, found: bptt.Gradients, expected: bptt.Gradients, given: Any) -> Errors:
        """The errors; where float64 cannot tell to its tolerance, beyond what the last bit does."""
        errors = bptt.errors(found, expected)
        if not over_tolerance(errors, "float64"):
            return errors
        self.ill_conditioned += 1
        return bptt.errors(found, expected, bptt.gradients(*given, last_bit=True))

    def keep(self, errors: Errors) -> None:
        """Keep the worst."""
        for name, error in errors.items():
            self.errors[name] = max(error, self.errors.get(name, 0.0))


def measure_gradients(session: Session, request: MeasureGradients) -> Iterator[Event]:
    """Train with each activation, clipped and not; yield gradient flow, and once the costs."""
    asked, backend = request.experiment, session.backend
    loader, vocab = load_batches(asked, request.data_dir, request.sha256, request.indices)
    X, Y = next(loader.epoch(1))
    state = np.zeros((len(X), asked.num_hiddens))
    checked = CheckedGradients(backends.section(session.name, "bptt"), X, Y, state)
    yield Described(description=backend.describe())
    for activation in ("tanh", "relu"):
        for clip_theta in (asked.clip_theta, 0.0):
            now = asked.model_copy(update={"activation": activation, "clip_theta": clip_theta})
            weights = first_weights(now, len(vocab))
            model = session.build(now, "scratch", weights)
            point = gradient_flow(checked, now, 0, np.nan, weights)
            yield point
            if now == asked:
                yield from strategies(checked, now, 0, weights, request)
            signs = Signs(loader)
            for epoch in train_on(model, loader, now, Underway(), SIGN_SECONDS):
                if signs.due():
                    yield Phase(doing="training")
                if isinstance(epoch, Underway):
                    continue
                last = epoch.epoch == now.num_epochs or not np.isfinite(epoch.perplexity)
                if last or epoch.epoch in request.epochs:
                    weights = model.weights()
                    point = gradient_flow(checked, now, epoch.epoch, epoch.perplexity, weights)
                    yield point
            if now == asked and point.status == "ok":
                yield from strategies(checked, now, point.epoch, weights, request)
    yield Checked(errors=checked.errors, ill_conditioned=checked.ill_conditioned)


def gradient_flow(
    checked: CheckedGradients,
    experiment: Experiment,
    epoch: int,
    perplexity: float,
    weights: Weights,
) -> Point:
    """The norms of ``dl_T/dH_{T-d}`` and the spectral radius of W_hh.

    A network whose perplexity, weights or loss are no finite numbers has diverged; it has no norms.
    """
    T = checked.X.shape[1]
    diverged = epoch > 0 and not np.isfinite(perplexity)
    norms: list[float] = []
    if not diverged and all(np.isfinite(w).all() for w in weights.values()):
        checked.full(weights, experiment)
        _, _, dH = checked.gradients(weights, experiment, bptt.full_links(T), bptt.last_step(T))
        norms = bptt.norms_by_distance(dH).tolist()
    return Point(
        activation=experiment.activation,
        clip_theta=experiment.clip_theta,
        epoch=epoch,
        perplexity=perplexity,
        spectral_radius=bptt.spectral_radius(weights["W_hh"]),
        status="ok" if norms else "diverged",
        norms=norms,
    )


def strategies(
    checked: CheckedGradients,
    experiment: Experiment,
    epoch: int,
    weights: Weights,
    request: MeasureGradients,
) -> Iterator[Event]:
    """Measure the cost of every strategy at these weights; the same draws in every backend."""
    T = checked.X.shape[1]
    rng = np.random.default_rng([experiment.seed, epoch])

    def through(links: Array) -> dict[str, Array]:
        return vectors(checked.gradients(weights, experiment, links, bptt.all_steps(T))[1])

    full = vectors(checked.full(weights, experiment)[1])
    local = through(bptt.truncated_links(T, 1))
    rows: list[dict[str, Any]] = []

    def add(strategy: str, setting: dict[str, float], costs: list[Cost]) -> None:
        told = {"strategy": strategy, **setting}
        rows.extend({**told, **asdict(c), "verdict": c.verdict} for c in costs)

    add("full", {}, [cost(name, g, full[name]) for name, g in full.items()])
    for tau in request.taus:
        found = through(bptt.truncated_links(T, tau))
        add("truncated", {"tau": tau}, [cost(name, g, full[name]) for name, g in found.items()])
    for pi in request.pis:
        for strategy, draw in (("randomized", bptt.random_links), ("biased", bptt.kept_links)):
            yield Phase(doing="measuring")
            drawn = [through(links) for links in draw(T, pi, request.draws, rng)]
            for name, g in full.items():
                draws = np.stack([each[name] for each in drawn])
                add(strategy, {"pi": pi}, costs_of_draws(name, draws, g, g - local[name]))
    yield Strategies(
        activation=experiment.activation, clip_theta=experiment.clip_theta, epoch=epoch, rows=rows
    )
