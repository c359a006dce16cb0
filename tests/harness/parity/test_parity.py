"""``parity`` and the preflight: what is not the reference network fails, and is never ranked."""

import json
import sys

import numpy as np
import pandas as pd
from rich.console import Console

import backends
from common.experiment import Experiment
from common.parity_grid import cases, cases_of_devices
from common.reference import Reference
from harness.cli import app
from harness.parity.measure import COLUMNS, compare
from harness.parity.tables import show, write
from harness.run.progress import Silent
from harness.run.train import RunRequest, run


def test_all_quantities_of_all_cases_are_compared(registered, tmp_path, capsys):
    name = registered("pass", devices="together")
    comparison = compare([name], [], ["float64"], 4, "cpu", 2, {})
    assert comparison.passed
    table = comparison.table
    assert list(table.columns) == COLUMNS
    grid = [*cases("float64"), *cases_of_devices("float64", 2)]
    assert set(table.case) == {case.name for case in grid}
    assert {"logits", "loss", "gradient W_hh", "clipped norm", "weights", "carried state"} <= set(
        table.quantity
    )
    assert (table.error < 1e-12).all()
    write(comparison, tmp_path)
    path = tmp_path / "parity.csv"
    assert pd.read_csv(path).shape == table.shape
    show(Console(width=100), comparison)
    said = " ".join(capsys.readouterr().out.split())
    assert f"the worst error over {len(grid)} cases (6 on several devices)" in said
    assert "all equal to the reference" in said


def test_a_fault_fails_the_command_and_is_named(registered, tmp_path, capsys):
    name = registered("self.params['b_q'] = self.params['b_q'] + 1e-6", "a bias that creeps")
    status = app(
        ["parity", "--backend", name, "--dtype", "float64", "--steps", "3", "--out", str(tmp_path)],
        result_action="return_value",
    )
    assert status == 1
    said = capsys.readouterr().out
    assert "over tolerance: own scratch float64" in said
    assert "NOT all shown equal" in said
    found = pd.read_csv(tmp_path / "parity.csv")
    assert not found.ok.all()
    assert found[found.quantity == "logits"].ok.all()
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Not all: own scratch cannot be the same network" in report


def test_a_worker_that_leaves_out_cases_fails(tmp_path):
    path = tmp_path / "fake"
    case = {"event": "case", "case": "relu", "errors": {"loss": 0.0}}
    lines = [json.dumps(case), json.dumps({"event": "done", "peak_memory_mb": 1})]
    path.write_text(f"#!{sys.executable} -IS\nprint(*{lines}, sep=chr(10), flush=True)\n")
    path.chmod(0o755)
    fake = {"mxnet-style": path}
    comparison = compare(["mxnet-style"], ["fused"], ["float64"], 1, "cpu", 1, fake)
    assert not comparison.passed
    assert "it did not compare" in comparison.failures["mxnet-style fused"]


def test_a_fault_is_found_before_training_and_gets_no_throughput(registered, tmp_path):
    name = registered("self.params['W_hh'] *= 1.001", "a weight that grows")
    few = {"max_tokens": 2000, "batch_size": 8, "num_steps": 10}
    small = Experiment(num_hiddens=8, num_epochs=2, prefixes=("a",), **few)
    result = run(
        RunRequest("quickstart", small, (name, "mxnet-style"), out=tmp_path / "run"), Silent()
    )
    wrong, right = sorted(result.rows, key=lambda row: row.backend, reverse=True)
    assert (wrong.status, right.status) == ("parity-failed", "ok")
    assert "weights off by" in wrong.reason
    assert wrong.tokens_per_sec is None
    assert result.exit_status == 1
    assert right.parity < 1e-5 < wrong.parity
    summary = pd.read_csv(tmp_path / "run" / "summary.csv").set_index("backend")
    assert summary.loc["own"].status == "parity-failed"
    assert np.isnan(summary.loc["own"].tokens_per_sec)
    assert "own" not in set(pd.read_csv(tmp_path / "run" / "epochs.csv").backend)


def test_an_absent_backend_fails_only_if_it_was_asked_for(monkeypatch):
    absent = backends.Entry("absent", ("no_such_framework",), ())
    both = {"absent": absent, "mxnet-style": backends.BACKENDS["mxnet-style"]}
    monkeypatch.setattr(backends, "BACKENDS", both)
    asked = ["scratch"], ["float32"], 3, "cpu", 2, {}
    assert compare([], *asked).passed
    assert not compare(["absent", "mxnet-style"], *asked).passed
    assert not compare(["absent"], *asked).passed


def test_json(capsys, tmp_path):
    options = ["parity", "--backend", "mxnet-style", "--variant", "fused", "--dtype", "float32"]
    options += ["--steps", "3", "--json"]
    assert app([*options, "--out", str(tmp_path)], result_action="return_value") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"]
    assert {row["quantity"] for row in found["table"]} > {"logits", "drift of weights"}


def test_the_reference_is_its_own_equal():
    from common.parity import over_tolerance
    from common.parity_grid import check

    for case in cases("float64"):
        assert over_tolerance(check(Reference, case, 4), "float64") == {}
