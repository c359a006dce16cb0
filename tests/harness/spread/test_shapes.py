"""Shapes of a benchmark by an engine: the same files, and means over those of a machine alone."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import backends
from harness.bench.contenders import Contest
from harness.bench.report import told_of
from harness.engines.options import Engines
from harness.engines.task import Outcome
from harness.page.markdown import markdown
from harness.records.reading import read_bench
from harness.spread.shapes import time_shapes
from tests.harness.bench.conftest import undisturbed as undisturbed
from tests.harness.engines.conftest import runtime_folder as runtime_folder
from tests.harness.engines.here import Elsewhere, Here

SHAPES = ("2x3x4x5", "3x2x4x5", "2x2x4x5")
WORDS = "bench --backend mxnet-style --variant fused,concise --rounds 6 --shape"
LOST = Outcome.ended("lost", "NodeDiedError: the node is gone")


@pytest.fixture(autouse=True)
def alone(short_turns, monkeypatch):
    """The one backend: a benchmark asks all libraries that are here for products."""
    monkeypatch.setattr(backends, "BACKENDS", {"mxnet-style": backends.BACKENDS["mxnet-style"]})


def timed(engine, folder, shapes=SHAPES, rounds=6):
    settings = {"dtype": "float32", "device": "cpu", "threads": None}
    contest = Contest(("mxnet-style",), ("fused", "concise"), rounds, settings, {})
    console = Console(record=True, width=120, file=io.StringIO())
    folder.mkdir()
    result = time_shapes(Engines(), contest, shapes, folder, console, False, engine)
    return result, console.export_text()


def test_by_an_engine_it_is_the_same_result(here, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.spread.shapes.engine_of", lambda *_: Here())
    asked = [*WORDS.split(), ",".join(SHAPES[:2])]
    for out, words in (("here", ()), ("there", ("--engine", "local", "--cpus-per-cell", 1))):
        done = here(*asked, "--out", out, *words)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert "Over 2 shapes: " in done.stdout
    one, other = (read_bench(tmp_path / name) for name in ("here", "there"))
    for name in ("figures", "rounds", "comparisons", "ranking"):
        mine, theirs = getattr(one, name), getattr(other, name)
        named = [each for each in ("shape", "backend", "variant", "machine") if each in mine]
        assert sorted(mine[named].values.tolist()) == sorted(theirs[named].values.tolist())
    assert one.facts["answers"].keys() == other.facts["answers"].keys() == {*SHAPES[:2], "all"}
    assert [each["engine"]["name"] for each in other.facts["shapes"]] == ["here"] * 2
    assert {path.name for path in (tmp_path / "here").iterdir()} == {
        path.name for path in (tmp_path / "there").iterdir()
    }


def test_means_are_over_the_shapes_of_one_machine(tmp_path, monkeypatch):
    result, said = timed(Elsewhere(monkeypatch, {1: LOST}), tmp_path / "out")
    assert result.exit_status == 0
    bench = read_bench(tmp_path / "out")
    hosts = {each["shape"]: each["engine"]["host"] for each in bench.facts["shapes"]}
    assert [*hosts] == [*SHAPES]
    assert hosts[SHAPES[0]] == hosts[SHAPES[2]] != (other := hosts[SHAPES[1]])
    together = hosts[SHAPES[0]]
    assert {*bench.figures.machine[bench.figures["shape"] == SHAPES[1]]} == {other}
    assert {*bench.facts["answers"]} == {*SHAPES, f"all on {together}"}
    ranking = bench.ranking[bench.ranking.machine == together].set_index("variant")
    base = ranking.base.iloc[0].partition(" ")[2]
    seconds = bench.rounds.pivot(index=["shape", "round"], columns="variant", values="seconds")
    logs = np.log(seconds[base] / seconds["concise"]).unstack("shape")[[SHAPES[0], SHAPES[2]]]
    assert np.median(np.exp(logs.mean(axis=1))) == pytest.approx(ranking.ratio["concise"])
    assert f"Over 2 shapes on {together}: " in said
    assert f"{SHAPES[1]}: to be tried again" not in said
    assert "to be tried again" in said
    text = markdown(told_of([tmp_path / "out"]))
    assert f"All forms over 2 shapes on {together}: geometric means" in text
    assert f"{SHAPES[0]}, {SHAPES[2]}: {together}: " in text
    assert f"- {SHAPES[1]}: {other}: " in text


def test_a_shape_that_is_lost_is_told_and_the_others_stay(tmp_path):
    result, said = timed(Here({1: LOST, 2: LOST, 3: LOST}), tmp_path / "out", SHAPES[:2], 2)
    assert result.exit_status == 1
    assert f"{SHAPES[1]}: not timed: lost: NodeDiedError: the node is gone" in said
    facts = json.loads((tmp_path / "out" / "bench.json").read_bytes())
    assert facts["failures"] == {SHAPES[1]: "lost: NodeDiedError: the node is gone"}
    assert {*pd.read_csv(tmp_path / "out" / "bench.csv")["shape"]} == {SHAPES[0]}


def test_a_machine_with_fewer_cpus_than_a_cell_is_to_have_refuses(tmp_path):
    engine = Here()
    engine.share = engine.share.model_copy(update={"cpus": 4096})
    result, _ = timed(engine, tmp_path / "out", SHAPES[:1])
    assert "refused: fewer CPUs or GPUs than a cell is to have" in result.failures[SHAPES[0]]


def test_texts_are_not_spread(here):
    done = here("bench", "--generate", "--engine", "local")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --generate: texts are timed here alone; leave --engine out\n"
