"""Experiment: every setting of a run, validated, and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from common.batches import Sampling
from common.corpus import Edition
from common.errors import RequestError
from common.vocab import Token
from common.weights import Init, Shapes, shapes

Activation = Literal["tanh", "relu"]
DType = Literal["float32", "float64"]
Device = Literal["auto", "cpu", "gpu"]
Input = Literal["onehot", "embedding"]
Carry = Literal["carry", "fresh"]
Decode = Literal["greedy", "sample"]

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
    min_freq: Annotated[int, Field(ge=0, le=10**12)] = 0  # rarer tokens become <unk>
    sampling: Sampling = "sequential"
    random_offset: bool = True
    batch_size: Count = 32
    num_steps: Count = 35
    state: Carry | None = None  # None: sequential batches carry it, the others begin anew
    keep_graph: bool = False  # whether gradients flow on into the windows before
    input: Input = "onehot"
    embed_size: Annotated[int, Field(ge=1, le=65_536)] = 32
    num_layers: Annotated[int, Field(ge=1, le=16)] = 1
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
    decode: Decode = "greedy"
    alpha: Positive = 1.0  # of decode sample: draw from P^alpha
    temperature: Positive = 1.0  # of decode sample

    @property
    def carries_state(self) -> bool:
        """Whether the hidden state goes on from batch to batch."""
        if self.state is None:
            return self.sampling == "sequential"
        return self.state == "carry"

    @property
    def exercises(self) -> tuple[str, ...]:
        """What asks for more than the chapter's network: the options, as they are written."""
        beyond = {
            "--input embedding": self.input == "embedding",
            f"--num-layers {self.num_layers}": self.num_layers > 1,
            "--keep-graph": self.keep_graph,
        }
        return tuple(option for option, asked in beyond.items() if asked)

    def shapes(self, vocab_size: int) -> Shapes:
        """The names and shapes of the network's weights, in canonical order."""
        embed_size = self.embed_size if self.input == "embedding" else None
        return shapes(vocab_size, self.num_hiddens, self.num_layers, embed_size)

    def lacking(self, variant: str) -> str | None:
        """None if a variant can be the network of this experiment, else why not."""
        if variant == "scratch" or not self.exercises:
            return None
        asked = " ".join(self.exercises)
        return f"{variant} is the chapter's network alone: {asked} needs --variant scratch"

    def form(self, variant: str) -> str:
        """The form of the network that serves a variant: that of its name, or of the exercises.

        Raises:
            RequestError: the variant cannot be the network of this experiment.
        """
        if reason := self.lacking(variant):
            raise RequestError(reason)
        if self.keep_graph:
            return "kept graph"
        return "exercises" if self.exercises else variant

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.state == "carry" and self.sampling == "sliding":
            raise PydanticCustomError(
                "together",
                "--state carry does not go with --sampling sliding, whose batches differ in size: "
                "take random or sequential",
            )
        if self.keep_graph and not self.carries_state:
            raise PydanticCustomError(
                "together",
                "--keep-graph has nothing to keep where every batch begins a fresh state: "
                "give --state carry, or --sampling sequential",
            )
        return self

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
            if not first["loc"]:  # settings that are wrong together
                raise RequestError(first["msg"]) from error
            name = str(first["loc"][0])
            option = "prefix" if name == "prefixes" else name.replace("_", "-")
            message = first["msg"][:1].lower() + first["msg"][1:]
            raise RequestError(f"--{option} {first['input']!r}: {message}") from error
