"""Texts of a study: each is read and cut once, however many cells train on it."""

from __future__ import annotations

from pathlib import Path

from common.corpus import Cut
from common.experiment import Experiment
from common.inputs import Inputs, cut_of, loader_of
from common.prepared import Prepared, prepare
from common.sources import locate, read


class Texts:
    """The texts.

    Args:
        data_dir: the first folder to look in for a published corpus.
    """

    def __init__(self, data_dir: Path | None) -> None:
        self.data_dir = data_dir
        self.prepared: dict[tuple[str, Cut], Prepared] = {}
        self.paths: dict[str, Path | None] = {}

    def inputs(self, experiment: Experiment) -> Inputs:
        """The inputs of an experiment; see `common.inputs.read_inputs`."""
        key = experiment.corpus, cut_of(experiment)
        if key not in self.prepared:
            self.prepared[key] = prepare(read(experiment.corpus, self.data_dir), key[1])
        prepared = self.prepared[key]
        return Inputs(prepared, loader_of(prepared.indices, experiment))

    def sha256(self, experiment: Experiment) -> str:
        """SHA-256 of an experiment's text."""
        return self.prepared[experiment.corpus, cut_of(experiment)].sha256

    def path(self, corpus: str) -> Path | None:
        """The file of a corpus; None of the one that comes with the project."""
        if corpus not in self.paths:
            embedded = corpus == "embedded"
            self.paths[corpus] = None if embedded else locate(corpus, self.data_dir)
        return self.paths[corpus]
