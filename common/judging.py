"""The verdict on a model: equal to the reference, different, or not to be told in its precision.

A relative error alone cannot tell: where a network magnifies what goes in, or where gradients
cancel, sound arithmetic in float32 ends far from float64. So the tolerance of a quantity is
`MULTIPLE` times its spread, and never below the floor that `common.parity.tolerance` gives. The
spread is the largest error, against the reference in float64, of the reference with every operation
rounded to the precision, over `ORDERS` random orders of summation (`common.reordered`). What may be
off by more than its own size is not known at all, and may be anything.

A tolerance over `BLIND` could hide a fault: there the quantity is ill-conditioned. And so every
model is compared a second time, from small weights that shrink an error as it passes and in which
every part of the network shows, in the same shapes and settings, and must agree there too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from common.batches import Batch
from common.experiment import DType, Experiment
from common.interface import Model
from common.parity import (
    Errors,
    Quantities,
    RunEpoch,
    epoch_by_hand,
    errors,
    one_step,
    over,
    short_epoch,
    text,
    tolerance,
)
from common.reference import Reference
from common.reordered import Reordered
from common.training import run_epoch
from common.vocab import Vocab
from common.weights import Weights

Verdict = Literal["equal", "different", "ill-conditioned", "overflow", "diverged"]

TRAINED: tuple[Verdict, ...] = ("equal", "ill-conditioned")
"""The verdicts that do not speak against training, or against a throughput."""

ORDERS = 5
MULTIPLE = 30.0
BLIND: dict[DType, float] = {"float64": 1e-6, "float32": 1e-2}

FORWARD = {"first state", "state", "logits", "loss"}
"""Quantities that must be finite for training to begin; those that grow later may diverge."""

Compute = Callable[[Model, Weights, RunEpoch], Quantities]
"""Computes what is compared, of a model that stands at these weights."""


@dataclass(frozen=True)
class Judgement:
    """A verdict, its reason, and the numbers behind it.

    Attributes:
        verdict: ``equal``; ``different``; ``ill-conditioned``: not to be judged where it stands,
            equal at small weights; ``overflow``: its logits or loss are numbers that its precision
            cannot hold; ``diverged``: its weights are not finite.
        reason: one line; empty where nothing is to be said.
        errors: in the order in which the quantities are computed.
        tolerances: the largest that each may be.
    """

    verdict: Verdict
    reason: str = ""
    errors: Errors = field(default_factory=dict)
    tolerances: Errors = field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """True if nothing speaks against training with it."""
        return self.verdict in TRAINED

    def summary(self) -> dict[str, str | float | None]:
        """Verdict and reason, and the error nearest to its tolerance or farthest above it."""
        worst = max(self.errors, key=lambda q: self.errors[q] / self.tolerances[q], default=None)
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "parity": self.errors[worst] if worst else None,
            "tolerance": self.tolerances[worst] if worst else None,
        }


def judge_before_training(
    model: Model,
    weights: Weights,
    experiment: Experiment,
    batches: Sequence[Batch],
    vocab: Vocab,
) -> Judgement:
    """Judge two steps, a short epoch and a text of a model, on the batches that it will train on.

    The text is compared from weights of its own, in which no two tokens are nearly as likely.

    Args:
        model, weights, experiment: the model, the weights it stands at, and its settings.
        batches: three of one shape, and the last of the epoch.
        vocab: vocabulary of the text.
    """

    def steps(model: Model, weights: Weights, run_epoch: RunEpoch) -> Quantities:
        found = one_step(model, batches)
        model.load_weights(weights)
        return found | short_epoch(model, experiment, batches, run_epoch)

    def written(model: Model, weights: Weights, run_epoch: RunEpoch) -> Quantities:
        return text(model, vocab, experiment.prefixes[0])

    judgement = judge(model, weights, experiment, steps)
    if not judgement.trains:
        return judgement
    weights = writing_weights(experiment, len(vocab))
    model.load_weights(weights)
    of_text = compare(model, weights, experiment, written)
    return of_text if of_text.verdict == "different" else judgement


def judge(model: Model, weights: Weights, experiment: Experiment, compute: Compute) -> Judgement:
    """Judge a model that stands at `weights`; it stands at others afterwards.

    Args:
        model, weights, experiment: the model, the weights it stands at, and its settings.
        compute: function that gives the quantities to compare.
    """
    if not all(np.isfinite(w).all() for w in weights.values()):
        return Judgement("diverged", "its weights are not finite numbers")
    here = compare(model, weights, experiment, compute)
    if not here.trains:
        return here
    small = small_weights(experiment, len(weights["b_q"]))
    model.load_weights(small)
    there = compare(model, small, experiment, compute)
    if there.verdict == "different":
        return replace(there, reason=f"{there.reason}, from small weights")
    if here.verdict == "ill-conditioned" and there.verdict == "equal":
        return replace(here, reason=f"{here.reason}; from small weights it is equal")
    return here


@np.errstate(all="ignore")
def compare(model: Model, weights: Weights, experiment: Experiment, compute: Compute) -> Judgement:
    """The judgement of one place alone: at `weights`, where the model stands."""
    dtype = experiment.dtype
    expected = compute(Reference(experiment, weights), weights, epoch_by_hand)
    found = errors(compute(model, weights, run_epoch), expected)
    floors = {quantity: tolerance(quantity, dtype) for quantity in found}
    lost = lost_update(expected.get("clipped norm", np.inf), weights, dtype)
    if not over(found, floors):
        return Judgement("equal", lost, found, floors)
    spread = spread_by_rounding(weights, experiment, compute, expected)
    tolerances = {q: max(floors[q], MULTIPLE * spread[q]) for q in found}
    tolerances = no_better_than_before(tolerances, dtype)
    unknown = largest(expected) > np.sqrt(np.finfo(dtype).max)  # a square is already too large
    for quantity, error in found.items():
        if tolerances[quantity] > 1 or (unknown and np.isinf(error)):
            tolerances[quantity] = np.inf
    if wrong := over(found, tolerances):
        return Judgement("different", mismatch(wrong, tolerances), found, tolerances)
    needed = over(found, floors)
    endless = [quantity for quantity, error in needed.items() if np.isinf(error)]
    if FORWARD & {*endless}:
        return Judgement("overflow", too_large(endless[0], dtype), found, tolerances)
    if all(tolerances[quantity] <= BLIND[dtype] for quantity in needed):
        return Judgement("equal", lost, found, tolerances)
    moved = max(needed, key=lambda quantity: spread[quantity])
    reason = lost or f"rounding alone moves the {moved} by {spread[moved]:.0e}"
    if endless:
        reason = too_large(endless[0], dtype)
    reason = f"cannot be judged here in {dtype}: {reason}"
    return Judgement("ill-conditioned", reason, found, tolerances)


def spread_by_rounding(
    weights: Weights, experiment: Experiment, compute: Compute, expected: Quantities
) -> Errors:
    """The largest error of every quantity over `ORDERS` random orders of summation."""
    found = [
        errors(compute(reordered, weights, epoch_by_hand), expected)
        for reordered in (
            Reordered(experiment, weights, experiment.dtype, seed) for seed in range(ORDERS)
        )
    ]
    return {quantity: max(each[quantity] for each in found) for quantity in expected}


def no_better_than_before(tolerances: Errors, dtype: DType) -> Errors:
    """The tolerances; what follows an ill-conditioned quantity is known no better than that.

    The spread of a loss is that of one number, which may be small by luck.
    """
    found, least = {}, 0.0
    for quantity, allowed in tolerances.items():
        found[quantity] = max(allowed, least)
        if allowed > BLIND[dtype]:
            least = found[quantity]
    return found


def largest(quantities: Quantities) -> float:
    """The largest number among them, by its size; infinite where one is not finite."""
    numbers: list[ArrayLike] = []
    for value in quantities.values():
        if not isinstance(value, str):
            numbers += value.values() if isinstance(value, dict) else [value]
    sizes = [float(np.abs(number).max()) for number in numbers]
    return max(sizes, default=0.0) if np.isfinite(sizes).all() else np.inf


def too_large(quantity: str, dtype: DType) -> str:
    """Reason given for a quantity that is not finite, as sound arithmetic makes it too."""
    return f"the {quantity} is larger than {dtype} can hold"


def mismatch(wrong: Errors, tolerances: Errors) -> str:
    """Reason given for a model that is not the reference network: the first wrong quantity."""
    quantity, error = next(iter(wrong.items()))
    more = f", and {len(wrong) - 1} more after it" if len(wrong) > 1 else ""
    allowed = f"where {tolerances[quantity]:.0e} is allowed"
    return f"not the reference network: {quantity} off by {error:.1e} {allowed}{more}"


def lost_update(norm: float, weights: Weights, dtype: DType) -> str:
    """Reason given for an update whose norm is below the last bit of the weights; else empty."""
    size = np.sqrt(sum(float((w**2).sum()) for w in weights.values()))
    if norm >= np.finfo(dtype).eps / 2 * size:
        return ""
    return f"a step is {norm / size:.0e} of the weights, less than {dtype} can add to them"


def small_weights(experiment: Experiment, vocab_size: int) -> Weights:
    """Fresh weights through which an error shrinks, and in which every part shows.

    They are `scaled_weights` of gain 1/2. One token is so much likelier than it should be that the
    norm of the gradient is over the usual theta of 1: clipping binds.
    """
    weights = scaled_weights(experiment, vocab_size, 0.5)
    weights["b_q"][0] += 10
    return weights


def writing_weights(experiment: Experiment, vocab_size: int) -> Weights:
    """Fresh weights whose text depends on all of its prefix: `scaled_weights` of gain 1."""
    return scaled_weights(experiment, vocab_size, 1.0)


def scaled_weights(experiment: Experiment, vocab_size: int, gain: float) -> Weights:
    """Draw weights through which a vector keeps `gain` of its length, and so does an error.

    Products of fan-in n are drawn from N(0, gain² / n), look-ups by token from N(0, gain²), biases,
    which must show as well, from N(0, 1/100).
    """
    rng = np.random.default_rng(experiment.seed)
    weights: Weights = {}
    for name, shape in experiment.shapes(vocab_size).items():
        looked_up = not weights  # the first one, W_xh or W_emb, is indexed by token
        scale = 0.1 if name.startswith("b") else gain if looked_up else gain / np.sqrt(shape[0])
        weights[name] = (rng.standard_normal(shape) * scale).astype(np.float32).astype(np.float64)
    return weights
