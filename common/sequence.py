"""Section 9.1, working with sequences: a noisy sine, its minibatches, what is predicted of it.

The series is x_t = sin(0.01 t) + noise, t = 1..T (chapter 9). A model learns the value after a
window: linear regression from tau lags, the RNN from num_steps inputs, each from the same training
part, the first num_train + tau points. Everything is drawn here once, in NumPy, from the seed, so
that every backend draws the same curves; `common.regression` is the reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, SupportsFloat

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.array import Array
from common.batches import Batch, seq_data_iter_sliding
from common.errors import RequestError, fault_of
from common.experiment import Count, DType, Positive, Seed
from common.weights import Weights, draw_weights

ModelName = Literal["linreg", "rnn"]
MODELS: tuple[ModelName, ...] = ("linreg", "rnn")

CLIP_THETA = {"linreg": 0.0, "rnn": 1.0}
"""The norm to which a model's gradients are clipped; 0 leaves them alone, as the book does here."""

SIGMA = {"linreg": 0.01, "rnn": 0.1}
"""The deviation of the first weights."""

TOLERANCES: dict[DType, float] = {"float64": 1e-9, "float32": 1e-3}
"""The largest relative error against the reference, after all updates, by precision."""

Points = Annotated[int, Field(ge=1, le=10_000)]


class SequenceExperiment(BaseModel):
    """The settings of the section: frozen, and each within its range; the defaults are the book's.

    The RNN takes the same lr, batch_size and num_epochs; num_steps and num_hiddens are its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tau: Points = Field(4, description="lags that linear regression sees")
    num_points: Points = Field(1000, description="length of the series")
    num_train: Points = Field(600, description="examples to train on, after the first tau points")
    noise: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = Field(
        0.2, description="deviation of the noise (0: none)"
    )
    num_steps: Points = Field(16, description="inputs that the RNN sees")
    num_hiddens: Annotated[int, Field(ge=1, le=4096)] = Field(
        32, description="hidden units of the RNN"
    )
    batch_size: Count = Field(16, description="examples in a minibatch")
    lr: Positive = Field(0.01, description="learning rate")
    num_epochs: Annotated[int, Field(ge=1, le=10_000)] = Field(
        5, description="passes over the training part"
    )
    steps_ahead: Annotated[tuple[Points, ...], Field(min_length=1)] = Field(
        (1, 4, 16, 64), description="points ahead to predict (repeat for more)"
    )
    seed: Seed = Field(0, description="decides noise, weights and the order of minibatches")
    dtype: DType = Field("float64", description="precision of weights and products")

    @property
    def first_unseen(self) -> int:
        """The index of the first point after the training part."""
        return self.num_train + self.tau

    def lags(self, model: ModelName) -> int:
        """The length of a model's windows."""
        return self.tau if model == "linreg" else self.num_steps

    @classmethod
    def of(cls, given: dict[str, Any]) -> SequenceExperiment:
        """Validate settings from outside.

        Raises:
            RequestError: the first setting that is wrong, and what it may be.
        """
        try:
            settings = cls(**given)
        except ValidationError as error:
            raise RequestError(fault_of(error)) from error
        settings.check_lengths()
        return settings

    def check_lengths(self) -> None:
        """See that the series is long enough for all that is cut from it.

        Raises:
            RequestError: too short; the message says which setting to change, and to what.
        """
        points = f"a series of --num-points {self.num_points}"
        examples = self.num_points - self.tau
        if examples < 2:
            raise RequestError(
                f"--tau {self.tau}: {points} has too few windows of so many lags: "
                f"at most {max(self.num_points - 2, 0)}"
            )
        if self.num_train >= examples:
            raise RequestError(
                f"--num-train {self.num_train}: {points} has {examples} examples of --tau "
                f"{self.tau}, and one must be left to predict: at most {examples - 1}"
            )
        if self.num_steps >= self.first_unseen:
            raise RequestError(
                f"--num-steps {self.num_steps}: the training part has {self.first_unseen} points: "
                f"at most {self.first_unseen - 1}"
            )
        furthest = self.num_points - max(self.tau, self.num_steps)
        if max(self.steps_ahead) > furthest:
            raise RequestError(
                f"--steps-ahead {max(self.steps_ahead)}: {points} ends before: at most {furthest}"
            )


@dataclass(frozen=True)
class Sine:
    """The series and what it is without the noise, float64 (num_points,) each."""

    time: Array
    clean: Array
    x: Array


def draw_series(settings: SequenceExperiment) -> Sine:
    """The noisy sine of these settings."""
    time = np.arange(1, settings.num_points + 1)
    clean = np.sin(0.01 * time)
    noise = np.random.default_rng(settings.seed).standard_normal(settings.num_points)
    return Sine(time, clean, clean + settings.noise * noise)


def windows(x: Array, length: int) -> Array:
    """Every run of so many points: (len(x) - length + 1, length), a view."""
    return np.lib.stride_tricks.sliding_window_view(x, length)


def minibatches(
    settings: SequenceExperiment, model: ModelName, x: Array, epoch: int
) -> Iterator[Batch]:
    """The minibatches of an epoch, which counts from 1, shuffled; the last partial one is kept.

    X is (batch, lags). Y is (batch, 1), the value after each window, for linear regression;
    (batch, num_steps), the value after each input, for the RNN.
    """
    rng = np.random.default_rng([settings.seed, epoch])
    examples = windows(x[: settings.first_unseen], settings.lags(model) + 1)
    for X, Y in seq_data_iter_sliding(examples, settings.batch_size, rng):
        yield X, Y[:, -1:] if model == "linreg" else Y


def first_weights(settings: SequenceExperiment, model: ModelName) -> Weights:
    """The weights that training begins with: ``W (tau, 1)  b (1,)``, or the RNN's five of width 1.

    As `draw_weights` gives them: normal, zero biases, exact in float32 too.
    """
    if model == "rnn":
        return draw_weights(1, settings.num_hiddens, sigma=SIGMA["rnn"], seed=settings.seed)
    W = np.random.default_rng(settings.seed).standard_normal((settings.tau, 1)) * SIGMA["linreg"]
    return {"W": W.astype(np.float32).astype(np.float64), "b": np.zeros(1)}


class Regressor(Protocol):
    """A model of the section in some framework: what ``backends/<name>/sequence.py`` builds."""

    def train_step(self, X: Array, Y: Array) -> SupportsFloat:
        """Forward, backward, clip, update on one minibatch: the mean loss before the update."""

    def predict(self, X: Array, num_preds: int) -> Array:
        """The num_preds values after each window (n, lags), each fed back: (n, num_preds)."""

    def weights(self) -> Weights:
        """The weights as they stand, as NumPy copies by name."""


@dataclass(frozen=True)
class FittedEpoch:
    """One epoch of training: from 1, its mean squared error and the weights at its end."""

    epoch: int
    loss: float
    weights: Weights


def fit(
    regressor: Regressor, settings: SequenceExperiment, model: ModelName, x: Array
) -> Iterator[FittedEpoch]:
    """Train a model, epoch by epoch; the loss is the mean over all examples."""
    for epoch in range(1, settings.num_epochs + 1):
        loss_sum, count = 0.0, 0
        for X, Y in minibatches(settings, model, x, epoch):
            loss_sum += float(regressor.train_step(X, Y)) * len(X)
            count += len(X)
        yield FittedEpoch(epoch, loss_sum / count, regressor.weights())


ForecastKind = Literal["one-step", "multi-step", "k-step"]


@dataclass(frozen=True)
class Forecast:
    """Predictions of points that follow each other.

    Attributes:
        kind: ``one-step`` from the series itself, ``multi-step`` from the end of the training part
            on, ``k-step`` from k - 1 of the model's own predictions.
        k: number of steps each looks ahead; 0 for multi-step, where it grows from 1.
        first: the index of the point that the first value predicts.
        values: float64 (n,).
    """

    kind: ForecastKind
    k: int
    first: int
    values: Array


def forecasts(
    regressor: Regressor, settings: SequenceExperiment, model: ModelName, x: Array
) -> list[Forecast]:
    """All predictions of the section, each placed at the point that it predicts.

    The book's last chart places those of every k where the largest k belongs, so that its one-step
    curve stands 63 points too far to the right; here every value stands at its own time.
    """
    lags, unseen = settings.lags(model), settings.first_unseen
    before = windows(x[:-1], lags)
    multi = regressor.predict(x[unseen - lags : unseen][None], len(x) - unseen)[0]
    steps = regressor.predict(before, max(settings.steps_ahead))
    return [
        Forecast("one-step", 1, lags, regressor.predict(before, 1)[:, 0]),
        Forecast("multi-step", 0, unseen, multi),
        *(
            Forecast("k-step", k, lags + k - 1, steps[: len(before) - k + 1, k - 1])
            for k in settings.steps_ahead
        ),
    ]


def rmse(forecast: Forecast, target: Array, first_unseen: int) -> tuple[int, float]:
    """Number of points predicted after the training part, and root mean squared error there.

    Every k up to the length of the training part is measured on the same points.
    """
    begin = max(forecast.first, first_unseen)
    errors = forecast.values[begin - forecast.first :] - target[begin:]
    return len(errors), float(np.sqrt((errors**2).mean()))
