"""Checkpoints: safetensors with canonical names, read by every backend. Loading executes nothing.

The metadata holds what is needed to go on: the experiment, the vocabulary and the epoch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from common.errors import RequestError
from common.experiment import Experiment
from common.files import write_aside
from common.vocab import Vocab
from common.weights import Shapes, Weights

FORMAT = "rnn-rosetta checkpoint 1"


@dataclass(frozen=True)
class Checkpoint:
    """A network that was trained: its weights, and all that says what it is."""

    experiment: Experiment
    vocab: Vocab
    epoch: int
    weights: Weights


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file appears whole or not at all."""
    metadata = {
        "format": FORMAT,
        "experiment": checkpoint.experiment.model_dump_json(),
        "vocab": json.dumps(checkpoint.vocab.idx_to_token),
        "epoch": str(checkpoint.epoch),
    }
    tensors = {name: np.ascontiguousarray(w) for name, w in checkpoint.weights.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, save(tensors, metadata))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        RequestError: there is none, it is truncated or foreign, or its weights do not have the
            shapes of its vocabulary and experiment.
    """
    if not path.is_file():
        raise RequestError(f"--checkpoint {path}: no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise RequestError(
            f"--checkpoint {path}: truncated, or not a safetensors file ({error})"
        ) from error
    if metadata.get("format") != FORMAT:
        raise RequestError(f"--checkpoint {path}: not written by this project ({FORMAT!r})")
    try:
        experiment = Experiment.of(json.loads(metadata["experiment"]))
        vocab = Vocab.from_idx_to_token(json.loads(metadata["vocab"]), experiment.token)
        epoch = int(metadata["epoch"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"--checkpoint {path}: its metadata is damaged ({error})") from error
    shapes = experiment.shapes(len(vocab))
    _check_shapes(path, weights, shapes)
    return Checkpoint(experiment, vocab, epoch, {name: weights[name] for name in shapes})


def _check_shapes(path: Path, weights: Weights, expected: Shapes) -> None:
    found = {name: w.shape for name, w in weights.items()}
    for name in expected | found:
        if found.get(name) != expected.get(name):
            raise RequestError(
                f"--checkpoint {path}: {name} has shape {found.get(name)}, but its vocabulary and "
                f"settings ask for {expected.get(name)}: this is another network"
            )
