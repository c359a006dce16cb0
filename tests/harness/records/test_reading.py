"""Reading run folders back: as they were written, or not at all."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import RequestError
from common.experiment import Experiment
from common.floor import PASSES
from harness import load_runs
from harness.bench.contenders import Contender
from harness.bench.measure import BenchResult
from harness.bench.report import told_of
from harness.bench.tables import bench_table, circumstances, rounds_table
from harness.compare.compare import compare
from harness.history.entries import entries_below
from harness.page.blocks import Chart
from harness.records.facts import replacing
from harness.records.provenance import machine, source, versions
from harness.records.reading import read_bench, read_run
from harness.run.folder import RunFolder
from harness.run.progress import Silent
from harness.run.row import Row
from harness.run.train import RunRequest, run
from harness.workers.protocol import EpochDone, Sample
from tests.harness.made_runs import made_prepared, made_turns

ROOT = Path(__file__).parents[3]
SHAPE = "2x3x4x5"
TABLES = ["epochs.csv", "summary.csv", "samples.csv"]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run of two forms, on a text that means harm."""
    tmp_path = tmp_path_factory.mktemp("read")
    corpus = tmp_path / "nasty.txt"
    corpus.write_text('NA,"\n<script>\r\x1b[31m=1+1' * 60, encoding="utf-8")
    experiment = Experiment(
        corpus=str(corpus),
        batch_size=4,
        num_steps=5,
        num_hiddens=4,
        num_epochs=3,
        pred_period=1,
        prefixes=("NA",),
        num_preds=0,
    )
    request = RunRequest(
        "quickstart", experiment, ("mxnet-style",), ("scratch", "fused"), out=tmp_path / "run"
    )
    assert run(request, Silent()).exit_status == 0
    return tmp_path / "run"


@pytest.fixture(scope="module")
def facts(run_folder):
    return read_run(run_folder).facts


@pytest.fixture
def copy(run_folder, tmp_path):
    """The same run, to be damaged."""
    return Path(shutil.copytree(run_folder, tmp_path / "copy"))


def write_bench(folder, operations=True):
    """Write what `bench` writes, of a form that was timed and one that failed in its last round.

    `operations` is false for what it wrote before it timed all of them, not products alone.
    """
    turns, prepared = made_turns([1e-3, 2e-3, 3e-3]), made_prepared()
    found = [
        Contender("torch", "scratch", prepared, turns),
        Contender("torch", "fused", prepared, turns[:2], reason="it broke"),
        Contender("null", "null", prepared, turns),
        Contender(
            "torch",
            "products",
            products=[{name: {"a": 1e-3} for name in ("H W_hh", *PASSES[: 3 * operations])}],
        ),
    ]
    settings = {"dtype": "float32", "device": "auto", "threads": None}
    facts = {"machine": machine(), "versions": versions(), "source": source(), "command": []}
    facts |= {"rounds": 3, "settings": settings, "shapes": [circumstances(SHAPE, found)]}
    folder.mkdir(exist_ok=True)
    figures, rounds = bench_table(SHAPE, found), rounds_table(SHAPE, found)
    if not operations:
        figures = figures.drop(columns="operations_fraction")
        del facts["shapes"][0]["passes"]
    BenchResult(facts, figures, rounds).write(folder, "finished")
    return folder


# what was written is read


def test_a_run_is_read_as_it_was_written(run_folder):
    found = read_run(run_folder)
    assert found.facts == json.loads((run_folder / "run.json").read_text(encoding="utf-8"))
    for name in ("epochs", "summary"):
        written = pd.read_csv(run_folder / f"{name}.csv", keep_default_na=False, na_values=[""])
        read = getattr(found, name).drop(columns="elapsed", errors="ignore")
        read = read.select_dtypes("number")
        pd.testing.assert_frame_equal(read, written[read.columns])
    assert list(found.summary.versions) == list(written.versions)
    assert list(found.summary.status) == ["ok", "ok"]
    assert list(found.samples.text) == ["NA"] * 6
    assert found.parity is None
    assert found.bench is None


def test_what_else_a_run_folder_holds_is_read(copy):
    (copy / "parity.csv").write_text(
        "backend,variant,dtype,case,quantity,error,tolerance,ok\n"
        "torch,scratch,float64,tanh,loss,1e-12,1e-09,True\n"
        "torch,scratch,float64,tanh,text,inf,0.0,False\n"
    )
    write_bench(copy)
    found = read_run(copy)
    assert list(found.parity.ok) == [True, False]
    assert found.parity.error[1] == np.inf
    assert found.bench.facts["shapes"][0]["workers"][1]["reason"] == "it broke"
    figures = found.bench.figures.set_index("backend")
    assert list(figures.index) == ["torch", "null", *["floor"] * 2]  # null is a name, not a gap
    assert figures.low["floor"].isna().all()
    assert list(figures.operations_fraction["floor"]) == [4, 1]
    assert len(found.bench.rounds) == 3 + 2 + 3 + 2
    assert (len(found.bench.comparisons), len(found.bench.ranking)) == (0, 0)


def test_a_benchmark_from_before_all_operations_were_timed_is_read_and_compared(tmp_path):
    older, newer = write_bench(tmp_path / "a", operations=False), write_bench(tmp_path / "b")
    found = read_bench(older)
    assert found.figures.operations_fraction.isna().all()
    assert list(found.figures.variant) == ["scratch", "null", "products"]
    (section, *_) = told_of([older]).sections
    heads = next(block.grid.heads for block in section.blocks if isinstance(block, Chart))
    assert {"of products", "of operations"} <= {*heads}
    assert [entry.kind for entry in entries_below(older)] == ["bench"]
    assert {each.verdict for each in compare(older, newer, (), (), 0.05).changes} <= {"tie", None}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_any_text_comes_back(texts, facts, tmp_path_factory):
    row = Row("torch", "scratch", 0, "float32", 28, 0, "failed", "".join(texts))
    folder = RunFolder(tmp_path_factory.mktemp("texts") / "run", facts, [row])
    for epoch, text in enumerate(texts):
        folder.add_sample(row, Sample(epoch=epoch, prefix=text, text=text))
    folder.finish("failed")
    found = read_run(folder.path)
    assert list(found.samples.text) == list(found.samples.prefix) == texts
    assert list(found.summary.reason) == ["".join(texts)]


def test_a_text_may_be_longer_than_csv_allows_by_itself(copy):
    with replacing(copy / "run.json", "samples.csv"), open(copy / "samples.csv", "a") as file:
        file.write(f"mxnet-style,scratch,0,3,NA,{'word ' * 100_000}\n")
    assert len(read_run(copy).samples.text.iloc[-1]) == 500_000


def test_an_interrupted_run_is_read_and_a_running_one_is_not(run_folder, tmp_path):
    row = Row("torch", "scratch", 0, "float32", 28, 0, "running")
    folder = RunFolder(tmp_path / "run", read_run(run_folder).facts, [row])
    folder.add_epoch(
        row, EpochDone(epoch=1, perplexity=9.0, val_perplexity=None, tokens=8, seconds=0.1)
    )
    with pytest.raises(RequestError, match="has not ended"):
        read_run(folder.path)
    row.status = "interrupted"
    folder.finish("interrupted")
    found = read_run(folder.path)
    assert found.facts["status"] == "interrupted"
    assert list(found.summary.status) == ["interrupted"]
    assert len(found.epochs) == 1


# what was not is refused


def replaced(old, new):
    return lambda text: text.replace(old, new, 1)


def edited(table, line, column, cell):
    """Replace a cell of a table by another."""

    def edit(text):
        lines = text.splitlines()
        cells = lines[line].split(",")
        cells[lines[0].split(",").index(column)] = cell
        lines[line] = ",".join(cells)
        return "\n".join(lines) + "\n"

    return table, edit


DAMAGE = {
    "run.json is cut": ("run.json", lambda text: text[: len(text) // 2], "run.json: Invalid JSON"),
    "run.json is a list": ("run.json", lambda text: "[]", "run.json: Input should be an object"),
    "run.json is deep": ("run.json", lambda text: "[" * 100_000, "run.json: Invalid JSON"),
    "run.json is another's": ("run.json", lambda text: '{"status": "finished"}', "machine: Field"),
    "no such setting": ("run.json", replaced('"lr"', '"lrr"'), "run.json: experiment.lrr: Extra"),
    "a setting is text": ("run.json", replaced('"lr": 1.0', '"lr": "x"'), "experiment.lr: Input"),
    "an unknown ending": ("run.json", replaced("finished", "fine"), "run.json: status: Input"),
    "a terminal's escape": ("run.json", replaced('"lr"', '"\\u001b[2J"'), "experiment.·[2J: Extra"),
    "a row is cut": ("epochs.csv", lambda text: text[:-30], "line 7: "),
    "no header": ("epochs.csv", lambda text: text.split("\n", 1)[1], "it has no column backend"),
    "nothing at all": ("epochs.csv", lambda text: "", "epochs.csv: it has no column backend"),
    "a column is gone": ("summary.csv", replaced("parity", "x"), "it has no column parity"),
    "a cell too many": (
        "summary.csv",
        replaced("\r\n", ",\r\n"),
        "line 2: 19 cells under 20 headings",
    ),
    "text, no number": (*edited("epochs.csv", 3, "tokens", "\x1b" * 99), r"line 4, tokens '\x1b"),
    "no number": (*edited("epochs.csv", 1, "tokens", ""), "line 2, tokens '': "),
    "a row too many": ("epochs.csv", lambda text: text + text.splitlines()[-1] + "\n", "twice"),
    "a stranger": (
        "epochs.csv",
        lambda text: text + "jax,scratch,0,1,9.0,,8,0.1\n",
        "do not tell the same",
    ),
    "another perplexity": (*edited("summary.csv", 1, "perplexity", "2.5"), "do not tell the same"),
    "another speed": (*edited("summary.csv", 1, "tokens_per_sec", "1e9"), "do not tell the same"),
    "an unknown status": (*edited("summary.csv", 1, "status", "okay"), "status 'okay'"),
    "speed without merit": (*edited("summary.csv", 1, "status", "failed"), "do not tell the same"),
    "a negative time": (*edited("epochs.csv", 1, "seconds", "-1"), "seconds '-1'"),
    "an endless number": (*edited("epochs.csv", 1, "tokens", "9" * 30), "line 2, tokens '999"),
    "an open quote": ("samples.csv", lambda text: text + '"', "not CSV: unexpected end of data"),
    "a zero byte": ("samples.csv", replaced("NA", "\0"), "it holds a zero byte"),
    "not text": ("samples.csv", lambda text: text.encode() + b"\xff", "not UTF-8 at byte"),
    "junk": ("samples.csv", lambda text: "junk," * 2_000_000, "it has no column backend"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damage(copy, name, edit, message):
    path = copy / name
    content = edit(path.read_bytes().decode())
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RequestError) as refused:
        read_run(copy)
    said = str(refused.value)
    assert message in said
    assert str(copy) in said
    assert said.isprintable()
    assert len(said) < 500


@pytest.mark.parametrize("perplexity", ["inf", "0.5", "-inf"])
def test_a_perplexity_that_cannot_be(copy, perplexity):
    """In both tables, so that they agree."""
    for name, line in (("epochs.csv", 3), ("summary.csv", 1)):
        text = (copy / name).read_text()
        scratch = next(i for i, row in enumerate(text.splitlines()) if ",scratch," in row)
        _, edit = edited(name, scratch + line - 1, "perplexity", perplexity)
        (copy / name).write_text(edit(text))
    with pytest.raises(RequestError, match=r"do not tell the same|not from 0.99 to inf"):
        read_run(copy)


@pytest.mark.parametrize("name", ["run.json", *TABLES])
@pytest.mark.parametrize("instead", ["nothing", "folder", "loop", "pipe"])
def test_a_file_that_is_none(copy, name, instead):
    (copy / name).unlink()
    if instead == "folder":
        (copy / name).mkdir()
    elif instead == "loop":
        (copy / name).symlink_to(name)
    elif instead == "pipe":
        os.mkfifo(copy / name)  # opening it would wait for a writer for ever
    with pytest.raises(RequestError, match=f"{name}"):
        read_run(copy)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("absent", "absent: no such folder"),
        (f"{'long' * 100}", "no such folder"),
        ("zero\0byte", "zero·byte: no such folder"),
        ("file", "file: no such folder"),
        ("loop", "loop: no such folder"),
        (".", "not a run folder: it holds no file run.json"),
    ],
)
def test_a_folder_that_is_none(tmp_path, path, message):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(RequestError) as refused:
        read_run(tmp_path / path)
    assert message in str(refused.value)


@pytest.fixture(scope="module")
def expected(run_folder):
    return read_run(run_folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), name=st.sampled_from(["run.json", "epochs.csv", "summary.csv"]))
def test_a_file_with_a_piece_replaced_is_refused_or_tells_no_other_figures(
    data, name, run_folder, expected
):
    whole = (run_folder / name).read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    piece = data.draw(st.one_of(st.just(b""), st.binary(max_size=9), st.sampled_from([b",", b"1"])))
    (run_folder / name).write_bytes(whole[:start] + piece + whole[end:])
    try:
        found = read_run(run_folder)
    except RequestError:
        return
    finally:
        (run_folder / name).write_bytes(whole)
    columns = ["backend", "variant", "seed", "perplexity", "tokens_per_sec"]
    pd.testing.assert_frame_equal(found.summary[columns], expected.summary[columns], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        ("bench.json", replaced("finished", "running"), "has not ended"),
        ("bench.json", replaced('"rounds": 3', '"rounds": 4'), "do not tell the same"),
        ("bench.json", replaced('"reason": ""', '"reason": null'), "workers.0.reason: Input"),
        ("bench.json", replaced('"it broke"', '""'), "do not tell the same"),
        ("bench.csv", replaced("\ntorch", "\njax"), "do not tell the same"),
        ("bench.csv", replaced(f",{SHAPE},", ",2x3,"), "line 2, shape '2x3'"),
        ("rounds.csv", replaced(f",{SHAPE},2,", f",{SHAPE},1,"), "do not tell the same"),
        ("rounds.csv", replaced("cores_busy", "busy"), "it has no column cores_busy"),
    ],
)
def test_a_damaged_benchmark(tmp_path, name, edit, message):
    folder = write_bench(tmp_path)
    read_bench(folder)
    (folder / name).write_text(edit((folder / name).read_text()))
    with pytest.raises(RequestError) as refused:
        read_bench(folder)
    assert message in str(refused.value)


# the table for notebooks


def test_load_runs(run_folder, copy):
    table = load_runs([run_folder, str(copy)])
    assert " ".join(table.columns) == (
        "recipe run backend variant seed epoch perplexity val_perplexity tokens seconds elapsed "
        "device dtype tokens_per_sec"
    )
    assert len(table) == 2 * 2 * 3
    assert {*table.run} == {str(run_folder), str(copy)}
    for _, rows in table.groupby(["run", "variant"]):
        assert list(rows.epoch) == [1, 2, 3]
        assert list(rows.elapsed) == pytest.approx(list(np.cumsum(rows.seconds)))
        speed = rows.tokens.sum() / rows.elapsed.iloc[-1]
        assert list(rows.tokens_per_sec) == pytest.approx([speed] * 3)
    assert {*table.dtype} == {"float32"}
    pd.testing.assert_frame_equal(load_runs(run_folder), table[:6])
    with pytest.raises(RequestError, match="name at least one"):
        load_runs([])


def test_numbers_have_their_type_where_nothing_was_trained(run_folder, tmp_path):
    row = Row("torch", "scratch", 0, "float32", 28, 0, "unavailable", "absent")
    folder = RunFolder(tmp_path / "run", read_run(run_folder).facts, [row])
    folder.finish("finished")
    table = load_runs([folder.path, run_folder])
    assert len(table) == 6
    pd.testing.assert_series_equal(table.dtypes, load_runs(run_folder).dtypes)


def test_importing_the_harness_stays_light():
    code = "import sys, harness; harness.load_runs; print('pandas' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    assert said.stdout == b"False\n"
