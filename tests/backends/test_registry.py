"""Which module serves which backend: one engine a process, and never another than was asked for."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import backends
from common.errors import RequestError

ROOT = Path(__file__).parents[2]


def python(code, engine=None):
    """What a fresh process says, with RNN_ROSETTA_ENGINE set or not."""
    environment = {n: v for n, v in os.environ.items() if n != "RNN_ROSETTA_ENGINE"}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"RNN_ROSETTA_ENGINE": engine} if engine else {})
    command = [sys.executable, "-c", f"import backends\n{code}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "first", ["backends.load('mxnet-style')", "import backends.mxnet_style.scratch"]
)
def test_a_process_serves_one_engine(first):
    said = python(f"{first}\nbackends.load('mxnet')")
    assert said.splitlines()[-1] == (
        "ImportError: this process runs with RNN_ROSETTA_ENGINE=embedded already: "
        "run mxnet in a process of its own"
    )


def test_a_process_serves_one_engine_of_keras():
    here = [name for name in backends.BACKENDS if name.startswith("keras-")]
    here = [name for name in here if not backends.missing(name)]
    if len(here) < 2:
        pytest.skip("fewer than two engines of Keras are installed")
    first, other = here[:2]
    said = python(f"backends.load('{first}')\nbackends.load('{other}')")
    assert said.splitlines()[-1] == (
        f"ImportError: this process runs with KERAS_BACKEND={first.removeprefix('keras-')} "
        f"already: run {other} in a process of its own"
    )


def test_mxnet_style_is_the_embedded_engine_whatever_the_environment_says():
    said = python("print(*backends.load('mxnet-style').describe().versions)", engine="mxnet")
    assert said == "numpy\n"


def test_an_unknown_engine_is_refused():
    said = python("import backends.mxnet_style.scratch", engine="foo")
    assert "RNN_ROSETTA_ENGINE=foo: there is no such engine; use embedded or mxnet" in said


def test_what_is_missing_is_installed_where_it_fits(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert backends.missing("mxnet-style") is None
    assert backends.missing("torch") == (
        "torch not installed: pip install -c constraints.txt -e '.[torch]'"
    )
    assert backends.missing("mxnet") == (
        "mxnet not installed: python3 -m venv .venv-mxnet && "
        ".venv-mxnet/bin/pip install -c constraints-mxnet.txt -e '.[mxnet]'"
    )


def test_where_there_is_no_checkout_no_file_of_one_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(backends, "CHECKOUT", tmp_path / "pyproject.toml")
    assert backends.installs("torch") == "pip install 'rnn-rosetta[torch]'"
    assert backends.installs("mxnet", own_environment=True) == (
        "python3 -m venv .venv-mxnet && .venv-mxnet/bin/pip install 'rnn-rosetta[mxnet]', "
        "and --python mxnet=.venv-mxnet/bin/python"
    )


def test_a_section_that_a_backend_does_not_have_is_named(backend):
    module = backends.load(backend)
    assert backends.section(backend, "scratch").__name__ == f"{module.__package__}.scratch"
    with pytest.raises(
        RequestError, match=rf"{re.escape(module.__package__)} has no sequences\.py"
    ):
        backends.section(backend, "sequences")
