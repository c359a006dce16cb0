"""Reports of other results than runs, and figures as slides."""

import struct
import sys

import pandas as pd
import pytest

from common.errors import RequestError
from harness.cli import app
from harness.page.blocks import figures
from harness.page.palette import DARK, INK
from harness.parity.measure import COLUMNS, ParityResult
from harness.report.build import told_of
from tests.harness.made_runs import BOTH, NASTY, make_parity, make_run
from tests.harness.records.test_reading import write_bench
from tests.serving.sketching import sketch


def report(*words):
    line = ["report", *map(str, words)]
    return app(line, exit_on_error=False, result_action="return_value")


def test_a_benchmark_alone_has_a_report(tmp_path):
    assert report(write_bench(tmp_path / "bench")) == 0
    text = (tmp_path / "bench" / "report.md").read_text(encoding="utf-8")
    assert "# Who trains fastest?" in text
    assert "[Fast?](#who-is-fast-in-turns)" in text
    assert "PyTorch scratch, " in text
    assert (tmp_path / "bench" / "figures" / "bench-1-1.png").is_file()
    assert (tmp_path / "bench" / "report.html").is_file()


def test_a_comparison_alone_has_a_report_that_names_what_is_wrong(tmp_path):
    for folder in (tmp_path / "right", tmp_path / "wrong"):
        folder.mkdir()
    make_parity(tmp_path / "right")
    make_parity(tmp_path / "wrong", wrong=[BOTH[1]])
    assert report(tmp_path / "right") == report(tmp_path / "wrong") == 0
    right, wrong = (
        (tmp_path / name / "report.md").read_text(encoding="utf-8") for name in ("right", "wrong")
    )
    assert "Yes: all 2 are the reference network" in right
    assert "in 16 comparisons" in right
    assert "Not all: PyTorch scratch cannot be the same network" in wrong
    assert "PyTorch scratch, tanh: logits" in wrong


def test_a_comparison_in_the_folder_of_a_run_leaves_its_report_alone(tmp_path, monkeypatch, capsys):
    """`report` makes one of both."""
    run = make_run(tmp_path / "run")
    (run / "report.html").write_text("the run's")
    row = ["torch", "scratch", "float64", "tanh", "loss", 1e-15, 1e-9, True]
    result = ParityResult(pd.DataFrame([row], columns=COLUMNS), {}, {})
    monkeypatch.setattr("harness.parity.measure.compare", lambda *_: result)
    for out in (run, tmp_path / "alone"):
        line = ["parity", "--out", str(out)]
        assert app(line, exit_on_error=False, result_action="return_value") == 0
    assert (run / "report.html").read_text() == "the run's"
    assert (tmp_path / "alone" / "report.html").is_file()
    said = capsys.readouterr().out
    assert f"to show it: python -m harness report {run}\n" in said  # on one line, to be copied
    assert f"report: {tmp_path / 'alone' / 'report.html'}\n" in said


STUDY = """
title = "Tiny"
backends = ["mxnet-style"]
[settings]
num_epochs = 2
num_hiddens = 4
max_tokens = 300
batch_size = 16
num_steps = 10
pred_period = 2
[[grid]]
name = "rates"
question = "Does the rate matter?"
[grid.vary]
lr = [0.5, 1]
"""

MADE_BY = {
    "study": "study tiny.toml",
    "bptt": "bptt --recipe quickstart --backend mxnet-style --num-epochs 1 --draws 2 "
    "--num-steps 8 --num-hiddens 8 --tau 2 --pi 0.7",
    "sequence": "sequence --backend mxnet-style --num-points 120 --num-train 60",
    "corpus": "corpus embedded --max-tokens 2000",
    "parity": "parity --backend mxnet-style --variant fused --steps 2 --dtype float64",
}


@pytest.mark.parametrize("command", MADE_BY)
def test_the_report_of_any_result_is_made_again_to_the_letter(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(STUDY, encoding="utf-8")
    out = tmp_path / "out"
    line = [*MADE_BY[command].split(), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["harness", *line])
    assert app(line, exit_on_error=False, result_action="return_value") == 0
    before = (out / "report.md").read_text(encoding="utf-8")
    assert "How do I run it again?" in before or "How can it be done again?" in before
    assert f"python -m harness {MADE_BY[command]} --out out" in before or command == "corpus"
    for name in ("report.md", "report.html"):
        (out / name).unlink()
    assert report(out) == 0
    assert (out / "report.md").read_text(encoding="utf-8") == before
    if command != "parity":
        with pytest.raises(RequestError, match=rf"a report is of one {command}\.json"):
            told_of([out, out])


@pytest.mark.drawn
def test_a_study_has_slides(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(STUDY, encoding="utf-8")
    line = ["study", "tiny.toml", "--out", "out"]
    assert app(line, exit_on_error=False, result_action="return_value") == 0
    assert report("out", "--slides", "slides") == 0
    assert (tmp_path / "slides" / "rates-ends.pdf").read_bytes().startswith(b"%PDF-")
    record = tmp_path / "out" / "study.json"
    record.write_text(record.read_text("utf-8").replace('"finished"', '"running"'), "utf-8")
    with pytest.raises(RequestError, match="its study is running: start it again"):
        told_of([tmp_path / "out"])


def test_results_of_several_kinds_are_not_one_report(tmp_path):
    run, bench = make_run(tmp_path / "run"), write_bench(tmp_path / "bench")
    with pytest.raises(RequestError, match=r"run holds run\.json, .*bench bench\.json"):
        told_of([run, bench])
    assert len(told_of([bench, bench]).sections) == 2


@pytest.mark.drawn
@pytest.mark.parametrize(("options", "ground"), [([], INK), (["--dark"], DARK)])
def test_every_figure_is_a_slide_in_three_formats(tmp_path, monkeypatch, options, ground):
    monkeypatch.setattr("harness.page.write.draw", sketch)
    run = make_run(tmp_path / "run", said=NASTY)
    assert report(run, "--out", tmp_path / "out", "--slides", tmp_path / "slides", *options) == 0
    names = {figure.name for figure in figures(told_of([run]).sections)}
    made = {path.name for path in (tmp_path / "slides").iterdir()}
    assert made == {f"{name}.{form}" for name in names for form in ("svg", "pdf", "png")}
    for name in names:
        svg, pdf, png = (
            (tmp_path / "slides" / f"{name}.{form}").read_bytes() for form in ("svg", "pdf", "png")
        )
        assert b'viewBox="0 0 1280 720"' in svg
        assert ground["paper"].encode() in svg
        assert pdf.startswith(b"%PDF-")
        assert struct.unpack(">II", png[16:24]) == (1920, 1080)


def test_dark_is_for_slides(tmp_path):
    with pytest.raises(RequestError, match="give --slides FOLDER"):
        report(make_run(tmp_path / "run"), "--dark")
