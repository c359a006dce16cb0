"""The contract of a backend. These docstrings are the specification.

A backend is a module with three functions, `describe`, `compilations` and `build`; nobody asks it
for more. What `build` returns is a `Model`, an object of a class with these methods. NumPy crosses
the contract; a framework's own tensors stay inside, behind a `State` that the caller carries but
never looks into, and a loss that the caller may only turn into a float.

What every backend must keep is tested by ``rnn_rosetta_suite``. The entry of a backend
(`backends.entry`) says which precisions and which of the optional sections it has: nothing is asked
of it beyond those. A backend of this project has more, which its tests rely on: ``scratch.py``, the
chapter's functions by their names, with gradients as values or in ``param.grad``, as a
framework has it.

The network is one and the same in every backend and variant, with the weights of `common.weights`:

    H_t = act(one_hot(X_t) W_xh + H_{t-1} W_hh + b_h)
    O_t = H_t W_hq + b_q
    loss = mean over all tokens of the cross-entropy of softmax(O_t) against Y_t

and one update is ``g <- min(1, theta / ||g||) g`` over all gradients together (none where theta is
0), then ``w <- w - lr g``. The variant ``scratch`` also does the chapter's exercises: an embedding
and further layers, as `common.reference` derives them, and the kept graph of `common.kept_graph`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, SupportsFloat, TypeVar

from common.array import Array as Array  # backends take it from the contract
from common.experiment import Experiment
from common.vocab import Vocab
from common.weights import Weights

Tensor = Any
"""An array of the backend's framework."""
State = Any
"""The hidden state, a tuple of one (batch, H) `Tensor` a layer, with what it takes to go on from
it; `Model.read_state` makes it NumPy."""

T = TypeVar("T")
Outputs = tuple[T, State]
"""Logits or a loss, and the state after them."""
Gradients = tuple[T, list[T], State]
"""A loss, the gradients in the order of the parameters, and the state after it."""


@dataclass(frozen=True)
class Description:
    """Description of a backend, found out by importing its framework.

    Attributes:
        versions: of the framework and what else computes, by distribution name: of those that the
            entry lists, at least.
        devices: names of those it can run on here, ``cpu`` first.
        threads: number of threads its products use; None where it cannot tell.
        tf32: True if matrix products may be rounded to TF32. Must be false.
        places: the same devices as ``--device`` names them: ``cpu``, ``gpu:0``, ``tpu:0``.
        build: what the framework was built for: ``cpu``, ``cuda 13.0``, ``rocm 6.4``, ``mps``.
        deterministic: True if it computes the same bits each time. Must be so where it was asked.
        note: what readers of its figures should know, in a line, which every report says.
    """

    versions: dict[str, str]
    devices: tuple[str, ...]
    threads: int | None
    tf32: bool
    places: tuple[str, ...] = ("cpu",)
    build: str = "cpu"
    deterministic: bool = False
    note: str = ""


class Model(Protocol):
    """A network on a device.

    X and Y are NumPy arrays (batch, steps) of indices, of any type of integers, as small as uint8:
    a framework may have to widen it before it computes with them.
    """

    device: str
    """Device it runs on: ``cpu`` or the name of a GPU."""

    def begin_state(self, batch_size: int) -> State:
        """The hidden state before the first token: zeros (batch_size, H), for each layer."""

    def read_state(self, state: State) -> Array:
        """The hidden state as NumPy (num_layers, batch, H)."""

    def write_state(self, H: Array) -> State:
        """The hidden state that `read_state` gave as H: training on from it is the same to the bit.

        It remembers no graph.
        """

    def forward(self, X: Array, state: State) -> tuple[Array, State]:
        """Logits (steps x batch, V), time-major, and the state after the last step, detached."""

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> tuple[float, Weights, State]:
        """The mean loss, the gradients before clipping by name, in NumPy, and the new state.

        The weights stay as they are. No gradient flows into the state that was given, unless the
        experiment keeps the graph: then it flows on through every window that led to the state.
        """

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[SupportsFloat, State]:
        """Forward, backward, clip, update: the mean loss before the update, and the new state.

        This is what is timed. It may return before the device has finished; ``float(loss)`` and
        `synchronize` wait. The new state is detached, unless the experiment keeps the graph.
        """

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        """The prefix and num_preds tokens after it, decoded as the experiment says.

        Each is the most likely (the first of equals), or drawn; draws begin anew for every text.
        The state starts at zero and is warmed up on the prefix, which holds at least one token.
        """

    def weights(self) -> Weights:
        """The weights as they stand, NumPy copies in the model's precision by canonical name."""

    def load_weights(self, weights: Weights) -> None:
        """Replace the weights, from either precision; what was compiled stays compiled."""

    def synchronize(self) -> None:
        """Wait until the device has done all that it was given."""


class Network(Protocol):
    """One variant of the network: what the `Model` of a backend has inside.

    It is made of its parameters, an activation (``tanh`` or ``relu``), lr and theta (0: no clip).
    Tensors are the framework's own, on one device; X and Y are as in `Model`, which also says what
    each method promises.
    """

    @property
    def params(self) -> Sequence[Tensor]:
        """The parameters, in the order and the layout of `common.weights`."""

    def set_params(self, values: Sequence[Tensor]) -> None:
        """Replace the values of the parameters."""

    def begin_state(self, batch_size: int) -> State:
        """Zeros (batch_size, H), for each layer."""

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        """Logits (steps x batch, V), time-major, and the new state; X may be nested lists."""

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        """The mean loss, the gradients before clipping in the order of `params`, the new state."""

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[SupportsFloat]:
        """Forward, backward, clip (not where theta is 0), update: the mean loss, the new state."""


class Backend(Protocol):
    """The module of a backend, such as ``backends/<name>/backend.py``.

    Precision is set when it is imported, before anything is compiled, and so is
    `common.places.deterministic`. A function ``device_memory_mb()`` is optional: the most memory of
    the device that this process has had so far, in MB, by the framework's own counter; None on a
    CPU. So is `predict_rnn`, the chapter's own loop, over which the speed of texts is told.
    """

    def describe(self) -> Description:
        """Description of this backend: its versions, devices and threads."""

    def compilations(self) -> int:
        """Number of programs this process has compiled so far; always 0 where nothing is compiled.

        A timed region in which this number grows measured the compiler.
        """

    def build(self, experiment: Experiment, variant: str, weights: Weights) -> Model:
        """A model with these weights, of the experiment's activation, lr, theta, dtype, device.

        Raises:
            DeviceError: the device is not there, or not in the experiment's precision.
            RequestError: there is no such variant, or the variant is the chapter's network alone
                and the experiment asks for more; `common.variants.serving` raises both.
        """
