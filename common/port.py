"""A port: anybody's training step as one function, and its numbers beside the reference's.

A step function takes one minibatch, in NumPy and float64, and gives a dict::

    step(weights, X, Y, state, lr, theta)

weights: the five of `common.weights` by name; X, Y: indices (batch, steps); state: (batch, H) to go
on from; lr: learning rate; theta: largest norm of the gradient. It may give any of

- logits: (steps x batch, V) or (steps, batch, V), time-major
- loss: the mean over all tokens
- gradients: before clipping, by name or in the order of the weights
- weights: those after the update, likewise
- state: (batch, H) after the last step

Anything that is None counts as not given.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from common.array import Array
from common.batches import Batch
from common.errors import RequestError, in_one_line, unknown
from common.experiment import Experiment
from common.reference import Reference
from common.verdicts import STOPS
from common.weights import NAMES, Weights, draw_weights

Step = Callable[[Weights, Array, Array, Array, float, float], dict[str, Any]]

GIVEN = "state", "logits", "loss", "gradients", "weights"

QUANTITIES = (
    *GIVEN[:3],
    *(f"gradient {name}" for name in ("W_hq", "b_q", "W_xh", "W_hh", "b_h")),
    *(f"update {name}" for name in NAMES),
)
"""All that is compared, each after what it is computed from."""

Numbers = dict[str, Array]
"""Arrays by quantity, of one minibatch; an update is the new weights less the old."""

NUM_HIDDENS, LR = 16, 0.375
BINDING, LOOSE = 0.1, 10.0
"""Theta of one minibatch and of the next, as a share of the gradient's norm.

It and lr are numbers that float32 holds exactly, as some optimizers keep them so.
"""


@dataclass(frozen=True)
class Minibatch:
    """A call of a step function.

    Attributes:
        weights, X, Y, state, lr, theta: its arguments.
        right: the numbers of the reference.
    """

    weights: Weights
    X: Array
    Y: Array
    state: Array
    lr: float
    theta: float
    right: Numbers = field(default_factory=dict)

    def arguments(self) -> tuple[Weights, Array, Array, Array, float, float]:
        """Copies, which a step function may write into."""
        weights = {name: w.copy() for name, w in self.weights.items()}
        return weights, self.X.copy(), self.Y.copy(), self.state.copy(), self.lr, self.theta


def minibatches(batches: Sequence[Batch] | None) -> Iterator[Minibatch]:
    """The calls on some batches, or on four that are drawn.

    Each begins with weights and state of the reference, so that no error is carried from one to the
    next; every third begins a new state.

    Raises:
        RequestError: the batches are none.
    """
    drawn = np.random.default_rng(0).integers(11, size=(4, 4, 7))
    batches = [(each[:, :-1], each[:, 1:]) for each in drawn] if batches is None else batches
    pairs = _checked(batches)
    vocab_size = 1 + max(int(max(X.max(), Y.max())) for X, Y in pairs)
    weights = draw_weights(vocab_size, NUM_HIDDENS, sigma=0.3, seed=3)
    rng = np.random.default_rng(4)
    weights |= {n: 0.1 * rng.standard_normal(weights[n].shape) for n in ("b_h", "b_q")}
    state = np.zeros((0, NUM_HIDDENS))
    for i, (X, Y) in enumerate(pairs):
        if i % 3 == 0 or len(X) != len(state):
            state = np.zeros((len(X), NUM_HIDDENS))
        grads = reference_step(weights, X, Y, state, LR, 0)["gradients"].values()
        norm = float(np.sqrt(sum((g**2).sum() for g in grads)))
        theta = float(np.float32(norm * (LOOSE if i % 2 else BINDING)))
        found = reference_step(weights, X, Y, state, LR, theta)
        call = Minibatch(weights, X, Y, state, LR, theta)
        yield Minibatch(*call.arguments(), right=numbers(found, call))
        weights, state = found["weights"], found["state"]


def _checked(batches: Sequence[Batch]) -> list[Batch]:
    """The batches as pairs of int64 arrays."""
    try:
        pairs = [(np.asarray(X), np.asarray(Y)) for X, Y in batches]
        sound = [
            X.ndim == 2
            and X.shape == Y.shape
            and {X.dtype.kind, Y.dtype.kind} <= {*"iu"}
            and min(X.min(), Y.min()) >= 0
            for X, Y in pairs
        ]
    except (TypeError, ValueError):  # no pairs, ragged, or empty
        sound = []
    if not sound or not all(sound):
        raise RequestError("batches: pairs of X and Y, indices (batch, steps) of one shape")
    return [(X.astype(np.int64), Y.astype(np.int64)) for X, Y in pairs]


def reference_step(
    weights: Weights, X: Array, Y: Array, state: Array, lr: float, theta: float
) -> dict[str, Any]:
    """The step of `common.reference`."""
    model = Reference(Experiment(lr=lr, clip_theta=theta, dtype="float64"), weights)
    logits, _ = model.forward(X, (state,))
    loss, grads, (new,) = model.loss_and_grads(X, Y, (state,))
    model.train_step(X, Y, (state,))
    return dict(zip(GIVEN, (new, logits, loss, grads, model.weights()), strict=True))


def numbers_of(step: Step, calls: Sequence[Minibatch]) -> list[Numbers]:
    """The numbers of a step function in each minibatch.

    Raises:
        RequestError: it raises, or gives something that is none.
    """
    found = []
    for i, call in enumerate(calls, start=1):
        try:
            given = step(*call.arguments())
        except Exception as error:  # anybody's own, whatever it is
            raise RequestError(f"it raises in minibatch {i}{_told(error, step)}") from error
        found.append(numbers(given, call))
    return found


def _told(error: Exception, step: Step) -> str:
    """Line, message and, of an error that is known, how to mend it."""
    file, said = getattr(getattr(step, "__code__", None), "co_filename", ""), in_one_line(error)
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    hint = next((f": {hint}" for words, hint in STOPS.items() if words in said), "")
    return f"{f', line {lines[-1]}' if lines else ''}: {said}{hint}"


def numbers(given: Any, call: Minibatch) -> Numbers:
    """All that a step function gave, by quantity.

    Raises:
        RequestError: it is of another form, a name is unknown, or a shape wrong.
    """
    if not isinstance(given, dict) or not given:
        raise RequestError(
            f"it gives {type(given).__name__} where a dict is meant, of any of {', '.join(GIVEN)}"
        )
    (batch, num_steps), vocab_size = call.X.shape, len(call.weights["b_q"])
    shapes: dict[str, list[tuple[int, ...]]] = {
        "state": [call.state.shape],
        "logits": [(num_steps * batch, vocab_size), (num_steps, batch, vocab_size)],
        "loss": [()],
    }
    found = {}
    for name, value in given.items():
        if name not in GIVEN:
            raise unknown("quantity", str(name), GIVEN)
        if value is None:
            continue
        if name in shapes:
            found[name] = _array(name, value, *shapes[name])
            continue
        for weight, each in _by_name(name, value):
            old = call.weights[weight]
            new = _array(f"{name} {weight}", each, old.shape)
            if name == "gradients":
                found[f"gradient {weight}"] = new
            else:
                found[f"update {weight}"] = new - old.astype(new.dtype)
    return {quantity: found[quantity] for quantity in QUANTITIES if quantity in found}


def _by_name(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Name and array of every weight that is given; PyTorch has None where none is used."""
    if not isinstance(value, dict):
        if not isinstance(value, list | tuple) or len(value) != len(NAMES):
            raise RequestError(f"{name}: a dict is meant, or the five in order: {', '.join(NAMES)}")
        value = dict(zip(NAMES, value, strict=True))
    for weight in value:
        if weight not in NAMES:
            raise unknown(f"name in {name}:", str(weight), NAMES)
        if value[weight] is not None:
            yield weight, value[weight]


def _array(name: str, value: Any, *shapes: tuple[int, ...]) -> Array:
    """An array of the first of these shapes, in float64 or float32."""
    try:
        found = np.asarray(value.detach() if hasattr(value, "detach") else value)
        found = found.astype(np.float64 if found.dtype.kind in "iu" else found.dtype)
        found = found if found.dtype == np.float64 else found.astype(np.float32)
    except Exception as error:  # whatever a framework's own tensor says
        raise RequestError(f"{name}: no array of numbers: {in_one_line(error)}") from error
    while found.ndim > len(shapes[0]) and len(found) == 1:
        found = found[0]
    if found.shape not in shapes:
        exchanged = any(sorted(found.shape) == sorted(shape) for shape in shapes)
        hint = ": are its axes exchanged?" if exchanged else ""
        meant = " or ".join(map(str, shapes))
        raise RequestError(f"{name}: its shape is {found.shape}, not {meant}{hint}")
    return found.reshape(shapes[0])
