"""``compare``: what got faster, slower or worse, between folders written by hand."""

import json
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from common.errors import RequestError
from common.experiment import Experiment
from harness.bench.contenders import Contender
from harness.bench.measure import BenchResult
from harness.bench.tables import bench_table, circumstances, rounds_table
from harness.cli import app, main
from harness.compare.changes import Allowed, _of_throughput
from harness.compare.compare import compare
from harness.compare.sides import side
from harness.compare.tables import show
from harness.intervals import FEWEST, Interval
from harness.records.facts import replacing
from harness.records.reading import read_run
from harness.records.status import Status
from harness.run.folder import RunFolder
from harness.run.row import Row
from harness.workers.protocol import EpochDone
from tests.harness.made_runs import made_prepared, made_turns

EXPERIMENT = Experiment(num_epochs=12).model_dump(mode="json")
CORPUS = {"name": "embedded", "sha256": "0" * 64, "characters": 90, "tokens": 80}
FACTS = {
    "recipe": "quickstart",
    "experiment": EXPERIMENT,
    "corpus": CORPUS | {"vocab_size": 28, "batches_per_epoch": 8},
    "resumed": None,
    "machine": {"cpu": "one", "cores_used": 2, "memory_mb": 1000},
    "versions": {"python": "3.11.7", "numpy": "2.4.6"},
    "source": {"revision": None, "modified": False, "sha256": "a" * 64},
    "command": [],
    "backends": {},
}
TOKENS = 1000
STEADY = [1.0, 1.01, 0.99] * 4
"""Seconds of every epoch."""

folders = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def row(backend="torch", variant="scratch", seed=0, seconds=STEADY, perplexity=2.0, **facts):
    """A row of a run, and the seconds of its epochs."""
    found = Row(
        backend, variant, seed, "float32", 28, 0, **{"status": "ok", "device": "cpu"} | facts
    )
    found.perplexity, found.versions = perplexity, {backend: "1.0"}
    return found, seconds


def write_run(folder, *rows, **facts):
    """Write the folder of a run, with other facts than `FACTS` if need be."""
    written = RunFolder(folder, FACTS | facts, [each for each, _ in rows])
    for each, seconds in rows:
        for number, taken in enumerate(seconds, 1):
            figures = {"perplexity": each.perplexity, "val_perplexity": each.val_perplexity}
            written.add_epoch(
                each, EpochDone(epoch=number, tokens=TOKENS, seconds=taken, **figures)
            )
            each.tokens += TOKENS
            each.train_seconds += taken
    written.finish("finished")
    return folder


def write_bench(folder, broken=(), dtype="float32", told=None, products=(), **seconds):
    """Write a benchmark: the seconds of every round by variant of torch, and who broke at last.

    `told` replaces circumstances of each shape.
    """
    prepared = made_prepared()
    shapes = ("2x3x4x5", "4x4x4x4")
    found = [Contender("null", "null", prepared, made_turns([1e-6] * 12))]
    broke = "it broke" if broken else ""
    found.append(Contender("torch", "products", products=list(products), reason=broke))
    for variant, taken in seconds.items():
        reason = "it broke" if variant in broken else ""
        found.append(Contender("torch", variant, prepared, made_turns(taken), reason=reason))
    facts = {name: FACTS[name] for name in ("machine", "versions", "source", "command")}
    facts["settings"] = {"dtype": dtype, "device": "auto", "threads": None}
    told = told or {}
    facts |= {"rounds": 12, "shapes": [circumstances(shape, found) | told for shape in shapes]}
    tables = [pd.concat([of(s, found) for s in shapes]) for of in (bench_table, rounds_table)]
    folder.mkdir()
    BenchResult(facts, *tables).write(folder, "finished")
    return folder


@pytest.fixture
def pair(tmp_path):
    """Write two runs, each of one row, and compare them."""
    numbers = iter(range(1000))

    def compared(old, new, threshold=0.05):
        here = tmp_path / str(next(numbers))
        olds, news = ([each] if isinstance(each, tuple) else each for each in (old, new))
        old, new = write_run(here / "old", *olds), write_run(here / "new", *news)
        return compare(old, new, (), (), threshold)

    return compared


def verdicts(found):
    return {change.measure: change.verdict for change in found.changes}


def scaled(factor):
    return [factor * each for each in STEADY]


# the words


times = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=25)
values = st.floats(1.0, 1e6)


@folders
@given(seconds=times, perplexity=values, threshold=st.floats(0, 0.99))
def test_a_run_compared_with_itself_is_all_ties(seconds, perplexity, threshold, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    write_run(folder, row(seconds=seconds, perplexity=perplexity, val_perplexity=perplexity))
    found = compare(folder, folder, (), (), threshold)
    assert set(verdicts(found)) == {"throughput", "perplexity", "validation perplexity"}
    few = len(seconds) < FEWEST
    assert verdicts(found).pop("throughput") == (None if few else "tie")
    assert {verdicts(found)[name] for name in ("perplexity", "validation perplexity")} == {"tie"}
    assert found.regressions == []
    assert found.differences == {}


@folders
@given(data=st.data(), old=values, new=values, threshold=st.floats(0, 0.99))
def test_new_against_old_mirrors_old_against_new(
    data, old, new, threshold, tmp_path_factory, read_once
):
    here = tmp_path_factory.mktemp("runs")
    before = data.draw(times)
    after = data.draw(st.lists(st.floats(1e-3, 1e3), min_size=len(before), max_size=len(before)))
    write_run(here / "old", row(seconds=before, perplexity=old))
    write_run(here / "new", row(seconds=after, perplexity=new))
    forth = compare(here / "old", here / "new", (), (), threshold)
    back = compare(here / "new", here / "old", (), (), threshold)
    mirror = {"faster": "slower", "better": "worse", "tie": "tie", None: None}
    mirror |= {word: other for other, word in mirror.items()}
    assert verdicts(back) == {measure: mirror[word] for measure, word in verdicts(forth).items()}
    for one, other in zip(forth.changes, back.changes, strict=True):
        assert one.ratio == pytest.approx(1 / other.ratio)
        assert one.low <= one.ratio <= one.high or (np.isnan(one.low) and np.isnan(one.high))


@pytest.mark.parametrize(
    ("factor", "threshold", "word", "regressed"),
    [
        (1.25, 0.05, "slower", True),  # a throughput of 0.8
        (1.25, 0.15, "slower", True),
        (1.25, 0.22, "slower", False),
        (1.03, 0.05, "slower", False),
        (1.03, 0.0, "slower", True),
        (0.5, 0.05, "faster", False),
    ],
)
def test_throughput(pair, factor, threshold, word, regressed):
    found = pair(row(), row(seconds=scaled(factor)), threshold)
    assert verdicts(found) == {"throughput": word, "perplexity": "tie"}
    change = found.changes[0]
    assert (change.old, change.new) == (TOKENS, pytest.approx(TOKENS / factor))
    assert (change.ratio, change.samples) == (pytest.approx(1 / factor), 10)
    assert 0.98 / factor < change.low < change.ratio < change.high < 1.02 / factor
    expected = [f"torch scratch: throughput is {1 / factor:.3f} times what it was"]
    assert found.regressions == (expected if regressed else [])


def test_it_is_the_whole_interval_that_must_lie_beyond(pair):
    """Half of the training at 0.7 of the speed: the ratio is far down, the interval is not."""
    found = pair(row(seconds=[1.0] * 13), row(seconds=[1.0] * 6 + [1 / 0.7] * 7), threshold=0.15)
    change = found.changes[0]
    assert change.ratio < 0.8
    assert change.high > 0.85
    assert (change.verdict, change.regressed) == ("slower", False)


def test_epochs_of_two_runs_are_not_paired(pair):
    """They share nothing: in another order, they tell the same."""
    old, new = [1.0, 1.1, 0.9, 1.05, 0.95] * 2, [1.02, 1.2, 0.97, 1.0, 1.08] * 2
    one, other = (pair(row(seconds=old), row(seconds=each)) for each in (new, new[::-1]))
    assert one.changes[0].ratio == pytest.approx(other.changes[0].ratio)
    assert one.changes[0].low == pytest.approx(other.changes[0].low)


def test_of_few_epochs_nothing_is_said(pair, capsys):
    found = pair(row(seconds=[1.0] * 5), row(seconds=[1.4] * 5))
    change = found.changes[0]
    assert (change.verdict, change.regressed) == (None, False)
    assert np.isnan(change.low)
    show(Console(width=80, color_system=None), found)
    assert "no verdict: 5 samples are too few, 6 are needed" in capsys.readouterr().out
    assert pair(row(seconds=[1.0] * 6), row(seconds=[1.4] * 6)).changes[0].regressed


def test_equal_runs_on_a_busy_machine_seldom_regress():
    """Five seeds of 60 epochs a side; runs differ as a whole, and in spells of about 25 epochs."""
    rng = np.random.default_rng(5)

    def speeds():
        turns = rng.random((5, 60)) < 0.04
        slow = (turns.cumsum(axis=1) + rng.integers(2, size=(5, 1))) % 2
        noise, level = rng.lognormal(0, 0.02, (5, 60)), rng.lognormal(0, 0.1, (5, 1))
        named = {"measure": "throughput", "backend": "torch", "variant": "scratch"}
        return pd.DataFrame({"value": (noise * level / (1 + 0.25 * slow)).ravel()}).assign(**named)

    allowed = Allowed(0.05, 1.0, Interval(1.0))
    regressed = sum(_of_throughput(speeds(), speeds(), allowed, "").regressed for _ in range(100))
    assert regressed <= 4


@pytest.mark.parametrize(
    ("old", "new", "threshold", "word"),
    [
        ([2.0], [2.08], 0.05, "tie"),
        ([2.0], [2.12], 0.05, "worse"),
        ([2.0], [2.98], 0.5, "tie"),
        ([2.0], [3.02], 0.5, "worse"),
        ([2.0], [1.8], 0.05, "better"),
        ([2.0, 3.0, 4.0], [2.3, 3.4, 4.5], 0.05, "worse"),
        ([2.0, 3.0, 4.0], [2.3, 3.4, 4.0], 0.05, "tie"),  # not worse for every seed
        ([2.0, 3.0, 4.0], [2.01, 3.01, 4.01], 0.05, "tie"),  # by no more than chance makes it
    ],
)
@pytest.mark.parametrize("validation", [False, True])
def test_perplexity(pair, old, new, threshold, word, validation):
    def rows(perplexities):
        return [
            row(seed=seed, perplexity=2.0, val_perplexity=each)
            if validation
            else row(seed=seed, perplexity=each)
            for seed, each in enumerate(perplexities)
        ]

    found = pair(rows(old), rows(new), threshold)
    measure = "validation perplexity" if validation else "perplexity"
    (change,) = [each for each in found.changes if each.measure == measure]
    assert (change.verdict, change.regressed) == (word, word == "worse")
    assert (change.old, change.samples) == (np.median(old), len(old))
    assert change.ratio == pytest.approx(np.median(np.divide(new, old)))


def test_an_infinite_validation_perplexity(pair):
    finite, infinite = row(val_perplexity=2.0), row(val_perplexity=np.inf)
    assert verdicts(pair(finite, infinite))["validation perplexity"] == "worse"
    assert (
        verdicts(pair(row(val_perplexity=np.inf), row(val_perplexity=np.inf)))[
            "validation perplexity"
        ]
        == "tie"
    )


# rows


def test_rows_that_come_and_go(pair):
    found = pair(
        [row("jax"), row("torch"), row("tensorflow", status="crashed", seconds=[]), row("mxnet")],
        [
            row("jax"),
            row("torch", status="crashed", reason="it broke"),
            row("tensorflow"),
            row(seed=1),
        ],
    )
    assert {change.backend for change in found.changes} == {"jax"}
    assert found.lost == {"torch scratch seed 0": "crashed: it broke"}
    assert found.regressions == ["torch scratch seed 0: was ok, is crashed: it broke"]
    assert found.gained == ["tensorflow scratch seed 0"]
    assert found.only_old == ["mxnet scratch seed 0"]
    assert found.only_new == ["torch scratch seed 1"]


def test_a_seed_is_compared_with_the_same_seed(tmp_path):
    old = write_run(tmp_path / "old", row(seed=0), row(seed=1, perplexity=9.0))
    new = write_run(tmp_path / "new", row(seed=1, perplexity=9.0))
    assert set(verdicts(compare(old, new, (), (), 0.05)).values()) == {"tie"}
    other = write_run(tmp_path / "other", row(seed=2))
    with pytest.raises(RequestError, match=r"no row in common: .*old has torch scratch seed 0, "):
        compare(old, other, (), (), 0.05)


def test_filters(tmp_path):
    pairs = [(b, v) for b in ("jax", "torch") for v in ("scratch", "fused")]
    old = write_run(tmp_path / "old", *(row(*each) for each in pairs))

    def compared(names, variants):
        found = compare(old, old, names, variants, 0.05)
        return {(c.backend, c.variant) for c in found.changes}

    assert compared((), ()) == {*pairs}
    assert compared(("jax",), ("fused",)) == {("jax", "fused")}
    with pytest.raises(RequestError, match="unknown backend 'torhc': did you mean 'torch'"):
        compared(("torhc",), ())
    with pytest.raises(RequestError, match="unknown variant 'concise'"):
        compared((), ("concise",))


# what may differ, and what may not


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"experiment": EXPERIMENT | {"lr": 0.5}}, "lr is 1.0 in .*old, 0.5 in "),
        ({"experiment": EXPERIMENT | {"num_epochs": 9}}, "num_epochs is 12 in .*old, 9 in "),
        ({"experiment": EXPERIMENT | {"dtype": "float64"}}, "dtype is float32"),
        ({"experiment": EXPERIMENT | {"prefixes": ["\x1b"]}}, "prefixes is "),
        ({"corpus": FACTS["corpus"] | {"sha256": "1" * 64}}, "corpus is SHA-256 000000000000, "),
        (
            {"corpus": FACTS["corpus"] | {"vocab_size": 9}},
            "corpus is .* 28 .*, 9 distinct in ",
        ),
        (
            {
                "experiment": EXPERIMENT | {"max_tokens": 9},
                "corpus": FACTS["corpus"] | {"tokens": 9},
            },
            "max_tokens is 0 in ",
        ),
        ({"resumed": "\x1b.safetensors"}, "resumed is None in .*, ·.safetensors in "),
    ],
)
def test_another_experiment_is_refused(tmp_path, facts, message):
    old = write_run(tmp_path / "old", row())
    new = write_run(tmp_path / "new", row(), **facts)
    with pytest.raises(RequestError, match=f"not of one experiment: {message}") as refused:
        compare(old, new, (), (), 0.05)
    assert str(refused.value).isprintable()


def test_what_else_differs_is_pointed_out(tmp_path):
    old = write_run(tmp_path / "old", row())
    experiment = EXPERIMENT | {"corpus": "a.txt", "device": "gpu", "threads": 1, "seed": 3}
    new = write_run(
        tmp_path / "new",
        row(device="cuda"),
        experiment=experiment,
        machine=FACTS["machine"] | {"cpu": "other"},
        versions=FACTS["versions"] | {"numpy": "1.23.5"},
        source=FACTS["source"] | {"sha256": "b" * 64},
    )
    text = (new / "summary.csv").read_text()
    with replacing(new / "run.json", "summary.csv"):
        (new / "summary.csv").write_text(text.replace("torch=1.0", "torch=2.0"))
    found = compare(old, new, (), (), 0.05)
    assert found.differences == {
        "source": ("a" * 12, "b" * 12),
        "cpu": ("one", "other"),
        "numpy": ("2.4.6", "1.23.5"),
        "threads": (None, 1),
        "device of torch": ("cpu", "cuda"),
        "versions of torch": ("torch=1.0", "torch=2.0"),
    }
    assert found.regressions == []


# benchmarks


def test_benchmarks(tmp_path):
    old = write_bench(tmp_path / "old", scratch=STEADY, fused=STEADY, concise=STEADY)
    seconds = {"scratch": scaled(2), "fused": scaled(0.5), "concise": STEADY}
    new = write_bench(tmp_path / "new", broken=["concise"], **seconds)
    found = compare(old, new, (), (), 0.05)
    assert [(c.measure, c.variant, c.verdict, round(c.ratio, 9)) for c in found.changes] == [
        ("2x3x4x5", "scratch", "slower", 0.5),
        ("2x3x4x5", "fused", "faster", 2.0),
        ("4x4x4x4", "scratch", "slower", 0.5),
        ("4x4x4x4", "fused", "faster", 2.0),
    ]
    assert found.changes[0].old == 6
    assert found.lost == {f"torch concise {shape}": "it broke" for shape in ("2x3x4x5", "4x4x4x4")}
    assert "torch scratch: 2x3x4x5 is 0.500 times what it was" in found.regressions


def test_what_a_benchmark_could_not_tell_is_no_regression(tmp_path):
    """Its own contender, run twice, differed by 8 %: so may anything else."""
    blurred = {"same": {"contender": "torch fused", "smallest": 1.08}}
    for smallest, regressed in ((blurred, False), ({}, True)):
        here = tmp_path / str(regressed)
        here.mkdir()
        old = write_bench(here / "old", scratch=STEADY, told=smallest)
        new = write_bench(here / "new", scratch=scaled(1.07))
        (change, _) = compare(old, new, (), (), 0.05).changes
        assert (change.verdict, change.regressed) == (
            ("slower", True) if regressed else ("tie", False)
        )


def test_a_benchmark_on_a_busy_machine_has_no_verdicts(tmp_path, capsys):
    busy = {"quiet": {"busy": True, "rounds": 12, "disturbed": 9}}
    old = write_bench(tmp_path / "old", scratch=STEADY)
    new = write_bench(tmp_path / "new", scratch=scaled(1.5), told=busy)
    found = compare(old, new, (), (), 0.05)
    assert {change.verdict for change in found.changes} == {None}
    assert found.exit_status == 0
    show(Console(width=80, color_system=None), found)
    said = capsys.readouterr().out
    assert "no verdict: the machine was busy in new: 9 of 12 rounds" in said
    assert "nothing can be said: no row has a verdict" in said


def test_what_the_products_lost_is_put_down_to_the_machine(tmp_path, capsys):
    def bench(name, slower, scratch, fused):
        products = [{"H W_hh": {"a": slower * each, "b": 9.0}} for each in STEADY]
        return write_bench(tmp_path / name, products=products, scratch=scratch, fused=fused)

    old = bench("old", 1.0, STEADY, STEADY)
    found = compare(old, bench("new", 1.3, scaled(1.3), scaled(1.6)), (), (), 0.05)
    assert [(c.variant, c.verdict, c.regressed) for c in found.changes[:2]] == [
        ("scratch", "tie", False),
        ("fused", "slower", True),
    ]
    assert found.machine["2x3x4x5"].median == pytest.approx(1 / 1.3)
    show(Console(width=80, color_system=None), found)
    assert "2x3x4x5: the same products run at 0.77 [0.7" in " ".join(
        capsys.readouterr().out.split()
    )


def test_benchmarks_are_not_compared_with_runs_or_in_another_precision(tmp_path):
    run = write_run(tmp_path / "run", row())
    bench = write_bench(tmp_path / "bench", scratch=STEADY)
    double = write_bench(tmp_path / "double", dtype="float64", scratch=STEADY)
    with pytest.raises(RequestError, match=r"kind is run in .*, benchmark in "):
        compare(run, bench, (), (), 0.05)
    with pytest.raises(RequestError, match=r"dtype is float32 in .*, float64 in "):
        compare(bench, double, (), (), 0.05)


# the screen and the command


def test_the_screen_fits_80_columns_and_shows_no_control_character(tmp_path, capsys):
    names = ["mxnet-style", "tensorflow", "\x1b[2J[/b]", "torch"]
    old = write_run(tmp_path / "old", *(row(name, seconds=scaled(1e-4)) for name in names))
    rows = [row(name, "scratch", seconds=scaled(2e-4), perplexity=1e4) for name in names[:3]]
    rows.append(row("torch", status="failed", reason="\x1b[2J[bold]no[/bold]"))
    new = write_run(tmp_path / "new", *rows, machine={"cpu": "\x1b[2J[red]cpu"})
    show(Console(width=80, color_system=None), compare(old, new, (), (), 0.05))
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert max(len(line.rstrip()) for line in said.splitlines()) <= 80
    for expected in (
        "mxnet-style  scratch  10,000,000  5,000,000      0.500",
        "·[2J[/b]     scratch  10,000,000  5,000,000      0.500",
        "differs: cpu: one, now ·[2J[red]cpu",
        "regression: torch scratch seed 0: was ok, is failed: ·[2J[bold]no[/bold]",
        "regression: mxnet-style scratch: throughput is 0.500 times what it was",
        "regression: tensorflow scratch: perplexity is 5e+03 times what it was",
    ):
        assert expected in " ".join(said.split("\n")) or expected in said, said


def test_the_command(tmp_path, capsys):
    old = write_run(tmp_path / "old", row())
    new = write_run(tmp_path / "new", row(seconds=scaled(1.25)))
    command = ["compare", str(old), str(new)]
    assert app(command, result_action="return_value") == 1
    assert "regression: torch scratch: throughput is 0.800" in capsys.readouterr().out
    assert app([*command, "--threshold", "0.3"], result_action="return_value") == 0
    assert "no regression beyond 0.3" in capsys.readouterr().out
    assert app([*command, "--json"], result_action="return_value") == 1
    said = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (said["old"], said["new"], said["threshold"]) == (str(old), str(new), 0.05)
    assert said["changes"][0]["verdict"] == "slower"
    assert said["regressions"] == ["torch scratch: throughput is 0.800 times what it was"]


@pytest.mark.filterwarnings("ignore:Cyclopts application invoked without tokens")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("old absent", "absent: no such folder"),
        ("old .", ".: not a run folder: it holds no file run.json"),
        ("old old/run.json", "old/run.json: no such folder"),
        ("running old", "running: has not ended"),
        ("old old --threshold 1", "--threshold 1: a fraction"),
        ("old old --threshold nan", "--threshold nan: a fraction"),
        ("old old --backend jax", "unknown backend 'jax'"),
        ("old", "NEW"),
    ],
)
def test_a_wrong_request_is_one_line(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_run(Path("old"), row())
    RunFolder(Path("running"), read_run(Path("old")).facts, [])
    monkeypatch.setattr("sys.argv", ["harness", "compare", *options.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert message in said.err


# every pair of statuses

BROKEN = [s for s in get_args(Status) if s not in ("ok", "waiting", "running")]


def ended(status, backend="torch"):
    """A row that ended so, before its first epoch unless it is ok."""
    if status == "ok":
        return row(backend)
    return row(backend, seconds=[], perplexity=None, status=status, reason="it\nbroke")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of every status, alone and beside a sound row."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        (status, others): write_run(folder / status / str(others), ended(status), *beside)
        for status in ("ok", *BROKEN)
        for others, beside in ((False, []), (True, [row("jax")]))
    }


@pytest.fixture
def read_once(monkeypatch):
    """Each folder is read once."""
    monkeypatch.setattr("harness.compare.compare.side", once)


once = cache(side)


@pytest.mark.parametrize("new", ["ok", *BROKEN])
@pytest.mark.parametrize("old", ["ok", *BROKEN])
def test_every_pair_of_statuses_alone_and_beside_a_sound_row(runs, read_once, old, new, capsys):
    for others in (False, True):
        found = compare(runs[old, others], runs[new, others], (), (), 0.05)
        show(Console(width=200), found)
        said = capsys.readouterr().out
        broken = f"{new}: it·broke"
        if old == "ok" and new == "ok":
            assert found.exit_status == 0
            assert "torch    scratch" in said
        elif old == "ok":
            assert found.exit_status == 1
            assert f"regression: torch scratch seed 0: was ok, is {broken}" in said
        elif new == "ok":
            assert found.exit_status == 0
            assert "ok now: torch scratch seed 0" in said
        else:
            assert found.exit_status == (0 if others else 1)
            assert f"not ok in both: torch scratch seed 0: was {old}: it·broke, is {broken}" in said
            assert ("nothing was compared" in said) == (not others)
        assert json.dumps(found.as_json())
