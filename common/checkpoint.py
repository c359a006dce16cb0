"""Checkpoints: safetensors with canonical names, read by every backend. Loading executes nothing.

The metadata holds what is needed to go on: the experiment, the vocabulary and the epoch; and a
SHA-256 of all that the file says, so that a bit that was flipped is noticed. A checkpoint that was
written in the middle of an epoch holds what of it is behind, too. The same training writes the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from common.array import Array
from common.errors import RequestError
from common.experiment import Experiment
from common.files import write_aside
from common.vocab import Vocab
from common.weights import Shapes, Weights

FORMAT = "rnn-rosetta checkpoint 1"

LOSSES, TOKENS, STATE = "underway.losses", "underway.tokens", "underway.state"
"""Names of the tensors of an epoch that is under way."""

Metadata = dict[str, str]
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Middle:
    """The middle of an epoch, as far as the weights do not tell it.

    Attributes:
        losses: mean loss of every step so far (steps,), in float64.
        tokens: number of tokens of each (steps,).
        state: after the last step (num_layers, batch, H); None where every batch begins a new one.
        seconds: of training in this epoch so far.
    """

    losses: Array
    tokens: Array
    state: Array | None
    seconds: float


@dataclass(frozen=True)
class Checkpoint:
    """A network that was trained: its weights, and all that says what it is.

    Attributes:
        epoch: number of epochs that are done.
        middle: of the epoch after those; None between two epochs.
    """

    experiment: Experiment
    vocab: Vocab
    epoch: int
    weights: Weights
    middle: Middle | None = None


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file appears whole or not at all."""
    metadata = {
        "format": FORMAT,
        "experiment": checkpoint.experiment.model_dump_json(),
        "vocab": json.dumps(checkpoint.vocab.idx_to_token),
        "epoch": str(checkpoint.epoch),
    }
    tensors = {name: np.ascontiguousarray(w) for name, w in checkpoint.weights.items()}
    if middle := checkpoint.middle:
        metadata["seconds"] = repr(middle.seconds)
        tensors |= {LOSSES: middle.losses, TOKENS: middle.tokens}
        if middle.state is not None:
            tensors[STATE] = np.ascontiguousarray(middle.state)
    metadata["sha256"] = sha256(tensors, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, in_order(save(tensors, metadata)))


def in_order(file: bytes) -> bytes:
    """A safetensors file with its metadata sorted: `save` writes it in another order every time."""
    start = 8 + int.from_bytes(file[:8], "little")
    header = json.loads(file[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    told = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    told += b" " * (-len(told) % 8)
    return len(told).to_bytes(8, "little") + told + file[start:]


def sha256(tensors: Weights, metadata: Metadata) -> str:
    """The SHA-256 of all that a checkpoint says, but for the hash itself."""
    told = {name: text for name, text in metadata.items() if name != "sha256"}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        digest.update(json.dumps([name, str(tensor.dtype), tensor.shape]).encode())
        digest.update(tensor.data)
    return digest.hexdigest()


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        RequestError: there is none, it is truncated, foreign or was changed since it was written;
            its weights are not finite numbers, or do not have the shapes of its vocabulary and
            experiment.
    """
    if not path.is_file():
        raise RequestError(f"--checkpoint {path}: no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        # The last two: numbers of a kind that NumPy lacks.
        raise RequestError(
            f"--checkpoint {path}: truncated, or not a safetensors file ({error})"
        ) from error
    if metadata.get("format") != FORMAT:
        raise RequestError(f"--checkpoint {path}: not written by this project ({FORMAT!r})")
    if metadata.get("sha256", "of before") not in ("of before", sha256(tensors, metadata)):
        raise RequestError(
            f"--checkpoint {path}: a weight, or what is said of them, was changed since it was "
            f"written: its SHA-256 is another"
        )
    try:
        checkpoint = _understood(metadata, tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"--checkpoint {path}: its metadata is damaged ({error})") from error
    shapes = checkpoint.experiment.shapes(len(checkpoint.vocab))
    _check_weights(path, checkpoint.weights, shapes)
    return checkpoint


def _understood(metadata: Metadata, tensors: Weights) -> Checkpoint:
    experiment = Experiment.of(_parsed(metadata["experiment"], dict))
    vocab = Vocab.from_idx_to_token(_parsed(metadata["vocab"], list), experiment.token)
    epoch, middle = int(metadata["epoch"]), None
    if epoch < 0:
        raise ValueError(f"epoch {epoch}")
    if LOSSES in tensors:
        losses, tokens, state = tensors.pop(LOSSES), tensors.pop(TOKENS), tensors.pop(STATE, None)
        size = experiment.num_layers, experiment.batch_size, experiment.num_hiddens
        carried = size if experiment.carries_state else None
        if losses.shape != (len(tokens),) or (None if state is None else state.shape) != carried:
            raise ValueError("the epoch under way is not one of these settings")
        middle = Middle(losses, tokens, state, float(metadata["seconds"]))
    return Checkpoint(experiment, vocab, epoch, tensors, middle)


def _parsed(text: str, kind: type[Kind]) -> Kind:
    found = json.loads(text)
    if not isinstance(found, kind):
        raise TypeError(f"a {kind.__name__} is expected")
    return found


def _check_weights(path: Path, weights: Weights, expected: Shapes) -> None:
    found = {name: w.shape for name, w in weights.items()}
    for name in expected | found:
        if found.get(name) != expected.get(name):
            raise RequestError(
                f"--checkpoint {path}: {name} has shape {found.get(name)}, but its vocabulary and "
                f"settings ask for {expected.get(name)}: this is another network"
            )
        if weights[name].dtype.kind != "f" or not np.isfinite(weights[name]).all():
            raise RequestError(
                f"--checkpoint {path}: {name} holds what is no finite number: its training "
                f"diverged, take a checkpoint from before"
            )
