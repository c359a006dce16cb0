"""The verdict on a row: from the check before training to table, report and benchmark."""

import json

import pandas as pd
import pytest

from harness.bench.contenders import Contender, Contest
from harness.bench.tables import bench_table, circumstances, show
from harness.bench.turns import time_shape
from harness.cli import app
from harness.console import screen
from harness.records.reading import read_run
from harness.report.build import write_report

SMALL = "--backend mxnet-style --num-hiddens 64 --max-tokens 2000 --num-epochs 1 --quiet".split()


def run(folder, *options):
    line = ["run", *SMALL, "--out", str(folder), *options]
    return app(line, exit_on_error=False, result_action="return_value")


def test_a_row_that_cannot_be_judged_trains_and_is_marked(tmp_path, capsys):
    assert run(tmp_path / "run", "--sigma", "1") == 0
    said = capsys.readouterr().out
    assert "ok, unjudged" in said
    assert "cannot be judged here in float32: rounding alone moves the" in " ".join(said.split())
    (row,) = read_run(tmp_path / "run").summary.itertuples()
    assert (row.status, row.parity_verdict) == ("ok", "ill-conditioned")
    assert row.tokens_per_sec > 0
    assert row.parity <= row.parity_tolerance
    report = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert report.count("unjudged") >= 2
    assert "from small fresh weights they are the reference network" in report


@pytest.mark.parametrize(
    ("options", "status", "verdict", "reason"),
    [
        ("--sigma 1e9", "diverged", "ill-conditioned", "no longer a finite number"),
        ("--sigma 1e9 --activation relu", "overflow", "overflow", "larger than float32 can hold"),
        ("--sigma 1e-30", "ok", "ill-conditioned", "cannot be judged here in float32"),
        ("--clip-theta 1e-30", "ok", "equal", "less than float32 can add"),
    ],
)
def test_every_ending_has_a_true_word(tmp_path, options, status, verdict, reason):
    assert run(tmp_path / "run", *options.split()) == (0 if status == "ok" else 1)
    (row,) = read_run(tmp_path / "run").summary.itertuples()
    assert (row.status, row.parity_verdict) == (status, verdict)
    assert reason in row.reason
    assert (row.tokens_per_sec > 0) == (status == "ok")


def test_a_run_from_before_there_were_verdicts_is_read(tmp_path):
    run(tmp_path / "run")
    path = tmp_path / "run" / "summary.csv"
    table = pd.read_csv(path, keep_default_na=False)
    table.drop(columns=["parity_verdict", "parity_tolerance"]).to_csv(path, index=False)
    record = tmp_path / "run" / "run.json"
    facts = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps(facts | {"files": {}}), encoding="utf-8")
    (row,) = read_run(tmp_path / "run").summary.itertuples()
    assert (row.parity_verdict, row.parity_tolerance) == ("equal", 1e-5)
    assert write_report([tmp_path / "run"], tmp_path / "run").exists()


def test_a_tiny_shape_is_not_accused(capsys):
    """Of two by two by two by two, gradients cancel; what rounding does to them is no fault."""
    contest = Contest((), (), 2, {"dtype": "float32", "device": "cpu", "threads": 1}, {})
    found = [Contender("mxnet-style", variant) for variant in ("scratch", "fused", "concise")]
    time_shape(contest, "2x2x2x2", found, lambda line: None)
    assert [each.reason for each in found] == [""] * 3
    assert all(each.checked.verdict in ("equal", "ill-conditioned") for each in found)
    found[0].checked = found[0].checked.model_copy(update={"reason": "cannot be judged"})
    show(screen(), "2x2x2x2", bench_table("2x2x2x2", found), found)
    assert "mxnet-style scratch: cannot be judged" in capsys.readouterr().out
    assert circumstances("2x2x2x2", found)["workers"][0]["checked"] == found[0].checked.model_dump()
