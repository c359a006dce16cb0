"""``env``: environments are whole or not there, of the versions that were asked for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import backends
from common.errors import RequestError
from harness.cli import app
from harness.env import build


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """What is run, which makes a Python; ``pip`` fails for version 9, is interrupted for 8."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run = []

    def fake(command, **_):
        run.append(command)
        if "venv" in command:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()
        if "torch==8.*" in command:
            raise KeyboardInterrupt
        failed = "torch==9.*" in command
        said = "Looking\nERROR: No matching distribution found for torch==9.*\n[notice] x\n"
        return subprocess.CompletedProcess(command, int(failed), said if failed else "")

    monkeypatch.setattr(build.subprocess, "run", fake)
    return run


def env(*names):
    return app(["env", *names], exit_on_error=False, result_action="return_value")


def test_an_environment_is_built_once_and_pip_is_given_pins(commands, tmp_path, capsys):
    root = tmp_path / "rnn-rosetta" / "environments"
    assert env("torch@2.12", "jax@0.9.2") == 0
    assert "bench --backend torch@2.12,jax@0.9.2" in capsys.readouterr().out
    assert sorted(path.name for path in root.iterdir()) == ["jax@0.9.2", "torch@2.12"]
    venv, pip = commands[:2]
    assert venv[:-1] == [sys.executable, "-I", "-m", "venv"]
    assert "torch==2.12.*" in pip
    constraints = (root / "torch@2.12" / "constraints.txt").read_text().splitlines()
    known = {line.partition("==")[0]: line for line in constraints}
    assert {"pandas", "pydantic_core", "safetensors"} <= {*known}
    assert not {"torch", "numpy", "jax", "sympy"} & {*known}
    assert {*constraints} <= {*backends.CHECKOUT.with_name("constraints.txt").read_text().split()}
    assert env("torch@2.12", "--json") == 0
    assert len(commands) == 4
    assert [*json.loads(capsys.readouterr().out)["environments"]] == ["jax@0.9.2", "torch@2.12"]
    assert env() == 0
    assert "torch@2.12" in capsys.readouterr().out


def test_one_that_fails_or_is_killed_is_not_there_and_the_others_are(commands, tmp_path, capsys):
    root = tmp_path / "rnn-rosetta" / "environments"
    assert env("torch@9", "torch@2.12") == 1
    assert "torch@9: not built: No matching distribution found for" in capsys.readouterr().out
    with pytest.raises(KeyboardInterrupt):
        env("torch@8")
    assert [path.name for path in root.iterdir()] == ["torch@2.12"]
    (root / ".torch@2.13.unfinished" / "bin").mkdir(parents=True)  # of one that was killed outright
    assert env("torch@2.13") == 0
    assert env("tensorflow@2.20") == 0
    wanted = {word.partition(";")[0] for word in commands[-1]}
    assert {"tensorflow-cpu==2.20.*", "tensorflow==2.20.*"} <= wanted


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("torch", "torch: give a backend and a version, as in torch@2.12"),
        ("torch@new", "give a backend and a version"),
        ("troch@2.12", "did you mean 'torch'"),
        ("torch@2.12/..", "a label has letters"),
    ],
)
def test_a_bad_name_is_refused_before_anything_is_built(commands, name, told):
    with pytest.raises(RequestError, match=told):
        env("torch@2.13", name)
    assert commands == []


def test_a_wildcard_is_for_releases_alone():
    assert "torch==2.14.0rc1" in build.requirements("torch@2.14.0rc1")
    assert "numpy==2.3.*" in build.requirements("mxnet-style@2.3")
