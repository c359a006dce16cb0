"""Protocol between the harness and a worker: its lines of JSON, and the events among them.

A request (`harness.workers.requests`) has any number of events as its answer, then `Done` or
`Failed`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from common.interface import Description
from common.judging import Verdict
from common.parity import Errors
from common.sequence import ForecastKind, ModelName
from harness.workers.errors import Failure
from harness.workers.fields import Amount, Count, Duration, Line, Number
from harness.workers.message import Message as Message
from harness.workers.timed import Conditions as Conditions
from harness.workers.timed import Prepared as Prepared
from harness.workers.timed import Products as Products
from harness.workers.timed import Seconds as Seconds
from harness.workers.timed import TextTimed as TextTimed
from harness.workers.timed import Turn as Turn


class Loaded(Message):
    """Files of the project that the worker has imported since it last said so, by their hashes."""

    event: Literal["loaded"] = "loaded"
    files: dict[str, str]


class Described(Message):
    """Versions, devices, threads and precision of a backend."""

    event: Literal["described"] = "described"
    description: Description


class Phase(Message):
    """A part of the work that may take minutes goes on: a sign of life, and of nothing else."""

    event: Literal["phase"] = "phase"
    doing: Literal["reading the text", "building", "waiting", "training", "measuring"]


class Built(Message):
    """A network is built and compiled."""

    event: Literal["built"] = "built"
    device: Line
    compile_seconds: Amount
    description: Description


class Judged(Message):
    """Verdict on a network, and the error nearest to its tolerance, or farthest above it.

    Attributes:
        trained: True of the network that a training has ended with.
    """

    event: Literal["judged"] = "judged"
    trained: bool = False
    verdict: Verdict
    reason: Line
    parity: float | None
    tolerance: float | None


class Progress(Message):
    """An epoch under way, told about once a second: tokens behind, of so many, and its seconds."""

    event: Literal["progress"] = "progress"
    epoch: int
    tokens: int
    of: int
    seconds: float


class Saved(Message):
    """A checkpoint on the way, after so many whole epochs and so many steps of the next.

    It is on disk under its hidden name, see `harness.run.checkpoints`; all events before it belong
    to it.
    """

    event: Literal["saved"] = "saved"
    epochs: Count
    steps: Count


class EpochDone(Message):
    """An epoch of training; the perplexities are those after it, the seconds its own."""

    event: Literal["epoch"] = "epoch"
    epoch: Number
    perplexity: float
    val_perplexity: float | None
    tokens: Number
    seconds: Duration


class Sample(Message):
    """A text that a network wrote after a prefix."""

    event: Literal["sample"] = "sample"
    epoch: Count
    prefix: str
    text: str


class CaseErrors(Message):
    """Errors of a case of the grid of parity, by quantity."""

    event: Literal["case"] = "case"
    case: Line
    errors: Errors


class Point(Message):
    """Gradients through time at an epoch: norms of dl_T/dH_{T-d} by d, radius of W_hh."""

    event: Literal["point"] = "point"
    activation: str
    clip_theta: float
    epoch: Count
    perplexity: float
    spectral_radius: float
    status: Literal["ok", "diverged"]
    norms: list[float]


class Strategies(Message):
    """Cost of every strategy that cuts gradients, at an epoch."""

    event: Literal["strategies"] = "strategies"
    activation: str
    clip_theta: float
    epoch: Count
    rows: list[dict[str, Any]]


class Checked(Message):
    """Worst errors of a backend's gradients through time against the reference.

    Attributes:
        ill_conditioned: number of gradients that float64 cannot tell to its tolerance.
    """

    event: Literal["checked"] = "checked"
    errors: Errors
    ill_conditioned: Count


class Fitted(Message):
    """An epoch of a model of section 9.1: mean squared error, and the weights after it."""

    event: Literal["fitted"] = "fitted"
    model: ModelName
    epoch: Count
    loss: float
    weights: dict[str, Any]


class Forecasted(Message):
    """Predictions of a model of section 9.1, k points ahead, from the index `first`."""

    event: Literal["forecasted"] = "forecasted"
    model: ModelName
    kind: ForecastKind
    k: int
    first: int
    values: list[float]


class Done(Message):
    """The last event of a request that was answered; memory of the process, and of its device."""

    event: Literal["done"] = "done"
    peak_memory_mb: Amount
    device_memory_mb: Amount | None = None


class Failed(Message):
    """The last event of a request that was not; the reason is one line."""

    event: Literal["failed"] = "failed"
    kind: Failure
    reason: Line


Event = (
    Loaded
    | Described
    | Phase
    | Built
    | Judged
    | Progress
    | Saved
    | EpochDone
    | Sample
    | CaseErrors
    | Prepared
    | Turn
    | TextTimed
    | Products
    | Point
    | Strategies
    | Checked
    | Fitted
    | Forecasted
    | Done
    | Failed
)

EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])
