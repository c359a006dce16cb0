"""Studies that are spread: the same files as in order, whatever machines and drivers do."""

import csv
import json
import shutil
from dataclasses import replace

import pytest

from common.errors import RequestError
from harness.engines.task import Outcome
from harness.records.reading import read_run
from harness.study.ending import finish, tidy
from harness.study.grid import cells, load_study
from harness.study.run import StudyRequest, run_study
from harness.study.spread import spread_study
from tests.harness.engines.conftest import runtime_folder as runtime_folder
from tests.harness.engines.here import Elsewhere, Here

STUDY = """
title = "Small"
backends = ["mxnet-style"]
[settings]
num_epochs = 2
num_hiddens = 4
max_tokens = 300
batch_size = 16
num_steps = 10
pred_period = 2
threads = 1
[[grid]]
name = "rates"
question = "Does the rate matter?"
[grid.vary]
lr = [0.5, 1]
clip_theta = [0, 1]
"""


@pytest.fixture
def order(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(STUDY, encoding="utf-8")
    return StudyRequest(load_study(file), tmp_path / "out", None, {})


def digits(order):
    """All that is the same each time, by cell."""
    found = {}
    for cell in cells(order.study):
        data = read_run(order.folder(cell))
        saved = {p.name: p.read_bytes() for p in data.folder.glob("*/*.safetensors")}
        found[cell.name] = data.epochs.perplexity.tolist(), data.samples.text.tolist(), saved
    return found


def told(order):
    return json.loads((order.out / "study.json").read_text(encoding="utf-8"))


LOST = Outcome.ended("lost", "NodeDiedError: the node is gone")


@pytest.fixture
def in_order(order, tmp_path):
    """The same study, one cell after the other in this process."""
    whole = replace(order, out=tmp_path / "whole")
    assert run_study(whole, [].append)
    return whole


def test_it_is_the_same_study_and_says_where_it_ran(order, in_order):
    said, engine = [], Here({0: LOST, 2: Outcome.of(b"damaged")})
    assert spread_study(order, said.append, engine)
    assert digits(order) == digits(in_order)
    assert len(engine.begun) == 6
    assert sum(line.endswith("to be tried again") for line in said) == 2
    assert said[-1].startswith("4 of 4: rates, lr=1,clip_theta=0: ")
    assert finish(order, "") == ""
    assert finish(in_order, "") == ""
    heads = [(each.out / "cells.csv").read_text().split()[0] for each in (order, in_order)]
    assert heads[0] == heads[1]
    table = tidy(order)
    assert {*table.status} == {"ok"}
    assert table.machine.nunique() == 1
    tries = [read_run(order.folder(cell)).facts["engine"]["attempt"] for cell in cells(order.study)]
    assert sorted(tries) == [1, 1, 2, 2]

    again = Here()
    assert spread_study(order, said.append, again)
    assert again.begun == []
    assert all(line.endswith("done before") for line in said[-4:])
    hidden = [path for path in order.out.rglob(".*") if path.name != ".lock"]
    assert hidden == []


def test_what_is_lost_three_times_is_told_and_gone_on_with(order):
    said = []
    assert spread_study(order, said.append, Here({1: LOST, 4: LOST, 5: LOST}))
    assert told(order)["lost"] == {"rates, lr=0.5,clip_theta=1": LOST.header.reason}
    assert "1 cells lost, the first of them rates, lr=0.5,clip_theta=1: Node" in finish(order, "")
    assert told(order)["status"] == "failed"
    with open(order.out / "cells.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["ok", "lost", "ok", "ok"]
    assert (rows[1]["clip_theta"], rows[1]["backend"]) == ("1", "mxnet-style")
    engine = Here()
    assert spread_study(order, said.append, engine)
    assert [request.name for request in engine.begun] == ["rates, lr=0.5,clip_theta=1"]
    assert finish(order, "") == ""
    assert told(order)["lost"] == {}


def test_control_c_keeps_what_was_filed_and_it_goes_on(order, in_order):
    assert not spread_study(order, [].append, Here({2: KeyboardInterrupt()}))
    assert told(order)["status"] == "running"
    engine = Here()
    assert spread_study(order, [].append, engine)
    assert len(engine.begun) in (2, 3, 4)
    assert digits(order) == digits(in_order)


def test_a_run_that_was_cut_off_makes_place_and_a_finished_one_does_not(order, in_order):
    first, second, *_ = (order.folder(cell) for cell in cells(order.study))
    shutil.copytree(in_order.out, order.out)
    facts = json.loads((first / "run.json").read_bytes())
    (first / "run.json").write_text(json.dumps(facts | {"status": "interrupted"}))
    shutil.rmtree(second)

    class Twice(Here):
        def submit(self, task):
            number = super().submit(task)
            if task.folder == second:  # somebody else was quicker
                shutil.copytree(in_order.out / "rates" / second.name, second)
            return number

    engine = Twice()
    assert spread_study(order, [].append, engine)
    assert len(engine.begun) == 2
    assert digits(order) == digits(in_order)
    assert read_run(first).facts["engine"]["name"] == "here"
    assert read_run(second).facts["engine"] is None


def test_a_store_gives_back_what_a_driver_that_died_had_finished(order, tmp_path):
    pytest.importorskip("fsspec")
    kept = replace(order, store=str(tmp_path / "store"))
    assert not spread_study(kept, [].append, Here({3: KeyboardInterrupt()}))
    shutil.rmtree(order.out)
    said, engine = [], Here()
    assert spread_study(kept, said.append, engine)
    assert [request.name for request in engine.begun] == ["rates, lr=1,clip_theta=1"]
    assert sum(": from the store: mxnet-style scratch ok" in line for line in said) == 3
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(RequestError, match=r"--store .*file/x: "):
        spread_study(replace(order, store=f"{file}/x"), said.append, Here())


def test_a_store_keeps_no_cell_with_a_row_that_broke(order, registered, tmp_path):
    pytest.importorskip("fsspec")
    study = order.study.model_copy(update={"backends": (registered("raise RuntimeError()"),)})
    assert spread_study(
        replace(order, study=study, store=str(tmp_path / "kept")), [].append, Here()
    )
    assert [*(tmp_path / "kept").iterdir()] == []


def test_rows_may_be_apart_and_a_row_that_was_lost_is_all_that_is_run_again(
    order, in_order, registered, monkeypatch
):
    name = registered("pass")
    study = order.study.model_copy(update={"backends": ("mxnet-style", name)})
    order = replace(order, study=study, apart=True)
    said, engine = [], Elsewhere(monkeypatch, {1: LOST, 8: LOST, 9: LOST})
    assert spread_study(order, said.append, engine)
    assert len(engine.begun) == 10
    lost = told(order)["lost"]
    assert [*lost] == ["rates, lr=0.5,clip_theta=0"]
    assert {(each.backends, each.variants) for each in engine.begun} == {
        (("mxnet-style",), ("scratch",)),
        ((name,), ("scratch",)),
    }
    again = Elsewhere(monkeypatch)
    assert spread_study(order, said.append, again)
    assert [each.backends for each in again.begun] == [engine.begun[1].backends]
    assert finish(order, "") == ""
    kept = digits(in_order)
    for number, cell in enumerate(cells(study)):
        data = read_run(order.folder(cell))
        assert data.summary.machine.nunique() == (2 if number else 1)  # again on the first machine
        assert [row[0] for row in data.facts["rows"]] == ["mxnet-style", name]
        assert {*data.facts["machines"]} <= {*data.summary.machine}
        mine = data.epochs[data.epochs.backend == "mxnet-style"]
        assert mine.perplexity.tolist() == kept[cell.name][0]
    assert [path for path in order.out.rglob(".*") if path.name != ".lock"] == []
    assert spread_study(order, said.append, again)
    assert len(again.begun) == 1


def test_rows_that_broke_are_run_again_by_the_engine(order, registered):
    name = registered("raise RuntimeError('the disk is gone')")
    study = order.study.model_copy(update={"backends": ("mxnet-style", name)})
    order = replace(order, study=study)
    assert spread_study(order, [].append, Here())
    before = [read_run(order.folder(cell)) for cell in cells(study)]
    registered("pass")  # it is mended
    said, engine = [], Here()
    assert spread_study(order, said.append, engine)
    assert {(request.backends, request.variants) for request in engine.begun} == {
        ((name,), ("scratch",))
    }
    assert sum("again: ok" in line for line in said) == 4, said
    for cell, old in zip(cells(study), before, strict=True):
        new = read_run(order.folder(cell))
        assert {*new.summary.status} == {"ok"}
        rows = [run.epochs[run.epochs.backend == "mxnet-style"] for run in (old, new)]
        assert rows[0].equals(rows[1])
