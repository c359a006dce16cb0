"""An experiment's batches and first weights: where every run of it starts from."""

from __future__ import annotations

from pathlib import Path

from common import sources
from common.batches import SeqDataLoader
from common.corpus import encode
from common.experiment import Experiment
from common.vocab import Vocab
from common.weights import Weights, draw


def load_batches(
    experiment: Experiment, data_dir: str | Path | None = None
) -> tuple[SeqDataLoader, Vocab]:
    """Read the experiment's corpus and cut it into minibatches.

    Raises:
        RequestError: the corpus cannot be had, is not text, or is too short.
    """
    return cut(sources.read(experiment.corpus, data_dir), experiment)


def cut(text: sources.Text, experiment: Experiment) -> tuple[SeqDataLoader, Vocab]:
    """Cut a text that was read into the experiment's minibatches; see `load_batches`."""
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
