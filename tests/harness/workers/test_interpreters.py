"""Backends with a label: the same backend in another Python, under a name of its own."""

import json
import sys

import pandas as pd
import pytest

import backends
from common.errors import RequestError
from harness.checks import select
from harness.cli import app
from harness.workers import interpreters

TWO = f"mxnet-style@new={sys.executable},mxnet-style@old-1.2={sys.executable}"
NAMES = ["mxnet-style@new", "mxnet-style@old-1.2"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "rnn-rosetta" / "environments"


def test_names_and_interpreters_are_told_apart():
    names, pythons = interpreters.asked([TWO, "torch"], [f"jax={sys.executable}"])
    assert names == (*NAMES, "torch")
    assert {*pythons} == {*NAMES, "jax"}
    assert select(names, ["fused"]) == [(name, "fused") for name in names]


def test_a_label_alone_is_an_environment_that_was_built(cache):
    python = cache / "torch@2.12" / "bin" / "python"
    with pytest.raises(RequestError, match=r"torch@2\.12: no .*: python -m harness env torch@2.12"):
        interpreters.asked(["torch@2.12"], None)
    assert "python -m harness env torch@2.12" in interpreters.missing("torch@2.12", {})
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert interpreters.asked(["torch@2.12"], None) == (("torch@2.12",), {})
    assert interpreters.interpreter("torch@2.12", {}) == python
    assert interpreters.missing("torch@2.12", {}) is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("troch@1=/x", "did you mean 'torch'"),
        ("torch@a/b=/x", "a label has letters"),
        ("torch@=/x", "a label has letters"),
        ("torch@1=/no/such", "--backend torch@1=/no/such: no Python to run at /no/such"),
        (f"torch@1={sys.executable},torch@1=/bin/sh", "another label"),
    ],
)
def test_what_is_no_such_backend_is_refused(given, told):
    with pytest.raises(RequestError, match=told):
        interpreters.asked([given], None)


def test_a_backend_that_is_asked_for_by_name_has_one_of_the_variants(monkeypatch):
    plain = backends.Entry("own", variants=("concise",), on_request=True)
    monkeypatch.setattr(backends, "BACKENDS", backends.BACKENDS | {"own": plain})
    assert "own" not in [name for name, _ in select([], ["concise"])]
    assert select(["own"], []) == [("own", "concise")]
    with pytest.raises(RequestError, match="own has no variant scratch: it has concise"):
        select(["torch", "own"], ["scratch"])


def test_what_is_timed_on_request_is_not_timed_without_one():
    timed = [variant for _, variant in select(["torch"], [], bench=True)]
    assert "book" in timed
    assert "compiled" not in timed
    assert select(["torch"], ["compiled"], bench=True) == [("torch", "compiled")]


def test_two_pythons_enter_one_contest_one_run_and_one_parity(tmp_path, alone, capsys):
    out = {name: tmp_path / name for name in ("bench", "run", "parity")}

    def command(*words):
        return app([*words, "--backend", TWO], exit_on_error=False, result_action="return_value")

    shape = ["--shape", "2x3x4x5", "--rounds", "2", "--variant", "fused"]
    assert command("bench", *shape, "--out", str(out["bench"])) == 0
    figures = pd.read_csv(out["bench"] / "bench.csv", keep_default_na=False)
    assert [*figures.backend[figures.variant == "fused"]] == NAMES
    small = "--max-tokens 300 --batch-size 16 --num-steps 10 --num-hiddens 4 --num-epochs 2"
    small = f"{small} --pred-period 1 --num-preds 3".split()
    assert command("run", *small, "--out", str(out["run"])) == 0
    assert sorted(pd.read_csv(out["run"] / "summary.csv").backend) == NAMES
    saved = sorted(path.stem for path in (out["run"] / "checkpoints").iterdir())
    assert saved == [f"{name}-scratch-0" for name in NAMES]
    assert [*json.loads((out["run"] / "run.json").read_text())["backends"]] == NAMES
    assert "mxnet-style@new" in (out["run"] / "report.html").read_text(encoding="utf-8")
    options = ["--variant", "fused", "--dtype", "float64", "--steps", "2"]
    assert command("parity", *options, "--out", str(out["parity"])) == 0
    assert sorted({*pd.read_csv(out["parity"] / "parity.csv").backend}) == NAMES
    checkpoint = out["run"] / "checkpoints" / f"{NAMES[0]}-scratch-0.safetensors"
    capsys.readouterr()
    assert command("predict", "--checkpoint", str(checkpoint), "--prefix", "it") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == NAMES
