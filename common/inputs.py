"""An experiment's batches and first weights: where every run of it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common import sources
from common.batches import SeqDataLoader
from common.corpus import encode
from common.experiment import Experiment
from common.vocab import Vocab
from common.weights import Weights, draw


@dataclass(frozen=True)
class Inputs:
    """A corpus, read and cut into minibatches."""

    text: sources.Text
    loader: SeqDataLoader
    vocab: Vocab


def read_inputs(experiment: Experiment, data_dir: str | Path | None = None) -> Inputs:
    """Read the experiment's corpus and cut it into minibatches.

    Raises:
        RequestError: the corpus cannot be had, is not text, or is too short.
    """
    text = sources.read(experiment.corpus, data_dir)
    return Inputs(text, *cut(text, experiment))


def load_batches(
    experiment: Experiment, data_dir: str | Path | None = None
) -> tuple[SeqDataLoader, Vocab]:
    """The minibatches and the vocabulary of `read_inputs` alone."""
    inputs = read_inputs(experiment, data_dir)
    return inputs.loader, inputs.vocab


def cut(text: sources.Text, experiment: Experiment) -> tuple[SeqDataLoader, Vocab]:
    """Cut a text that was read into the experiment's minibatches; see `read_inputs`."""
    indices, vocab = encode(
        text,
        experiment.token,
        experiment.max_tokens or None,
        experiment.edition,
        experiment.min_freq,
    )
    loader = SeqDataLoader(
        indices,
        experiment.batch_size,
        experiment.num_steps,
        experiment.sampling,
        experiment.seed,
        experiment.random_offset,
    )
    return loader, vocab


def first_weights(experiment: Experiment, vocab_size: int) -> Weights:
    """The weights the experiment starts from, the same in every backend."""
    return draw(experiment.shapes(vocab_size), experiment.init, experiment.sigma, experiment.seed)
