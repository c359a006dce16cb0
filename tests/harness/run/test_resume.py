"""Checkpoints travel: for every ordered pair of backends, train in one and go on in the other."""

from pathlib import Path

import numpy as np
import pytest

import backends
from common.checkpoint import load_checkpoint
from common.errors import RequestError
from common.experiment import Experiment
from common.inputs import first_weights, load_batches
from common.parity import error_of
from common.reference import Reference
from common.training import train
from harness.cli import app
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from harness.workers.interpreters import interpreter, missing
from harness.workers.process import Worker
from harness.workers.protocol import Sample
from harness.workers.requests import Predict, Train

SETTINGS = Experiment(
    max_tokens=1200,
    batch_size=4,
    num_steps=5,
    num_hiddens=12,
    sigma=0.3,
    clip_theta=0.5,
    num_epochs=2,
    dtype="float64",
    threads=1,
    prefixes=("the tide",),
    num_preds=12,
)
IN_HASTE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
LONGER = SETTINGS.model_copy(update={"num_epochs": 4})


def trained(worker, path, experiment, resume=None):
    """Train in a worker; the checkpoint and the text it wrote."""
    request = Train(
        experiment=experiment,
        device="cpu",
        variant="scratch",
        data_dir=None,
        checkpoint=str(path),
        resume=resume and str(resume),
        goes_on=None,
        checkpoint_seconds=60.0,
    )
    (text,) = [event.text for event in worker.answers(request) if isinstance(event, Sample)]
    return load_checkpoint(path), text


@pytest.fixture(scope="module")
def workers(tmp_path_factory, request):
    """A worker of every backend that is here, mxnet in its own environment included.

    XLA compiles in haste, in JAX as in TensorFlow: what travels is the same.
    """
    asked = request.config.getoption("backend")
    here = [name for name in backends.by_default() if not missing(name, {})]
    logs = tmp_path_factory.mktemp("logs")
    running = {}
    try:
        with pytest.MonkeyPatch.context() as haste:
            haste.setenv("XLA_FLAGS", IN_HASTE)
            for name in here:
                running[name] = Worker(name, interpreter(name, {}), SETTINGS, logs / f"{name}.log")
        assert set(asked or ()) <= set(running)
        yield running
    finally:
        for worker in running.values():
            worker.__exit__(None, None, None)


def reference(epochs):
    loader, vocab = load_batches(LONGER)
    model = Reference(LONGER, first_weights(LONGER, len(vocab)))
    list(train(model, loader, LONGER.model_copy(update={"num_epochs": epochs})))
    return model.weights(), model.predict("the tide", 12, vocab)


def test_every_ordered_pair(workers, tmp_path):
    halfway, _ = reference(2)
    expected, expected_text = reference(4)
    arrived = {}
    for first, worker in workers.items():
        path = tmp_path / f"{first}.safetensors"
        saved, _ = trained(worker, path, SETTINGS)
        assert saved.epoch == 2
        assert error_of(saved.weights, halfway) < 1e-9
        for second, other in workers.items():
            onward = tmp_path / f"{first}-{second}.safetensors"
            saved, text = trained(other, onward, LONGER, resume=path)
            arrived[first, second] = error_of(saved.weights, expected)
            assert saved.epoch == 4
            assert text == expected_text
    assert len(arrived) == len(workers) ** 2
    assert max(arrived.values()) < 1e-9


def test_predict_is_the_same_text_from_every_backend(workers, tmp_path):
    path = tmp_path / "it.safetensors"
    _, text = trained(workers["mxnet-style"], path, SETTINGS)
    request = Predict(checkpoint=str(path), variant="scratch", prefixes=("the tide",), settings={})
    for worker in workers.values():
        found = [event.text for event in worker.answers(request) if isinstance(event, Sample)]
        assert found == [text]


def small_run(tmp_path, name, experiment, resume=None):
    request = RunRequest("it", experiment, ("mxnet-style",), out=tmp_path / name, resume=resume)
    result = run(request, Silent())
    assert result.exit_status == 0
    return tmp_path / name / "checkpoints" / "mxnet-style-scratch-0.safetensors"


def test_a_run_goes_on_to_the_bit(tmp_path):
    whole = small_run(tmp_path, "whole", LONGER)
    half = small_run(tmp_path, "half", SETTINGS)
    resumed = small_run(tmp_path, "resumed", LONGER, resume=half)
    for name, w in load_checkpoint(whole).weights.items():
        np.testing.assert_array_equal(load_checkpoint(resumed).weights[name], w)
    lines = [Path(tmp_path, n, "epochs.csv").read_text().splitlines() for n in ("whole", "resumed")]
    assert [line.split(",")[3] for line in lines[1][1:]] == ["3", "4"]
    assert [line.split(",")[4] for line in lines[1][1:]] == [
        line.split(",")[4] for line in lines[0][3:]
    ]


def test_the_command_takes_the_checkpoints_settings(tmp_path, capsys):
    half = small_run(tmp_path, "half", SETTINGS)
    options = ["--resume", str(half), "--backend", "mxnet-style", "--num-epochs", "3", "--json"]
    status = app(["run", *options, "--out", str(tmp_path / "on")], result_action="return_value")
    assert status == 0
    saved = load_checkpoint(tmp_path / "on" / "checkpoints" / "mxnet-style-scratch-0.safetensors")
    assert saved.epoch == 3
    assert saved.experiment == SETTINGS.model_copy(update={"num_epochs": 3})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--num-epochs", "2"], "trained for 2 epochs already"),
        (["--num-epochs", "9", "--corpus", "mine.txt"], "its vocabulary is not that of"),
        (["--num-epochs", "9", "--num-hiddens", "5"], r"its W_xh is .*12\), .* ask for .*5\)"),
        (["--num-epochs", "9", "--num-layers", "2"], "its W_xh_2 is not there, .* ask for"),
        (["--num-epochs", "9", "--input", "embedding"], "its W_emb is not there, .* ask for"),
        (["--num-epochs", "9", "--recipe", "quickstart"], "leave out --recipe"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, monkeypatch, options, message):
    half = small_run(tmp_path, "half", SETTINGS)
    monkeypatch.chdir(tmp_path)
    Path("mine.txt").write_text("another text, of other letters! " * 40)
    with pytest.raises(RequestError, match=message):
        app(["--resume", str(half), *options, "--out", "on"], result_action="return_value")
    assert not Path("on").exists()


def test_interpreters(tmp_path):
    from harness.workers.interpreters import parse

    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    for given, message in (
        (["torch"], "BACKEND=PATH"),
        (["torhc=x"], "did you mean 'torch'"),
        ([f"torch={python}"], "no Python to run"),
    ):
        with pytest.raises(RequestError, match=message):
            parse(given)
    python.chmod(0o755)
    pythons = parse([f"mxnet-style={python}"])
    assert interpreter("mxnet-style", pythons) == python
    request = RunRequest("it", SETTINGS, ("mxnet-style",), out=tmp_path / "run", pythons=pythons)
    (row,) = run(request, Silent()).rows
    assert (row.status, row.reason) == ("crashed", "its process ended with exit status 3")
