"""The verdict on a row: from the check before training to table, report and benchmark."""

import json

import numpy as np
import pandas as pd
import pytest

from harness.bench.contenders import Contender, Contest
from harness.bench.printing import show
from harness.bench.ratios import ShapeResult
from harness.bench.tables import bench_table, circumstances
from harness.bench.turns import time_shape
from harness.cli import app
from harness.console import screen
from harness.records.reading import read_run
from harness.records.schemas import SampleTable
from harness.report.build import write_report
from harness.run.row import Row
from harness.run.tables import other_texts

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


LATE = "self.taken = getattr(self, 'taken', 0) + 1; self.params['b_q'][1] += (self.taken > 60)"


def test_a_fault_that_shows_late_fails_at_the_end_and_keeps_its_curve(registered, tmp_path, capsys):
    """Two checks and the first epochs see nothing; each step counts."""
    options = ["--backend", registered(LATE, "a bias that jumps from the 61st step on")]
    options += "--num-hiddens 8 --max-tokens 2000 --batch-size 2 --num-epochs 3 --quiet".split()
    options += ["--prefix", "a", "--out", str(tmp_path / "run")]
    assert app(["run", *options], exit_on_error=False, result_action="return_value") == 1
    folder = read_run(tmp_path / "run")
    (row,) = folder.summary.itertuples()
    assert (row.status, row.parity_verdict) == ("parity-failed", "different")
    assert row.reason.startswith("not the reference network: clipped norm off by")
    assert row.reason.endswith("at the end of training")
    assert row.parity > row.parity_tolerance
    assert np.isnan(row.tokens_per_sec)
    assert len(folder.epochs) == 3
    assert "at the end of training" in " ".join(capsys.readouterr().out.split())
    assert "Not all: own scratch cannot be the same network" in (
        (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    )


def test_a_row_keeps_the_worse_of_its_verdicts():
    """That on its first weights and that on its trained ones; of two alike, the larger error."""
    row = Row("torch", "scratch", 0, "float32", 9, 0)
    row.take_judgement(False, "equal", "", 2e-6, 1e-5)
    row.add_epoch(1, 5.0, None, 9, 1.0)
    for verdict, reason, error, kept in (
        ("equal", "", 1e-6, 2e-6),
        ("equal", "", 3e-6, 3e-6),
        ("ill-conditioned", "cannot be judged", 1e-7, 1e-7),
        ("equal", "", 1e-6, 1e-7),
        ("different", "not the reference network", np.inf, np.inf),
    ):
        row.take_judgement(True, verdict, reason, error, 1e-5)
        assert row.parity == kept
    assert (row.parity_verdict, row.reason) == ("different", "not the reference network")


def test_rows_that_write_other_texts_are_named():
    rows = [
        Row(backend, "scratch", 0, "float32", 9, 2, "ok", perplexity=perplexity)
        for backend, perplexity in (("torch", 4.0), ("jax", 4.000001), ("tensorflow", 4.0))
    ]
    texts = {"torch": "the cat", "jax": "the car", "tensorflow": "the cat"}
    lines = [(b, "scratch", 0, 1, "the", "the " + b) for b in texts]
    lines += [(b, "scratch", 0, 2, "the", text) for b, text in texts.items()]
    samples = pd.DataFrame(lines, columns=[*SampleTable.model_fields])
    said = "after 'the', jax scratch wrote another text than torch scratch, from character 7 on, "
    assert other_texts(rows, samples) == said + "though their perplexities agree"
    rows[1].perplexity = 5.0
    assert other_texts(rows, samples) == said + "as their perplexities differ"
    assert other_texts(rows[::2], samples) == ""
    rows[1].status = "diverged"
    assert other_texts(rows, samples) == ""


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


def test_a_tiny_shape_is_not_accused(capsys, short_turns):
    """Of two by two by two by two, gradients cancel; what rounding does to them is no fault."""
    contest = Contest((), (), 2, {"dtype": "float32", "device": "cpu", "threads": 1}, {})
    found = [Contender("mxnet-style", variant) for variant in ("scratch", "fused", "concise")]
    time_shape(contest, "2x2x2x2", found, lambda line: None)
    assert [each.reason for each in found] == [""] * 3
    assert all(each.checked.verdict in ("equal", "ill-conditioned") for each in found)
    found[0].checked = found[0].checked.model_copy(update={"reason": "cannot be judged"})
    show(screen(), ShapeResult("2x2x2x2", found), bench_table("2x2x2x2", found))
    assert "mxnet-style scratch: cannot be judged" in capsys.readouterr().out
    assert circumstances("2x2x2x2", found)["workers"][0]["checked"] == found[0].checked.model_dump()
