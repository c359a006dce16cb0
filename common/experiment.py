"""Experiment: every setting of a run, validated, and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from common.batches import Sampling
from common.corpus import Edition
from common.errors import RequestError, fault_of
from common.places import device
from common.vocab import Token
from common.weights import Init, Shapes, shapes

Activation = Literal["tanh", "relu"]
DType = Literal["float32", "float64"]
Device = Annotated[str, AfterValidator(device)]
Input = Literal["onehot", "embedding"]
Carry = Literal["carry", "fresh"]
Decode = Literal["greedy", "sample"]

Count = Annotated[int, Field(ge=1, le=10**9)]
Limit = Annotated[int, Field(ge=0, le=10**12)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Norm = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
NonEmpty = Annotated[str, Field(min_length=1)]
Prefixes = Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]


class Experiment(BaseModel):
    """The settings of one run: frozen, and each within its range.

    The defaults are those of the functional chapter, but for the corpus.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    corpus: NonEmpty = Field(
        "embedded", description="embedded, time-machine, lyrics, or a text file"
    )
    edition: Edition | None = None  # None: the corpus's own
    token: Token = Field("char", description="unit of the text")
    max_tokens: Limit = Field(0, description="tokens of the corpus to keep (0: all)")
    min_freq: Limit = Field(0, description="tokens that come less often become <unk>")
    sampling: Sampling = Field("sequential", description="how minibatches are cut from the corpus")
    random_offset: bool = True
    batch_size: Count = Field(32, description="sequences in a minibatch")
    num_steps: Count = Field(35, description="tokens in a sequence")
    state: Carry | None = Field(
        None, description="carry the state from batch to batch, or begin afresh (if not sequential)"
    )
    keep_graph: bool = Field(False, description="let gradients flow on through earlier windows")
    input: Input = Field("onehot", description="read tokens one-hot, or through an embedding")
    embed_size: Width = Field(32, description="width of the embedding")
    num_layers: Annotated[int, Field(ge=1, le=16)] = Field(1, description="recurrent layers")
    num_hiddens: Width = Field(512, description="hidden units of a layer")
    init: Init = Field("normal", description="distribution of the first weights")
    sigma: Positive = Field(0.01, description="deviation of the first weights, of init normal")
    activation: Activation = Field("tanh", description="of the hidden units")
    lr: Positive = Field(1.0, description="learning rate")
    clip_theta: Norm = Field(1.0, description="largest norm of the gradient (0: no clipping)")
    num_epochs: Count = Field(500, description="passes over the corpus")
    seed: Seed = Field(0, description="decides weights, order, offsets and what is sampled")
    dtype: DType = Field("float32", description="precision of weights and products")
    device: Device = Field(
        "auto",
        description="where to compute: cpu, gpu, gpu:N or tpu; auto: the GPU if every backend has "
        "it, else the CPU; mixed: each where it can",
    )
    devices: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="devices that compute one model together, a share of the rows each"
    )
    deterministic: bool = Field(False, description="the same bits each time, on a GPU as well")
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="CPU threads of a backend (default: every core, or those that are free)"
    )
    prefixes: Prefixes = Field(
        ("time traveller", "traveller"), description="what generated text begins with (repeat)"
    )
    num_preds: Annotated[int, Field(ge=0, le=100_000)] = Field(
        50, description="tokens to generate after a prefix"
    )
    pred_period: Count = Field(50, description="epochs between generated texts")
    decode: Decode = Field("greedy", description="take the most likely token, or sample one")
    alpha: Positive = Field(1.0, description="sample from P^alpha: above 1 prefers the likely")
    temperature: Positive = Field(1.0, description="when sampling: below 1 prefers the likely")

    @property
    def carries_state(self) -> bool:
        """True if the hidden state goes on from batch to batch."""
        if self.state is None:
            return self.sampling == "sequential"
        return self.state == "carry"

    @property
    def exercises(self) -> tuple[str, ...]:
        """The options that ask for more than the chapter's network, as they are written."""
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

    @model_validator(mode="after")
    def go_together(self) -> Self:
        """See that no setting contradicts another."""
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
        if self.keep_graph and self.devices > 1:
            raise PydanticCustomError(
                "together",
                "--keep-graph keeps its graph on one device: leave out --devices",
            )
        if ":" in self.device and self.devices > 1:
            raise PydanticCustomError(
                "together",
                "--device gpu:N is a single device: give --device gpu, or leave out --devices",
            )
        return self

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Self:
        """Validate settings from outside.

        Raises:
            RequestError: the first setting that is wrong, and what it may be.
        """
        try:
            return cls(**settings)
        except ValidationError as error:
            raise RequestError(fault_of(error)) from error
