"""Requests to a worker, a line of JSON each; `harness.workers.protocol` has the answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from common.experiment import DType, Experiment
from common.sequence import SequenceExperiment
from harness.workers.fields import Number
from harness.workers.protocol import Message, Phase


class Describe(Message):
    """Ask for versions, devices, threads and precision.

    Attributes:
        briefly: True if the framework need not be imported where metadata tells its devices.
    """

    op: Literal["describe"] = "describe"
    briefly: bool = False


class Train(Message):
    """Ask for a training.

    Attributes:
        device: where it computes; the experiment keeps what was asked for.
        sha256: the hash that the text must have.
        indices: a file of the text's indices, to be opened instead of the text.
        checkpoint: path for the trained weights.
        resume: checkpoint whose weights are the first; None draws them.
        goes_on: checkpoint on the way at which this very training was cut off; None begins it.
        checkpoint_seconds: time after which another checkpoint on the way is due.
        waits: True if it waits for `Begin` once it is ready to train.
    """

    op: Literal["train"] = "train"
    experiment: Experiment
    device: str
    variant: str
    data_dir: str | None
    sha256: str | None = None
    indices: str | None = None
    checkpoint: str
    resume: str | None
    goes_on: str | None
    checkpoint_seconds: float
    waits: bool = False


WAITS = Phase(doing="waiting")
"""The event of a training that is ready, and waits for `Begin`."""


class Begin(Message):
    """Let a training begin that waits. It is part of that request, and has no answer of its own.

    Attributes:
        cpus: numbers of those it trains on, as many as it got ready on.
    """

    op: Literal["begin"] = "begin"
    cpus: list[int]


class Predict(Message):
    """Ask for texts of the network of a checkpoint, after each prefix."""

    op: Literal["predict"] = "predict"
    checkpoint: str
    variant: str
    prefixes: tuple[str, ...]
    settings: dict[str, Any]


class Compare(Message):
    """Ask for the errors of a variant on the whole grid of parity, after so many steps.

    On several devices, the grid is that of `common.parity_grid.cases_of_devices`.
    """

    op: Literal["compare"] = "compare"
    variant: str
    dtype: DType
    device: str
    devices: int
    steps: int


class Prepare(Message):
    """Ask for a network that is to be timed, compiled.

    Attributes:
        indices: a file of a text's indices that its batches are cut from; None: random tokens.
    """

    op: Literal["prepare"] = "prepare"
    experiment: Experiment
    variant: str
    vocab_size: int
    indices: str | None = None


class PrepareText(Message):
    """Ask for a network whose texts are to be timed, after a prefix of `num_steps` tokens.

    Attributes:
        loop: True if it is to write by the loop of its chapter.
    """

    op: Literal["prepare-text"] = "prepare-text"
    experiment: Experiment
    variant: str
    vocab_size: int
    loop: bool


class TakeTurn(Message):
    """Ask for one timed turn of the network that was prepared, of so many steps."""

    op: Literal["turn"] = "turn"
    steps: int


class TimeText(Message):
    """Ask for the time that the network that was prepared takes to write a text.

    Attributes:
        prefix_tokens: tokens that it reads before it writes.
        num_preds: tokens that it writes.
    """

    op: Literal["text"] = "text"
    prefix_tokens: Number
    num_preds: Number


class Check(Message):
    """Ask whether what was timed is the reference network."""

    op: Literal["check"] = "check"


class TimeProducts(Message):
    """Ask for the time of a shape's matrix products on a device.

    The shape is (batch, steps, hiddens, vocabulary).
    """

    op: Literal["products"] = "products"
    module: str
    device: str
    shape: tuple[int, int, int, int]


class MeasureGradients(Message):
    """Ask for gradients through time, at these epochs of a training, cut in these ways."""

    op: Literal["bptt"] = "bptt"
    experiment: Experiment
    data_dir: str | None
    sha256: str | None = None
    indices: str | None = None
    epochs: tuple[int, ...]
    taus: tuple[int, ...]
    pis: tuple[float, ...]
    draws: int


class RunSequence(Message):
    """Ask for both models of section 9.1, trained, and their forecasts."""

    op: Literal["sequence"] = "sequence"
    experiment: SequenceExperiment


Request = (
    Describe
    | Train
    | Predict
    | Compare
    | Prepare
    | PrepareText
    | TakeTurn
    | TimeText
    | Check
    | TimeProducts
    | MeasureGradients
    | RunSequence
)

REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="op")])
