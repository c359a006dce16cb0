"""Requests of cells, and a machine's runtime folder of the test's own."""

import tempfile

import pytest

from common.experiment import Experiment
from common.inputs import read_inputs
from harness.engines.request import RunCell, Share, versions_of
from harness.workers.source import source_hash

SETTINGS = {
    "num_epochs": 2,
    "num_hiddens": 4,
    "max_tokens": 300,
    "batch_size": 16,
    "num_steps": 10,
    "pred_period": 2,
    "num_preds": 3,
    "prefixes": ("the clock",),
    "threads": 1,
}


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path, monkeypatch):
    """The folder of temporary files, of this process and of those that it starts."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def asked():
    """Makes the request of a cell; other fields by name, settings by ``settings``."""

    def make(settings=(), **fields):
        experiment = Experiment.of({**SETTINGS, **dict(settings)})
        names = ("mxnet-style",)
        told = {
            "name": "grid, cell",
            "recipe": "quickstart",
            "experiment": experiment,
            "backends": names,
            "variants": ("scratch",),
            "checkpoint_seconds": 60,
            "corpus": read_inputs(experiment).prepared.sha256,
            "command": ("study", "small.toml"),
            "source": source_hash(),
            "versions": versions_of(names),
            "share": Share(cpus=1),
        }
        return RunCell(**(told | fields))

    return make
