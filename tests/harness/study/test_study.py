"""Studies: files that are wrong are refused, what is finished stays, and seeds are weighed."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import RequestError
from harness.cli import app
from harness.lock import locked
from harness.records.reading import read_run
from harness.run.progress import Silent
from harness.study.equivalence import equivalences
from harness.study.grid import SHIPPED, cells, find_study, load_study
from harness.study.run import StudyRequest, run_study

ROOT = Path(__file__).parents[3]

STUDY = """
title = "Small"
backends = ["mxnet-style"]
[settings]
num_epochs = 3
num_hiddens = 8
max_tokens = 300
batch_size = 16
num_steps = 10
pred_period = 3
[[grid]]
name = "activation-clipping"
question = "What do they change?"
[grid.vary]
activation = ["tanh", "relu"]
clip_theta = [0, 1]
[[grid]]
name = "seeds"
question = "What do seeds change?"
[grid.settings]
lr = 0.5
[grid.vary]
seed = [0, 1]
"""
TWO_CELLS = STUDY[: STUDY.index('[[grid]]\nname = "seeds"')].replace('["tanh", "relu"]', '["tanh"]')


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture
def two_cells(file):
    file.write_text(TWO_CELLS, encoding="utf-8")
    return file


def study(*arguments):
    command = [sys.executable, "-m", "harness", "study", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process):
    out, err = process.communicate(timeout=200)
    return process.returncode, out.decode(), err.decode()


# what is in a file


def test_every_combination_is_a_cell(file):
    found = cells(load_study(file))
    assert [cell.name for cell in found] == [
        "activation=tanh,clip_theta=0",
        "activation=tanh,clip_theta=1",
        "activation=relu,clip_theta=0",
        "activation=relu,clip_theta=1",
        "seed=0",
        "seed=1",
    ]
    assert {cell.experiment.num_hiddens for cell in found} == {8}
    assert [cell.experiment.lr for cell in found] == [1, 1, 1, 1, 0.5, 0.5]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.name)
def test_what_comes_with_the_project_is_valid_and_found_by_name(path):
    assert find_study(path.name) == path
    assert cells(load_study(path))


WRONG = {
    "not TOML": ("title = ", "not TOML: Invalid value"),
    "no title": (STUDY.replace('title = "Small"', ""), "title: field required"),
    "an unknown key": (STUDY.replace("title", "tittle"), "title: field required"),
    "a key too many": ("colour = 1\n" + STUDY, "colour: extra inputs are not permitted"),
    "no grid": ('title = "x"', "grid: field required"),
    "an empty grid": (STUDY.replace("seed = [0, 1]", ""), "grid.1.vary: dictionary should have"),
    "no value": (STUDY.replace("[0, 1]", "[]", 1), "grid.0.vary.clip_theta: list should have"),
    "no list": (STUDY.replace('["tanh", "relu"]', '"tanh"'), "vary.activation: input should be a"),
    "no such setting": (STUDY.replace("lr =", "rate ="), "grid seeds: --rate 0.5: extra inputs"),
    "a wrong value": (STUDY.replace('"relu"', '"selu"'), "--activation 'selu': input should be"),
    "the same twice": (STUDY.replace("[0, 1]", "[1, 1]"), "clip_theta=1 stands there twice"),
    "one name twice": (STUDY.replace('"seeds"', '"activation-clipping"'), "the same name"),
    "a name that is no folder": (STUDY.replace('"seeds"', '"../x"'), "grid.1.name: string should"),
    "no such recipe": ('recipe = "x"\n' + STUDY, "unknown recipe 'x'"),
    "no such backend": (STUDY.replace("mxnet-style", "troch"), "did you mean 'torch'?"),
    "too much": (STUDY.replace("[0, 1]\n", f"{list(range(1001))}\n"), "more than 1000 cells"),
    "too many in all": (STUDY.replace("[0, 1]", f"{list(range(600))}"), "more than 1000 cells"),
    "too many prefixes": (STUDY.replace("lr = 0.5", f"prefixes = {['a'] * 1001}"), "--prefix"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_wrong_is_refused(file, text, message):
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RequestError) as refused:
        load_study(file)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(RequestError, match="unknown study file"):
        find_study(str(tmp_path / "none.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RequestError, match="not UTF-8 at byte 0"):
        load_study(tmp_path / "bytes.toml")


# running, and running again


def test_a_killed_study_goes_on_and_keeps_what_is_finished(file, tmp_path):
    out = tmp_path / "out"
    process = study(file, "--out", out)
    second = out / "activation-clipping" / "activation=tanh,clip_theta=1" / "epochs.csv"
    deadline = time.monotonic() + 100
    while not second.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    ended(process)
    assert json.loads((out / "study.json").read_text())["status"] == "running"
    assert not (out / "cells.csv").exists()
    first = out / "activation-clipping" / "activation=tanh,clip_theta=0" / "run.json"
    before = first.stat().st_mtime_ns

    status, said, wrong = ended(study(file, "--out", out))
    assert (status, wrong.count("\n")) == (0, 1)
    assert "clip_theta=1: goes on: mxnet-style scratch" in wrong
    assert said.count("done before") == 1
    assert said.count("mxnet-style scratch ok") == 5
    assert first.stat().st_mtime_ns == before
    assert json.loads((out / "study.json").read_text())["status"] == "finished"
    with open(out / "cells.csv", encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["activation"] for row in rows] == ["tanh"] * 2 + ["relu"] * 2 + [""] * 2
    assert {row["status"] for row in rows} == {"ok"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "What do seeds change?" in page

    # an edited study, and one with a cell that is being written, are refused before anything runs
    file.write_text(STUDY.replace("num_hiddens = 8", "num_hiddens = 9"), encoding="utf-8")
    status, said, wrong = ended(study(file, "--out", out))
    assert status == 2
    assert "holds a run of other settings: was the study edited? give another --out" in wrong
    file.write_text(STUDY.replace('"mxnet-style"', '"mxnet-style", "torch"'), encoding="utf-8")
    status, said, wrong = ended(study(file, "--out", out))
    assert status == 2
    assert "holds a run of other backends or variants" in wrong
    file.write_text(STUDY, encoding="utf-8")
    facts = json.loads(first.read_text()) | {"status": "running"}
    first.write_text(json.dumps(facts))
    with locked(first.parent):
        status, said, wrong = ended(study(file, "--out", out))
    assert (status, wrong.count("\n")) == (2, 1)
    assert f"process {os.getpid()} is writing here" in wrong


def test_a_cell_that_was_cut_off_goes_on_from_its_checkpoint(
    two_cells, tmp_path, monkeypatch, capsys
):
    """The study's second cell, in the middle of its second epoch."""
    order = StudyRequest(load_study(two_cells), tmp_path / "whole", None, {})
    assert run_study(order, [].append)
    cut = replace(order, out=tmp_path / "cut", checkpoint_seconds=0)
    left = [26]

    def interrupted(self, row, event):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as control_c:
        control_c.setattr(Silent, "event", interrupted)
        assert not run_study(cut, [].append)
    assert run_study(cut, [].append)
    assert "clip_theta=1: goes on: mxnet-style scratch after 2 epochs" in capsys.readouterr().err
    for cell in cells(order.study):
        one, other = (read_run(each.folder(cell)) for each in (order, cut))
        assert one.samples.equals(other.samples)
        assert one.epochs.perplexity.tolist() == other.epochs.perplexity.tolist()


def test_what_is_not_ours_in_a_cells_folder_stays(two_cells, tmp_path):
    order = StudyRequest(load_study(two_cells), tmp_path / "out", None, {})
    first, second, *_ = (order.folder(cell) for cell in cells(order.study))
    (first / ".git").mkdir(parents=True)
    (first / ".git" / "HEAD").write_text("mine", encoding="utf-8")
    assert run_study(order, [].append)
    assert (first / ".git" / "HEAD").read_text(encoding="utf-8") == "mine"
    shutil.rmtree(second)
    second.mkdir()
    (second / "thesis.tex").touch()
    with pytest.raises(RequestError, match="exists and is no run folder"):
        run_study(order, [].append)
    assert [path.name for path in second.iterdir()] == ["thesis.tex"]


def test_without_its_report_a_study_is_not_finished(two_cells, tmp_path, monkeypatch, capsys):
    command = ["study", str(two_cells), "--out", str(tmp_path / "out")]

    def broken(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("harness.page.write.write_told", broken)
        assert app(command, exit_on_error=False, result_action="return_value") == 1
    assert "error: no report: disk full; to try again" in capsys.readouterr().err
    record = tmp_path / "out" / "study.json"
    assert json.loads(record.read_text(encoding="utf-8"))["status"] == "failed"
    assert app(command, exit_on_error=False, result_action="return_value") == 0
    facts = json.loads(record.read_text(encoding="utf-8"))
    assert facts["status"] == "finished"
    assert [*facts["files"]] == ["cells.csv"]


def test_with_a_run_that_failed_a_study_is_not_finished(two_cells, tmp_path, monkeypatch, capsys):

    def edited(*_):
        failing.undo()  # the first cell alone
        raise RequestError("epochs.csv: cannot be read")

    with monkeypatch.context() as failing:
        failing.setattr("harness.run.folder.check_whole", edited)
        line = ["study", str(two_cells), "--out", str(tmp_path / "out")]
        assert app(line, exit_on_error=False, result_action="return_value") == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert "error: " in told
    assert "its run failed; to try again, start the study again" in told
    assert json.loads((tmp_path / "out" / "study.json").read_text())["status"] == "failed"
    assert app(line, exit_on_error=False, result_action="return_value") == 0
    record = tmp_path / "out" / "study.json"
    before = record.read_bytes()
    assert json.loads(before)["status"] == "finished"
    another = lambda: {"machine": {"cpu": "of whoever looks at it"}}  # noqa: E731
    monkeypatch.setattr("harness.study.run.provenance", another)
    assert app(line, exit_on_error=False, result_action="return_value") == 0
    assert record.read_bytes() == before  # nothing was run: it stays as its machine left it


# seeds


ends = st.lists(st.floats(1.01, 100), min_size=6, max_size=12, unique_by=lambda x: round(x, 2))


@settings(deadline=None)  # SciPy is imported at its first use
@given(ends)
def test_frameworks_that_agree_are_equivalent(values):
    values = np.array(values)
    (found,) = equivalences({"one": values, "other": values * (1 + 1e-7)})
    assert found.shown


@settings(deadline=None)
@given(ends)
def test_a_framework_that_is_off_by_more_than_seeds_are_is_not(values):
    logs = np.log(values)
    off = np.exp(logs + 1.01 * logs.std(ddof=1))
    (found,) = equivalences({"one": values, "other": off})
    assert not found.shown


def test_few_seeds_say_nothing():
    with pytest.raises(ValueError, match="fewer than 6 seeds"):
        equivalences({"one": [2, 3, 4, 5, 6], "other": [2, 3, 4, 5, 6]})


def test_rows_that_broke_are_run_again_and_the_others_stay(tmp_path, registered, monkeypatch):
    """One line says what and why; the sound row, and one that diverged, keep every byte."""
    name = registered("raise RuntimeError('the disk is gone')")
    file = tmp_path / "broken.toml"
    text = TWO_CELLS.replace('["mxnet-style"]', f'["mxnet-style", "{name}"]')
    file.write_text(text, encoding="utf-8")
    order = StudyRequest(load_study(file), tmp_path / "out", None, {})
    said = []
    assert run_study(order, said.append)
    assert "mxnet-style scratch ok" in said[0]
    assert f"{name} scratch failed" in said[0]
    cell = cells(order.study)[0]
    before = read_run(order.folder(cell))

    registered("pass")  # it is mended
    again = []
    assert run_study(order, again.append)
    assert "again, for own scratch was failed (RuntimeError: the disk is gone): now ok" in again[0]
    after = read_run(order.folder(cell))
    assert dict(zip(after.summary.backend, after.summary.status, strict=True)) == {
        "mxnet-style": "ok",
        name: "ok",
    }
    kept = [run.epochs[run.epochs.backend == "mxnet-style"] for run in (before, after)]
    assert kept[0].equals(kept[1])
    assert after.epochs.backend.tolist().count(name) == 3
    assert (order.folder(cell) / "checkpoints" / f"{name}-scratch-0.safetensors").exists()
    assert [path.name for path in order.folder(cell).parent.iterdir() if path.name[0] == "."] == []

    once_more = []
    assert run_study(order, once_more.append)
    assert all(line.endswith("done before") for line in once_more)


def test_a_row_that_was_unavailable_is_run_once_it_is_there(two_cells, tmp_path, monkeypatch):
    order = StudyRequest(load_study(two_cells), tmp_path / "out", None, {})
    with monkeypatch.context() as absent:
        for module in ("run.train", "study.run"):
            absent.setattr(f"harness.{module}.missing", lambda name, given: "not installed")
        assert run_study(order, [].append)
        again = []
        assert run_study(order, again.append)
        assert all(line.endswith("done before") for line in again)
    assert run_study(order, again.append)
    assert "again, for mxnet-style scratch was unavailable (not installed): now ok" in again[-1]


def test_a_finished_study_is_not_touched_until_there_is_something_better(
    file, tmp_path, monkeypatch
):
    """Ctrl-C while a broken row is run again leaves cell and study as they were."""
    order = StudyRequest(load_study(file), tmp_path / "out", None, {})
    with monkeypatch.context() as absent:
        for module in ("run.train", "study.run"):
            absent.setattr(f"harness.{module}.missing", lambda name, given: "not installed")
        assert run_study(order, [].append)
    folder = order.folder(cells(order.study)[0])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.run.train.run_row", interrupted)
    assert not run_study(order, [].append)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
