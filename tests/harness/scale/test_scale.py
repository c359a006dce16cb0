"""``scale`` on a real backend: every kind of dimension, its files and its report."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from common.errors import RequestError
from common.experiment import Experiment
from common.indices import open_indices, write_indices
from harness.bench import rounds
from harness.bench.contenders import Contest, Size, contenders
from harness.bench.turns import time_shape, time_sizes
from harness.bench.worker import batches_of
from harness.cli import app
from harness.page.blocks import figures
from harness.page.figure import MOST
from harness.paths import ROOT
from harness.records.scaling import read_scale
from harness.report.build import told_of
from harness.scale.epochs import long_run
from harness.scale.made_text import made_text
from harness.scale.ranges import sweeps
from harness.scale.request import ScaleRequest
from harness.scale.tables import COLUMNS, TEXT
from harness.scale.together import EACH, groups
from harness.workers.errors import WorkerError
from harness.workers.requests import Prepare
from tests.harness.drawn import most_lines
from tests.harness.records.test_printed import check
from tests.serving.asking import ALONE

SMALL = "--backend mxnet-style --shape 2x3x4x5 --seconds 0.01 --threads 1".split()
FUSED = ["--variant", "fused"]
SWEEPS = ["num_hiddens=4,8", "batch_size=2,4", "corpus_size=64,1K", "num_epochs=4,8"]


def run(*words):
    return app(["scale", *words], exit_on_error=False, result_action="return_value")


@pytest.fixture(scope="module")
def scaled(tmp_path_factory, warm):
    """A scaling of the smallest sizes by the one backend, its folder and what was printed."""
    place = tmp_path_factory.mktemp("scaled")
    vary = [word for each in SWEEPS for word in ("--vary", each)]
    path = {"PYTHONPATH": os.pathsep.join([str(ALONE), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-m", "harness", "scale", *SMALL, *vary, "--out", "s"],
        cwd=place,
        env=os.environ | path | {"XDG_CACHE_HOME": str(place / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return place / "s", done.stdout


def test_the_command(scaled):
    folder, said = scaled
    table, facts = read_scale(folder)
    assert list(table.columns) == COLUMNS
    assert facts["sweeps"]["corpus_size"] == [64, 1024]
    assert {*table.backend} == {"mxnet-style", "floor"}
    names = {"tokens_per_sec", "floor_fraction", "operations_fraction"}
    names |= {"compile_seconds", "peak_memory_mb"}
    names |= {"generated_per_sec", "first_token_ms", "relative_cost"}
    for dimension in ("num_hiddens", "batch_size", "corpus_size"):
        mine = table[(table.dimension == dimension) & (table.backend != "floor")]
        for _, rows in mine.groupby("value"):
            assert {*rows["quantity"]} == names
    epochs = table[table.dimension == "num_epochs"]
    assert {*epochs["quantity"]} == {"tokens_per_sec", "memory_mb", "relative_cost"}
    assert list(facts["answers"]) == [each.partition("=")[0] for each in SWEEPS]
    for answers in facts["answers"].values():
        assert answers[0] in " ".join(said.split())
    assert [each["shape"] for each in facts["shapes"]] == [
        *("2x3x4x5", "2x3x8x5", "2x3x4x5", "4x3x4x5", "2x3x4x5", "2x3x4x5"),
    ]
    assert {w["checked"]["verdict"] for s in facts["shapes"] for w in s["workers"] if w["rounds"]}
    assert [
        each.name for each in (folder.parent / "cache" / "rnn-rosetta" / "texts").iterdir()
    ] == []
    assert max(map(len, said.splitlines())) <= 120


@pytest.mark.drawn
def test_its_report_is_made_of_its_files(scaled, tmp_path):
    folder = shutil.copytree(scaled[0], tmp_path / "s")
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "# What does size cost?" in text
    told = told_of([folder])
    assert [each.section for each in told.answers] == [each.partition("=")[0] for each in SWEEPS]
    drawn = figures(told.sections)
    assert {each.name for each in drawn} >= {
        *("num-hiddens-tokens-per-sec", "num-hiddens-relative-cost", "num-epochs-memory-mb"),
    }
    assert max(most_lines(drawn).values()) <= MOST
    assert app(["report", str(folder)], result_action="return_value") == 0
    (folder / "scale.csv").write_text("edited", encoding="utf-8")
    with pytest.raises(RequestError, match="edited since it was written"):
        told_of([folder])


def test_json_has_all_of_it(alone, tmp_path, capsys):
    out = str(tmp_path / "s")
    assert run(*SMALL, *FUSED, "--vary", "num_hiddens=4,8", "--json", "--out", out) == 0
    said = json.loads(capsys.readouterr().out)
    assert {row["quantity"] for row in said["figures"]} >= {"tokens_per_sec", "generated_per_sec"}
    check(said, "scale")
    check(json.loads((tmp_path / "s" / "scale.json").read_text("utf-8")), "scale.json")


def test_all_sizes_of_a_form_take_turns_side_by_side_in_every_round(short_turns, monkeypatch):
    order = []
    take_turn = rounds._take_turn
    monkeypatch.setattr(
        rounds, "_take_turn", lambda each, *rest: (order.append(each), take_turn(each, *rest))
    )
    settings = {"device": "cpu", "threads": 1}
    contest = Contest(("mxnet-style",), ("scratch", "fused"), 3, settings, {})
    sizes = []
    for shape in ("2x3x4x5", "2x3x8x5", "2x3x16x5"):
        found = [e for e in contenders(contest)[0] if e.backend == "mxnet-style" and e.is_network]
        sizes.append(Size(contest, shape, found))
    time_sizes(sizes, lambda said: None)
    shapes = {id(form): size.shape for size in sizes for form in size.found}
    turns = [(form.name, shapes[id(form)]) for form in order]
    for beginning in range(0, len(turns), 3):
        alike = turns[beginning : beginning + 3]
        assert len({name for name, _ in alike}) == 1
        assert len({shape for _, shape in alike}) == 3
    assert len(turns) == 3 * 2 * 3
    assert len({tuple(turns[start : start + 6]) for start in (0, 6, 12)}) > 1  # shuffled anew
    assert all(len(form.turns) == 3 for size in sizes for form in size.found)


def test_sizes_too_many_for_the_memory_are_in_groups_with_the_first():
    values = (1, 2, 4, 8, 16)
    assert groups(values, 5, 100 * EACH) == [values]
    assert groups(values, 5, 15 * EACH) == [(1, 2, 4), (1, 8, 16)]
    assert groups(values, 5, 0) == [(1, 2), (1, 4), (1, 8), (1, 16)]


def test_groups_are_one_sweep(alone, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("harness.scale.together.EACH", 2**60)
    out = tmp_path / "s"
    assert run(*SMALL, "--vary", "num_hiddens=4,8,16", "--out", str(out)) == 0
    table, facts = read_scale(out)
    shapes = [each["shape"] for each in facts["shapes"]]
    assert shapes == ["2x3x4x5", "2x3x8x5", "2x3x4x5", "2x3x16x5"]
    costs = table[table["quantity"] == "relative_cost"].set_index("value")
    assert costs.index.tolist() == [4, 8, 16]
    assert costs.loc[4, "median"] == 1
    assert (costs.low <= costs["median"]).all()


def test_threads_are_varied_as_far_as_the_machine_goes(alone, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("harness.scale.request.usable_cpus", lambda: [0, 1])
    vary = ["--vary", "threads=1..8"]
    out = tmp_path / "s"
    run(*SMALL[:-2], *FUSED, *vary, "--out", str(out))
    assert "note: --vary threads: up to 2" in capsys.readouterr().err
    facts = json.loads((out / "scale.json").read_text("utf-8"))
    assert [each["threads"] for each in facts["shapes"]] == [1, 2]


def test_who_is_not_the_reference_has_no_figure_at_any_size(alone, registered, tmp_path, capsys):
    name = registered("self.params['b_q'] = self.params['b_q'] + 1e-3")
    words = [*SMALL[2:], "--variant", "scratch", "--vary", "num_hiddens=4,8"]
    assert run("--backend", name, *words, "--out", str(tmp_path / "s")) == 1
    table, facts = read_scale(tmp_path / "s")
    assert {*table.backend} <= {"floor"}
    assert all("not the reference network" in why for why in facts["failures"].values())
    assert len(facts["failures"]) == 2
    assert facts["answers"]["num_hiddens"] == ["Nobody has figures."]


@pytest.mark.parametrize("compiles", [False, True])
def test_a_text_that_compiles_while_it_is_timed_has_no_figure(short_turns, registered, compiles):
    writes = "self.predict = lambda *given: own_backend.compiled.append(1)"
    name = registered(f"import own_backend; {writes}" if compiles else "pass")
    contest = Contest((name,), (), 1, {"device": "cpu", "threads": 1}, {}, text=TEXT)
    found = [each for each in contenders(contest)[0] if each.backend == name]
    time_shape(contest, "2x3x4x5", found, lambda said: None)
    (form,) = found
    assert form.reason.endswith("its figures are the compiler's" if compiles else "")
    assert (len(form.texts), len(form.turns)) == (0 if compiles else 6, 1)


def test_a_long_run_that_is_not_the_reference_is_refused(registered):
    name = registered("self.params['b_q'] = self.params['b_q'] + 1e-3")
    contest = Contest((name,), (), None, {"device": "cpu", "threads": 1}, {})
    with pytest.raises(WorkerError, match="not the reference network"):
        long_run(contest, name, "scratch", (2, 4))


def test_a_made_text_is_as_long_as_it_is_asked_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("harness.scale.made_text.PIECE", 1000)
    left = tmp_path / "rnn-rosetta" / "texts" / "scale-killed"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    for size, vocab_size, dtype in ((999, 28, np.uint8), (2500, 1000, np.uint16)):
        with made_text(size, vocab_size) as path:
            found = open_indices(path)  # which sees that it is whole
            assert (len(found), found.dtype) == (size, dtype)
            assert found.max() < vocab_size
        assert not path.exists()
    assert not left.exists()
    with made_text(None, 28) as path:
        assert path is None


def test_a_stream_goes_through_the_text_again_and_again(tmp_path):
    with open(tmp_path / "text.npy", "xb") as file:
        tokens = np.arange(60, dtype=np.uint8)
        write_indices(file, [tokens], tokens.dtype, len(tokens))
    experiment = Experiment(batch_size=2, num_steps=5)
    settings = {"experiment": experiment, "variant": "fused", "vocab_size": 60}
    batches, stream = batches_of(Prepare(**settings, indices=str(tmp_path / "text.npy")))
    seen = [next(stream) for _ in range(12)]
    for X, Y in seen:
        assert (Y == X + 1).all()
    assert len({*np.concatenate([X for X, _ in seen]).ravel().tolist()}) >= 50
    assert all((one[0] == other[0]).all() for one, other in zip(batches, seen, strict=False))
    random, endless = batches_of(Prepare(**settings))
    assert next(endless)[0] is random[0][0]


def test_a_text_too_short_for_the_base_is_refused():
    sizes = sweeps(["corpus_size=1K,4K"])
    request = ScaleRequest(Contest((), (), None, {}, {}), "32x35x4x28", sizes)
    with pytest.raises(RequestError, match=re.escape("1,024 characters are too few")):
        request.check()
