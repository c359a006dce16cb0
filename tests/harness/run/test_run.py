"""Runs: what stands in the folder when all is well, and when it is not."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

import backends
from common.checkpoint import load_checkpoint
from common.errors import RequestError
from common.experiment import Experiment
from harness.checks import select
from harness.recipes import Recipe, experiment_of, recipes
from harness.run import train
from harness.run.progress import Silent
from harness.run.row import SUMMARY_COLUMNS
from harness.run.tables import show_published
from harness.run.train import RunRequest, run
from harness.workers.protocol import EpochDone
from tests.serving.asking import heard_by_default

ROOT = Path(__file__).parents[3]

SMALL = Experiment(
    max_tokens=2000,
    batch_size=8,
    num_steps=10,
    num_hiddens=16,
    num_epochs=4,
    pred_period=2,
    prefixes=("the clock",),
    num_preds=5,
)


def small(tmp_path, names=("mxnet-style",), **settings):
    experiment = SMALL.model_copy(update=settings)
    return RunRequest("quickstart", experiment, names, out=tmp_path / "run")


def read(folder):
    tables = {n: pd.read_csv(folder / f"{n}.csv") for n in ("epochs", "samples", "summary")}
    return json.loads((folder / "run.json").read_text(encoding="utf-8")), tables


def test_a_run_and_its_folder(tmp_path):
    result = run(small(tmp_path), Silent())
    assert (result.status, result.exit_status) == ("finished", 0)
    facts, tables = read(tmp_path / "run")
    assert facts["status"] == "finished"
    assert Experiment(**facts["experiment"]) == SMALL
    assert facts["corpus"]["vocab_size"] == 28
    assert len(facts["corpus"]["sha256"]) == len(facts["source"]["sha256"]) == 64
    assert facts["machine"]["cores_used"] >= 1
    assert facts["versions"]["python"] == sys.version.split()[0]
    assert facts["backends"]["mxnet-style"]["tf32"] is False
    epochs, samples, summary = tables["epochs"], tables["samples"], tables["summary"]
    assert list(epochs.columns) == (
        "backend variant seed epoch perplexity val_perplexity tokens seconds".split()
    )
    assert list(epochs.epoch) == [1, 2, 3, 4]
    assert (epochs.tokens % 80 == 0).all()
    assert epochs.perplexity.iloc[-1] < epochs.perplexity.iloc[0]
    assert list(samples.columns) == "backend variant seed epoch prefix text".split()
    assert list(samples.epoch) == [2, 4]
    assert samples.text.str.startswith("the clock").all()
    assert tuple(summary.columns) == tuple(SUMMARY_COLUMNS)
    (row,) = summary.to_dict("records")
    assert (row["status"], row["device"], row["dtype"]) == ("ok", "cpu", "float32")
    assert row["perplexity"] == epochs.perplexity.iloc[-1]
    assert row["tokens_per_sec"] == pytest.approx(epochs.tokens.sum() / epochs.seconds.sum())
    assert row["peak_memory_mb"] > 10
    assert "numpy=" in row["versions"]
    saved = load_checkpoint(tmp_path / "run" / "checkpoints" / "mxnet-style-scratch-0.safetensors")
    assert saved.epoch == 4
    assert saved.experiment == SMALL
    assert not list((tmp_path / "run").glob(".*"))


def test_validation_is_recorded_where_there_is_some(tmp_path):
    run(small(tmp_path, sampling="sliding", batch_size=256), Silent())
    _, tables = read(tmp_path / "run")
    assert tables["epochs"].val_perplexity.notna().all()
    assert tables["summary"].val_perplexity[0] == tables["epochs"].val_perplexity.iloc[-1]


def test_a_missing_framework_costs_its_row_alone(tmp_path, monkeypatch):
    absent = backends.Entry("backends.absent.backend", ("no_such_framework",), ())
    both = {"absent": absent, "mxnet-style": backends.BACKENDS["mxnet-style"]}
    monkeypatch.setattr(backends, "BACKENDS", both)
    result = run(small(tmp_path, names=()), Silent())
    assert [row.status for row in result.rows] == ["unavailable", "ok"]
    assert result.rows[0].reason == (
        "no_such_framework not installed: pip install -c constraints.txt -e '.[absent]'"
    )
    assert result.exit_status == 0  # the run goes on, and nobody asked for that one
    _, tables = read(tmp_path / "run")
    by_status = tables["summary"].set_index("status")
    assert pd.isna(by_status.loc["unavailable"].tokens_per_sec)
    asked = RunRequest("quickstart", SMALL, ("absent", "mxnet-style"), out=tmp_path / "asked")
    assert run(asked, Silent()).exit_status == 1


def test_divergence_keeps_the_curve_and_gets_no_throughput(tmp_path):
    settings = {"activation": "relu", "lr": 1e5, "clip_theta": 0.0, "num_epochs": 30}
    result = run(small(tmp_path, **settings), Silent())
    assert result.exit_status == 1
    _, tables = read(tmp_path / "run")
    (row,) = tables["summary"].to_dict("records")
    assert row["status"] == "diverged"
    assert "no longer a finite number" in row["reason"]
    assert pd.isna(row["tokens_per_sec"])
    assert 1 <= len(tables["epochs"]) < 30


class Killer(Silent):
    """Sends the row's worker a signal after its first epoch, and bounds its silence from then."""

    def __init__(self, monkeypatch, number, silence=600.0):
        self.number, self.silence, self.workers = number, silence, []
        started = train.Worker.__init__

        def remember(worker, *arguments, **named):
            started(worker, *arguments, **named)
            self.workers.append(worker)

        monkeypatch.setattr(train.Worker, "__init__", remember)

    def event(self, row, event):
        if isinstance(event, EpochDone) and event.epoch == 1:
            self.workers[-1].silence = self.silence
            self.workers[-1].process.send_signal(self.number)


def test_a_crash_costs_its_row_alone(tmp_path, monkeypatch):
    killer = Killer(monkeypatch, signal.SIGKILL)
    result = run(small(tmp_path, num_epochs=100_000), killer)
    assert (result.status, result.exit_status) == ("finished", 1)
    (row,) = result.rows
    assert row.status == "crashed"
    assert "SIGKILL" in row.reason
    assert row.tokens_per_sec is None
    _, tables = read(tmp_path / "run")
    assert len(tables["epochs"]) >= 1


def test_a_hang_costs_its_row_alone(tmp_path, monkeypatch):
    killer = Killer(monkeypatch, signal.SIGSTOP, silence=0.5)
    result = run(small(tmp_path, num_epochs=100_000), killer)
    (row,) = result.rows
    assert (row.status, row.reason) == ("timeout", "silent for 0.5 s")
    assert killer.workers[0].process.poll() is not None


def test_control_c_leaves_a_folder_that_says_so(tmp_path):
    options = "--backend mxnet-style --num-epochs 100000 --max-tokens 2000 --num-hiddens 8"
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *options.split(), "--out", str(tmp_path / "run")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heard_by_default,
    )
    try:
        deadline = time.monotonic() + 60
        while not epochs_in(tmp_path / "run") and time.monotonic() < deadline:
            time.sleep(0.1)
        facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
        assert facts["status"] == "running"
        assert not (tmp_path / "run" / "summary.csv").exists()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    facts, tables = read(tmp_path / "run")
    assert facts["status"] == "interrupted"
    assert list(tables["summary"].status) == ["interrupted"]
    assert tables["summary"].tokens_per_sec.isna().all()
    assert len(tables["epochs"]) >= 1


def epochs_in(folder):
    path = folder / "epochs.csv"
    return len(path.read_text(encoding="utf-8").splitlines()) - 1 if path.exists() else 0


FEW = "--num-hiddens 8 --max-tokens 2000 --batch-size 8 --num-steps 10"


def harness(options, tmp_path):
    return subprocess.run(
        [sys.executable, "-m", "harness", *options.split(), "--out", str(tmp_path / "run")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_screen_of_a_run(tmp_path):
    options = f"--backend mxnet-style --num-epochs 2 --pred-period 1 {FEW}"
    done = harness(options, tmp_path)
    assert done.returncode == 0
    assert "mxnet-style scratch: epoch 2: perplexity" in done.stdout
    assert "mxnet-style epoch 1: the clock" in done.stdout
    assert "One network, the same weights, the same batches" in done.stdout
    assert f"run folder: {tmp_path / 'run'}" in done.stdout
    assert done.stderr == ""


def test_curves_are_held_against_the_published_bands(tmp_path, monkeypatch, capsys):
    """The recipe's own settings get a verdict; any other settings get none."""
    settings = SMALL.model_dump()
    bands = [
        {"epoch": 2, "low": 1.0, "high": 30.0, "source": "a test"},
        {"epoch": 4, "low": 1.0, "high": 1.1, "source": "a test"},
    ]
    recipe = Recipe(title="small", seed_document="none", settings=settings, published=bands)
    result = run(small(tmp_path), Silent())
    console = Console(width=120)
    show_published(console, result, recipe, SMALL)
    said = capsys.readouterr().out
    assert said.count("within") == said.count("outside") == 1
    assert "1 to 1.1" in said
    show_published(console, result, recipe, SMALL.model_copy(update={"seed": 5, "threads": 1}))
    assert "within" in capsys.readouterr().out
    show_published(console, result, recipe, SMALL.model_copy(update={"lr": 0.5}))
    assert capsys.readouterr().out == ""


def test_json_is_strict_and_alone(tmp_path):
    options = f"--backend mxnet-style --num-epochs 9 {FEW} --json --lr 1e9 --clip-theta 0"
    done = harness(options, tmp_path)
    assert done.returncode == 1
    found = json.loads(done.stdout, parse_constant=pytest.fail)
    assert found["rows"][0]["status"] == "diverged"
    assert found["rows"][0]["perplexity"] is None


def test_text_from_outside_is_quoted_in_the_csv(tmp_path):
    path = tmp_path / "nasty.txt"
    path.write_text('a,"b"\n<script>\r\x1b[31m=1+1' * 80, encoding="utf-8")
    request = small(tmp_path, corpus=str(path), prefixes=('a,"b"\n',), num_preds=40)
    run(request, Silent())
    with open(tmp_path / "run" / "samples.csv", encoding="utf-8", newline="") as file:
        samples = list(csv.DictReader(file))
    assert [len(s["text"]) for s in samples] == [46, 46]
    assert all(s["text"].startswith('a,"b"\n') for s in samples)


def test_select():
    variants = ("scratch", "fused", "concise", "object")
    both = [(name, variant) for name in ("torch", "jax") for variant in variants]
    assert select(["jax", "torch"], []) == both
    assert select(["jax"], ["book"], bench=True) == [("jax", "book")]
    assert len(select([], ["scratch"])) == len(backends.by_default())
    with pytest.raises(RequestError, match="did you mean 'scratch'"):
        select([], ["scrach"])
    with pytest.raises(RequestError, match="unknown variant 'book'"):
        select([], ["book"])
    with pytest.raises(RequestError, match="unknown backend 'null'"):
        select(["null"], [])


def test_every_recipe_is_an_experiment():
    assert (
        list(recipes())
        == (
            "quickstart time-machine time-machine-random lyrics lyrics-random he-normal chapter-9"
        ).split()
    )
    for name in recipes():
        experiment_of(name, {})
    assert experiment_of("chapter-9", {}).edition == "object"
    assert experiment_of("chapter-9", {"corpus": "lyrics"}).edition is None
    with pytest.raises(RequestError, match="did you mean 'lyrics'"):
        experiment_of("lyric", {})


@pytest.mark.parametrize(
    ("given", "threads"),
    [
        ({}, 1),
        ({"corpus": "embedded", "seed": 3, "num_epochs": 9}, 1),
        ({"threads": 4, "num_hiddens": 9}, 4),
        ({"num_hiddens": 256}, None),
        ({"batch_size": 64}, None),
        ({"corpus": "time-machine"}, None),
        ({"corpus": "my-novel.txt"}, None),
    ],
)
def test_one_thread_is_for_the_quick_start_as_it_is(given, threads):
    assert experiment_of("quickstart", given).threads == threads


def test_default_run_folders_are_named_and_ignored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(RunRequest("quickstart", SMALL, ("mxnet-style",)), Silent())
    assert result.folder.parent == Path("runs")
    assert result.folder.name.split("-")[1] == "quickstart"
    assert "runs/" in (ROOT / ".gitignore").read_text().splitlines()
    assert os.path.exists(result.folder / "run.json")


def test_what_a_variant_cannot_be_is_unavailable_and_fails_only_if_asked_for(tmp_path):
    small = {"max_tokens": 2000, "num_hiddens": 8, "num_epochs": 1, "prefixes": ("a",)}
    deep = Experiment(num_layers=2, keep_graph=True, **small)
    for variants, status in ((("scratch", "fused"), 1), (("scratch",), 0)):
        request = RunRequest("it", deep, ("mxnet-style",), variants, out=tmp_path / f"{status}")
        result = run(request, Silent())
        assert result.exit_status == status
        by_variant = {row.variant: row for row in result.rows}
        assert by_variant["scratch"].status == "ok"
        if "fused" in variants:
            row = by_variant["fused"]
            assert row.status == "unavailable"
            assert row.reason.endswith("--num-layers 2 --keep-graph needs --variant scratch")
