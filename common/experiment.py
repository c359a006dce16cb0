"""Experiment: every setting of a run, validated, and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.batches import Sampling
from common.corpus import Edition
from common.errors import RequestError
from common.vocab import Token
from common.weights import Init

Activation = Literal["tanh", "relu"]
DType = Literal["float32", "float64"]
Device = Literal["auto", "cpu", "gpu"]

Count = Annotated[int, Field(ge=1, le=10**9)]
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]


class Experiment(BaseModel):
    """The settings of one run: frozen, and each within its range.

    The defaults are those of the functional chapter (seed 000), but for the corpus.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    corpus: Annotated[str, Field(min_length=1)] = "embedded"
    edition: Edition | None = None  # None: the corpus's own
    token: Token = "char"
    max_tokens: Annotated[int, Field(ge=0, le=10**12)] = 0  # 0: all
    sampling: Sampling = "sequential"
    random_offset: bool = True
    batch_size: Count = 32
    num_steps: Count = 35
    num_hiddens: Annotated[int, Field(ge=1, le=65_536)] = 512
    init: Init = "normal"
    sigma: Positive = 0.01
    activation: Activation = "tanh"
    lr: Positive = 1.0
    clip_theta: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 1.0  # 0: no clipping
    num_epochs: Count = 500
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    dtype: DType = "float32"
    device: Device = "auto"
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None  # None: every core we may use
    prefixes: Annotated[tuple[str, ...], Field(min_length=1)] = ("time traveller", "traveller")
    num_preds: Annotated[int, Field(ge=0, le=100_000)] = 50
    pred_period: Count = 50

    @property
    def carries_state(self) -> bool:
        """Whether the hidden state goes on from batch to batch."""
        return self.sampling == "sequential"

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Experiment:
        """Validate settings from outside.

        Raises:
            RequestError: the first setting that is wrong, and what it may be.
        """
        try:
            return cls(**settings)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            option = "prefix" if name == "prefixes" else name.replace("_", "-")
            message = first["msg"][:1].lower() + first["msg"][1:]
            raise RequestError(f"--{option} {first['input']!r}: {message}") from error
