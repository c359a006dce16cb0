"""``sequence`` from end to end: what it writes, what it refuses, and how it fails."""

import json
import re
import sys

import numpy as np
import pandas as pd
import pytest

import backends
from common.errors import RequestError
from common.sequence import MODELS, SequenceExperiment, draw_series
from harness.cli import app
from harness.page.blocks import Chart, Rosetta
from harness.page.drawing import draw
from harness.records.provenance import provenance
from harness.sequence.charts import Curve, forecast_figure
from harness.sequence.measure import expected, study
from harness.sequence.report import told_of_section
from tests.harness.drawn import most_lines

SMALL = "--num-points 60 --num-train 37 --tau 3 --num-steps 5 --num-hiddens 4 --batch-size 8 "
SMALL += "--num-epochs 2 --steps-ahead 1 --steps-ahead 7"
STEPS = (1, 2, 4, 8, 16, 32)

OWN = """
from backends.mxnet_style.sequence import Model as Right


class Model(Right):
    def predict(self, X, num_preds):
        return super().predict(X, num_preds) {fault}
"""


def run(*words):
    return app(["sequence", *words], result_action="return_value")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Register a backend of our own whose predictions have a fault."""

    def register(fault):
        package = tmp_path / "path" / "own"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "backend.py").write_text("from backends.mxnet_style.backend import describe\n")
        (package / "sequence.py").write_text(OWN.format(fault=fault))
        entry = backends.Entry("own.backend", sections=("sequence",))
        (package.parent / "sitecustomize.py").write_text(
            f"from backends import BACKENDS, Entry\nBACKENDS['own'] = {entry!r}\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(package.parent))
        monkeypatch.setitem(backends.BACKENDS, "own", entry)
        return "own"

    return register


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("sequence") / "made" / "here"
    assert run("--backend", "mxnet-style", *SMALL.split(), "--out", str(out)) == 0
    return out


def test_the_tables_hold_every_prediction_and_its_error(folder):
    predictions = pd.read_csv(folder / "predictions.csv")
    assert list(predictions) == "backend model kind k time value".split()
    series = draw_series(SequenceExperiment(num_points=60))
    table = pd.read_csv(folder / "errors.csv")
    assert list(table) == "backend model kind k points rmse rmse_clean".split()
    assert len(table) == 2 * 4
    for row in table.itertuples():
        mine = predictions[(predictions.model == row.model) & (predictions.kind == row.kind)]
        if row.kind == "multi-step":
            assert mine.k.tolist() == list(range(1, 21))
        else:
            mine = mine[mine.k == row.k]
        first = {"one-step": 1, "multi-step": 41, "k-step": row.k}[row.kind]
        first += 0 if row.kind == "multi-step" else {"linreg": 3, "rnn": 5}[row.model]
        assert mine.time.tolist() == list(range(int(first), 61))
        unseen = mine[mine.time > 40]
        assert row.points == len(unseen) == 20
        for truth, found in ((series.x, row.rmse), (series.clean, row.rmse_clean)):
            errors = unseen.value.to_numpy() - truth[unseen.time - 1]
            assert found == pytest.approx(np.sqrt((errors**2).mean()))
    losses = pd.read_csv(folder / "losses.csv")
    assert losses.epoch.tolist() == [1, 2, 1, 2]


def test_the_facts_say_what_it_stood_on(folder):
    facts = json.loads((folder / "sequence.json").read_text(encoding="utf-8"))
    assert facts["status"] == "finished"
    assert facts["settings"]["steps_ahead"] == [1, 7]
    assert {"machine", "versions", "source", "command"} <= facts.keys()
    found = facts["backends"]["mxnet-style"]
    assert found["status"] == "ok"
    assert found["worst_error"] < 1e-12
    assert "numpy" in found["versions"]


def test_the_report_shows_it(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    order = re.findall(r'<section id="(\w+)" class="question"', page)
    assert (
        order == "accuracy next alone ahead learned source_side_by_side predicted reproduce".split()
    )
    text = (folder / "report.md").read_text(encoding="utf-8")
    pictures = re.findall(r"\]\((figures/[\w-]+\.png)\)", text)
    assert len(pictures) == 6
    assert all((folder / picture).stat().st_size > 2_000 for picture in pictures)
    assert "def predict_linreg" in text
    assert "PyTorch" in text


@pytest.mark.drawn
def test_the_charts_draw_what_was_predicted():
    settings = SequenceExperiment(num_points=200, num_train=100, num_epochs=1, steps_ahead=STEPS)
    found = study(settings, expected(settings), ["mxnet-style"], {})
    told = {section.name: section for section in told_of_section(found, provenance()).sections}
    charts = {
        block.figure.name: block.figure
        for section in told.values()
        for block in section.blocks
        if isinstance(block, Chart)
    }
    linreg = found.reference["linreg"].forecasts
    for name, forecast in (("one-step", linreg[0]), ("multi-step", linreg[1])):
        table = charts[name].table
        drawn = table[table.curve == "linear regression"]
        assert drawn.value.tolist() == forecast.values.tolist()
        assert drawn.time.tolist() == list(range(forecast.first + 1, 201))
    ahead = ["1 step ahead", *(f"{k} steps ahead" for k in (4, 8, 32))]  # five lines, no more
    curves = charts["k-step-rnn"].table.curve.unique().tolist()
    assert curves == ["the series", *ahead, "the clean sine"]
    assert charts["rmse"].table.k.tolist() == list(STEPS) * 4
    assert max(most_lines(charts.values()).values()) <= 5
    (view,) = [block for block in told["source_side_by_side"].blocks if isinstance(block, Rosetta)]
    assert all(len(excerpts) == 4 for excerpts in view.topics.values())


@pytest.mark.drawn
def test_the_picture_shows_where_the_training_part_ends():
    time = np.arange(1, 101)
    curve = Curve("a", time, np.sin(time / 10))
    one, other = (forecast_figure("a", "a", curve, [curve, curve], end) for end in (30, 60))
    assert draw([one]).pictures != draw([other]).pictures


def test_a_backend_that_differs_fails_the_command(own, tmp_path, capsys):
    name = own("* (1 + 1e-6)")
    out = tmp_path / "out"
    options = [*SMALL.split(), "--out", str(out)]
    assert run("--backend", f"{name},mxnet-style", *options) == 1
    said = capsys.readouterr().out
    assert "own: parity-failed: not the reference model: linreg one-step off by 1.0e-06" in said
    assert "NOT all shown equal" in said
    facts = json.loads((out / "sequence.json").read_text(encoding="utf-8"))
    assert facts["status"] == "failed"
    statuses = {backend: each["status"] for backend, each in facts["backends"].items()}
    assert statuses == {"own": "parity-failed", "mxnet-style": "ok"}
    assert "cannot be the same models" in (out / "report.md").read_text(encoding="utf-8")
    assert run("--backend", name, *options, "--dtype", "float32", "--force") == 0


def test_a_backend_that_breaks_or_is_not_there(own, tmp_path, capsys):
    name = own("+ [][0]")
    out = tmp_path / "out"
    assert run("--backend", name, *SMALL.split(), "--out", str(out), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["backends"]["own"]["status"] == "failed"
    assert "IndexError" in found["backends"]["own"]["reason"]
    assert found["rmse"] == []
    assert len(pd.read_csv(out / "predictions.csv")) == 0
    assert "Nothing was compared" in (out / "report.md").read_text(encoding="utf-8")


def test_what_is_not_finite_becomes_null(own, tmp_path, capsys):
    name = own("* float('nan')")
    out = tmp_path / "out"
    assert run("--backend", name, *SMALL.split(), "--out", str(out)) == 1
    text = (out / "sequence.json").read_text(encoding="utf-8")
    assert json.loads(text)["backends"]["own"]["worst_error"] is None
    assert "Infinity" not in text


def test_an_absent_backend_fails_only_if_it_was_asked_for(monkeypatch):
    absent = backends.Entry("absent", ("no_such_framework",), ())
    both = {"absent": absent, "mxnet-style": backends.BACKENDS["mxnet-style"]}
    monkeypatch.setattr(backends, "BACKENDS", both)
    settings = SequenceExperiment(num_points=60, num_train=37, num_epochs=1, steps_ahead=(1,))
    reference = expected(settings)
    found = study(settings, reference, [], {})
    assert [each.status for each in found.contenders] == ["unavailable", "ok"]
    assert found.passed
    assert not study(settings, reference, ["absent", "mxnet-style"], {}).passed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--tau 1000", "--tau 1000: a series of --num-points 1000"),
        ("--num-train 996", "at most 995"),
        ("--steps-ahead 4 --steps-ahead 990", "at most 984"),
        ("--lr 100", "--lr 100: linreg diverges"),
        ("--backend troch", "did you mean 'torch'"),
        ("--python torch", "--python torch"),
    ],
)
def test_a_bad_request_writes_nothing(tmp_path, words, message):
    with pytest.raises(RequestError, match=message) as caught:
        run(*words.split(), "--out", str(tmp_path / "out"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot be written"):
        run(*SMALL.split(), "--backend", "mxnet-style", "--out", str(tmp_path / "file" / "out"))


def test_a_worker_that_answers_with_something_else_costs_its_backend_alone(tmp_path, capsys):
    path, section = tmp_path / "fake", SequenceExperiment(num_points=120, num_train=60)
    fitted = {"event": "fitted", "model": "rnn", "epoch": 1, "loss": 1.0, "weights": {"W": [[1]]}}
    said = {"event": "forecasted", "model": "rnn", "kind": "one-step", "k": 1, "first": 0}
    described = {"versions": {}, "devices": ["cpu"], "threads": 1, "tf32": False}
    lines = [{"event": "described", "description": described}, DONE]
    lines += [fitted] * len(MODELS) * section.num_epochs
    lines += [said | {"values": [1.0]}] * len(MODELS) * (2 + len(section.steps_ahead)) + [DONE]
    told = [json.dumps(line) for line in lines]
    path.write_text(f"#!{sys.executable} -IS\nprint(*{told}, sep=chr(10), flush=True)\n")
    path.chmod(0o755)
    words = ["sequence", "--backend", "mxnet-style", "--num-points", "120", "--num-train", "60"]
    words += ["--python", f"mxnet-style={path}", "--out", str(tmp_path / "out")]
    assert app(words, result_action="return_value") == 1
    facts = json.loads((tmp_path / "out" / "sequence.json").read_text("utf-8"))
    reason = facts["backends"]["mxnet-style"]["reason"]
    assert reason.startswith("it did not answer with the section")


DONE = {"event": "done", "peak_memory_mb": 1}
