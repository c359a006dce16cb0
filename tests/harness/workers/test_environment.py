"""Worker's environment: the project's code whatever the folder, and a word on each variable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.experiment import Experiment
from harness.records.provenance import provenance
from harness.workers import source
from harness.workers.environment import environment, kept
from harness.workers.process import Worker
from harness.workers.protocol import Described, Failed
from harness.workers.requests import Describe

ROOT = Path(__file__).parents[3]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working folder that holds code by the names of the project's."""
    for package in ("common", "backends", "harness"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('taken from here')\n")
    (tmp_path / "numpy.py").write_text("raise SystemExit('taken from here')\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", [None, "", os.pathsep])
def test_a_worker_runs_the_projects_code_in_any_folder(elsewhere, monkeypatch, path):
    if path is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", path)
    with Worker("mxnet-style", Path(sys.executable), Experiment(threads=1)) as worker:
        described, _ = worker.answer(Describe(), Described)
    assert described.description.versions["numpy"]


def test_a_worker_whose_code_is_not_the_recorded_is_refused(monkeypatch):
    files = source.file_hashes() | {"common/interface.py": "of the file before it was edited"}
    monkeypatch.setattr(source, "file_hashes", lambda: files)
    with Worker("mxnet-style", Path(sys.executable), Experiment(threads=1)) as worker:
        (failed,) = worker.ask(Describe())
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("it runs another common/interface.py than")


def test_every_kind_of_variable_is_set_or_set_aside_or_recorded(monkeypatch):
    set_aside = {"JAX_DISABLE_JIT": "1", "PYTHONOPTIMIZE": "2", "TORCHDYNAMO_DISABLE": "1"}
    left = {
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": f"--xla_dump_to={Path.home()}/dump",
        "MKL_CBWR": "COMPATIBLE",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_LAUNCH_BLOCKING": "1",
        "LD_PRELOAD": "",
    }
    fixed = {"OMP_NUM_THREADS": "9", "JAX_ENABLE_X64": "1", "NVIDIA_TF32_OVERRIDE": "1"}
    secret = {"TF_VAR_password": "secret", "TF_TOKEN_host": "secret", "API_KEY": "secret"}
    for name in kept():
        monkeypatch.delenv(name)
    for name, value in (set_aside | left | fixed | secret).items():
        monkeypatch.setenv(name, value)
    given = environment(2, Experiment(device="cpu"))
    assert not set_aside.keys() & given.keys()
    assert left.items() <= given.items()
    assert [given[name] for name in fixed] == ["2", "0", "0"]
    assert given["CUDA_VISIBLE_DEVICES"] == ""
    told = provenance()["environment"]
    assert told["set_aside"] == sorted(set_aside)
    assert told["kept"] == left | {"XLA_FLAGS": "--xla_dump_to=~/dump"}
    assert "secret" not in json.dumps(told)


def test_what_is_set_aside_does_not_reach_a_worker(monkeypatch):
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    code = "import sys; print(sys.flags.optimize)"
    given = environment(1, Experiment(device="cpu"))
    assert subprocess.check_output([sys.executable, "-c", code], env=given) == b"0\n"
