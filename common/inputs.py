"""An experiment's batches and first weights: where every run of it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common import sources
from common.batches import SeqDataLoader
from common.corpus import Cut
from common.errors import RequestError
from common.experiment import Experiment
from common.indices import FileIndices
from common.prepared import Prepared, open_prepared, prepare
from common.tokens import Indices
from common.vocab import Vocab
from common.weights import Weights, draw


@dataclass(frozen=True)
class Inputs:
    """A corpus, prepared and cut into minibatches."""

    prepared: Prepared
    loader: SeqDataLoader

    @property
    def vocab(self) -> Vocab:
        """The vocabulary of the corpus."""
        return self.prepared.vocab

    def for_workers(self) -> dict[str, str | None]:
        """Arguments by which `load_batches` gives the same in another process."""
        path = self.prepared.path
        return {"sha256": self.prepared.sha256, "indices": str(path) if path else None}


def read_inputs(experiment: Experiment, data_dir: str | Path | None = None) -> Inputs:
    """Read the experiment's corpus and cut it into minibatches.

    Raises:
        RequestError: the corpus cannot be had, is not text, or is too short.
    """
    text = sources.read(experiment.corpus, data_dir)
    prepared = prepare(text, cut_of(experiment))
    return Inputs(prepared, loader_of(prepared.indices, experiment))


def load_batches(
    experiment: Experiment,
    data_dir: str | Path | None = None,
    sha256: str | None = None,
    indices: str | Path | None = None,
) -> tuple[SeqDataLoader, Vocab]:
    """The minibatches and the vocabulary of `read_inputs`, as another process has read them.

    Args:
        experiment, data_dir: as of `read_inputs`.
        sha256: of the text, which must not have changed; None if any will do.
        indices: file of its indices, which is opened instead; None reads the text.

    Raises:
        RequestError: as `read_inputs`; or the text has changed since.
    """
    if indices:
        found, vocab = open_prepared(Path(indices), experiment.corpus, cut_of(experiment))
        return loader_of(found, experiment), vocab
    inputs = read_inputs(experiment, data_dir)
    if sha256 not in (None, inputs.prepared.sha256):
        raise RequestError(
            f"corpus {experiment.corpus}: it has changed since the start; "
            "start again once nothing writes to it"
        )
    return inputs.loader, inputs.vocab


def cut_of(experiment: Experiment) -> Cut:
    """The settings of an experiment that decide what indices its corpus becomes."""
    most = experiment.max_tokens or None
    return Cut(experiment.token, most, experiment.edition, experiment.min_freq)


def loader_of(indices: Indices | FileIndices, experiment: Experiment) -> SeqDataLoader:
    """The minibatches of a text's indices.

    Raises:
        RequestError: the text is too short.
    """
    return SeqDataLoader(
        indices,
        experiment.batch_size,
        experiment.num_steps,
        experiment.sampling,
        experiment.seed,
        experiment.random_offset,
    )


def first_weights(experiment: Experiment, vocab_size: int) -> Weights:
    """The weights the experiment starts from, the same in every backend."""
    return draw(experiment.shapes(vocab_size), experiment.init, experiment.sigma, experiment.seed)
