"""Going on: a run that was cut off anywhere ends at the same bits as one that never stopped."""

import csv
import json
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from common.errors import RequestError
from common.experiment import Experiment
from harness.cli import app
from harness.records.reading import read_run
from harness.run import worker
from harness.run.checkpoints import OnTheWay
from harness.run.progress import Live, Silent
from harness.run.row import Row
from harness.run.train import RunRequest, run
from harness.workers import signs
from harness.workers.protocol import EpochDone, Progress, Sample, Saved
from harness.workers.requests import Train
from harness.workers.session import Session

ROOT = Path(__file__).parents[3]

SMALL = Experiment(
    max_tokens=500,
    batch_size=4,
    num_steps=20,
    num_hiddens=8,
    sigma=0.3,
    num_epochs=3,
    pred_period=1,
    prefixes=("the tide", "it\n"),
    num_preds=5,
)
VARIANTS = ("scratch", "fused")


def request(out, **settings):
    experiment = SMALL.model_copy(update=settings)
    return RunRequest("it", experiment, ("mxnet-style",), VARIANTS, out=out, checkpoint_seconds=0)


def told(folder):
    """All that a run computes, and no time."""
    with open(folder / "epochs.csv", encoding="utf-8", newline="") as file:
        epochs = [[*line.values()][:-1] for line in csv.DictReader(file)]
    with open(folder / "summary.csv", encoding="utf-8", newline="") as file:
        summary = sorted(
            [line["variant"], line["status"], line["reason"], line["perplexity"], line["parity"]]
            for line in csv.DictReader(file)
        )
    checkpoints = {path.name: path.read_bytes() for path in (folder / "checkpoints").iterdir()}
    return epochs, summary, (folder / "samples.csv").read_bytes(), checkpoints


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(request(folder), Silent()).exit_status == 0
    assert {*told(folder)[3]} == {f"mxnet-style-{name}-0.safetensors" for name in VARIANTS}
    return told(folder)


class Cut(Silent):
    """Ends a run, as Ctrl-C does, at the event of this number."""

    def __init__(self, number):
        self.left = number

    def event(self, row, event):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def make_killed(folder):
    """What a kill leaves where Ctrl-C ends in order: no ending, half a line, files aside."""
    path = folder / "run.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts |= {"status": "running", "ended": None, "files": {}}
    path.write_text(json.dumps(facts), encoding="utf-8")
    for name, torn in (("epochs.csv", b"mxnet-style,scr"), ("samples.csv", b'x,y,0,9,"it\n \xc3')):
        with open(folder / name, "ab") as file:
            file.write(torn)
    aside = folder / "checkpoints" / ".mxnet-style-scratch-0.at-9-9.safetensors"
    aside.write_bytes(b"half of it")


@pytest.mark.parametrize("number", [1, 9, 16, 27, 47])
def test_cut_off_at_any_event_it_ends_at_the_same_bits(tmp_path, whole, number, capsys):
    out = tmp_path / "run"
    assert run(request(out), Cut(number)).exit_status == 130
    assert read_run(out).facts["status"] == "interrupted"
    make_killed(out)
    assert run(request(out), Silent()).exit_status == 0
    assert told(out) == whole
    assert f"note: {out}: goes on: mxnet-style scratch" in capsys.readouterr().err
    sittings = read_run(out).facts["sittings"]
    assert [each["ended"] is None for each in sittings] == [False, False]
    assert {each["source"] for each in sittings} == {read_run(out).facts["source"]["sha256"]}


def test_cut_off_many_times_it_ends_at_the_same_bits(tmp_path, whole):
    sittings = 0
    while run(request(tmp_path), Cut(13 + sittings)).status == "interrupted":
        sittings += 1
        assert sittings < 30
    assert sittings > 3
    assert told(tmp_path) == whole


def harness(out):
    options = "--backend mxnet-style --variant scratch,fused --checkpoint-seconds 0 --quiet"
    for name, value in SMALL.model_dump(exclude_defaults=True, exclude={"prefixes"}).items():
        options += f" --{name.replace('_', '-')} {value}"
    prefixes = [word for prefix in SMALL.prefixes for word in ("--prefix", prefix)]
    command = [sys.executable, "-m", "harness", *options.split(), *prefixes, "--out", str(out)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_killed_with_its_worker_it_ends_at_the_same_bits(tmp_path, whole):
    """At moments of the disk: the first checkpoint, the first epoch, the first row."""
    out = tmp_path / "run"
    first = OnTheWay(out / "checkpoints" / "mxnet-style-scratch-0.safetensors")
    moments = (
        lambda: first.newest_first(),
        lambda: b"\r\nmxnet-style,scratch,0,2" in (out / "epochs.csv").read_bytes(),
        lambda: (out / "summary.csv").exists(),
    )
    for moment in moments:
        process = harness(out)
        deadline = time.monotonic() + 100
        while not (out / "samples.csv").exists() or not moment():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        for each in family:
            each.send_signal(signal.SIGKILL)
        process.communicate()
        assert json.loads((out / "run.json").read_text(encoding="utf-8"))["status"] == "running"
        with pytest.raises(RequestError, match="has not ended"):
            read_run(out)
    process = harness(out)
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0
    assert b"goes on: mxnet-style scratch is ok; mxnet-style fused" in said
    assert told(out) == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0.5}, "its --lr is 1.0, not 0.5"),
        ({"prefixes": ("the",)}, "its --prefixes is the tide, it\n, not the"),
        ({"max_tokens": 400}, "its --max-tokens is 500, not 400"),
    ],
)
def test_another_request_is_refused_by_its_first_difference(tmp_path, change, message):
    run(request(tmp_path), Cut(20))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(RequestError, match="exists already, with a run of another") as refused:
        run(request(tmp_path, **change), Silent())
    assert message.replace("\n", "·") in str(refused.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_another_corpus_and_other_rows_are_refused(tmp_path):
    text, out = tmp_path / "it.txt", tmp_path / "run"
    text.write_text("the tide goes out, it comes\n" * 90, encoding="utf-8")
    asked = request(out, corpus=str(text))
    run(asked, Cut(20))
    fewer = RunRequest("it", asked.experiment, ("mxnet-style",), ("fused",), out=out)
    with pytest.raises(RequestError, match=r"list of backends and variants is .*scratch.*, not mx"):
        run(fewer, Silent())
    text.write_text("the tide comes in, it goes\n" * 90, encoding="utf-8")
    with pytest.raises(RequestError, match="its corpus's SHA-256 is"):
        run(asked, Silent())


def test_a_finished_run_and_what_is_no_run_stay(tmp_path):
    once = request(tmp_path / "run", num_epochs=1)
    run(once, Silent())
    with pytest.raises(RequestError, match="exists already, and its run is finished"):
        run(once, Silent())
    (tmp_path / "it.txt").touch()
    with pytest.raises(RequestError, match="exists already and holds no run"):
        run(request(tmp_path), Silent())
    hidden = tmp_path / "hidden"
    (hidden / ".git").mkdir(parents=True)
    (hidden / ".git" / "HEAD").write_text("mine", encoding="utf-8")
    run(request(hidden, num_epochs=1), Silent())
    assert (hidden / ".git" / "HEAD").read_text(encoding="utf-8") == "mine"


def test_a_checkpoint_that_was_damaged_is_passed_over(tmp_path, whole, capsys):
    run(request(tmp_path), Cut(30))
    kept = OnTheWay(tmp_path / "checkpoints" / "mxnet-style-scratch-0.safetensors").newest_first()
    assert len(kept) == 2
    kept[0].write_bytes(kept[0].read_bytes()[:-5] + b"wrong")
    run(request(tmp_path), Silent())
    assert told(tmp_path) == whole
    said = capsys.readouterr().err
    assert f"{kept[0]}: a weight, or what is said of them, was changed" in said


def test_a_changed_source_is_said_and_stands_in_the_record(tmp_path, monkeypatch, capsys):
    run(request(tmp_path, num_epochs=2), Cut(20))
    facts = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    changed = {name: facts[name] for name in ("machine", "versions", "command")}
    changed["source"] = facts["source"] | {"sha256": "0" * 64}
    monkeypatch.setattr("harness.run.train.provenance", lambda: changed)
    run(request(tmp_path, num_epochs=2), Silent())
    assert "the source has changed since its run was begun" in capsys.readouterr().err
    found = read_run(tmp_path).facts
    assert found["source"] == facts["source"]
    assert [each["source"][:6] for each in found["sittings"]][1] == "000000"


def test_a_resumed_run_goes_on_too(tmp_path, whole):
    run(request(tmp_path / "half", num_epochs=1), Silent())
    trained = tmp_path / "half" / "checkpoints" / "mxnet-style-scratch-0.safetensors"
    asked = RunRequest(
        "it", SMALL, ("mxnet-style",), out=tmp_path / "on", resume=trained, checkpoint_seconds=0
    )
    assert run(asked, Cut(12)).status == "interrupted"
    assert run(asked, Silent()).exit_status == 0
    name = trained.name
    assert (tmp_path / "on" / "checkpoints" / name).read_bytes() == whole[3][name]


# what a folder says


def test_a_run_that_lost_a_file_does_not_say_that_it_is_finished(tmp_path, capsys):
    class Thief(Silent):
        def ended(self, row):
            (tmp_path / "run" / "samples.csv").unlink(missing_ok=True)

    experiment = SMALL.model_copy(update={"num_epochs": 1})
    result = run(RunRequest("it", experiment, ("mxnet-style",), out=tmp_path / "run"), Thief())
    assert (result.status, result.exit_status) == ("failed", 1)
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert facts["status"] == "failed"
    assert "samples.csv: no such file" in facts["reason"]


@pytest.mark.parametrize("name", ["epochs.csv", "summary.csv", "samples.csv", "baselines.csv"])
def test_a_table_that_was_edited_is_told(tmp_path, name):
    out = tmp_path / "run"
    run(RunRequest("it", SMALL, ("mxnet-style",), out=out), Silent())
    files = json.loads((out / "run.json").read_text(encoding="utf-8"))["files"]
    assert len(files) == 5
    content = (out / name).read_bytes()
    (out / name).write_bytes(content.replace(b"1", b"2", 1))
    for command in (["report", out], ["compare", out, out]):
        with pytest.raises(RequestError, match=f"{name}: edited since it was written"):
            app([*map(str, command)], exit_on_error=False, result_action="return_value")


def test_a_perplexity_far_above_guessing_is_that_of_a_training_that_diverged(tmp_path):
    wild = SMALL.model_copy(update={"lr": 100.0, "clip_theta": 0.0, "num_epochs": 1})
    (row,) = run(RunRequest("it", wild, ("mxnet-style",), out=tmp_path), Silent()).rows
    assert 1e9 < row.perplexity < float("inf")
    assert row.status == "diverged"
    assert "is over 1,000,000 times the 28 of guessing" in row.reason
    assert read_run(tmp_path).summary.tokens_per_sec.isna().all()


# signs of life


def training(folder, checkpoint_seconds):
    """Request to a worker, as a run makes it."""
    return Train(
        experiment=SMALL,
        device="cpu",
        variant="scratch",
        data_dir=None,
        checkpoint=str(folder / "it.safetensors"),
        resume=None,
        goes_on=None,
        checkpoint_seconds=checkpoint_seconds,
    )


def test_a_long_epoch_says_how_far_it_is(tmp_path, monkeypatch):
    for module in (signs, worker):
        monkeypatch.setattr(module, "SIGN_SECONDS", 0.0)
    asked = training(tmp_path, checkpoint_seconds=1e9)
    events = [*worker.train_model(Session("mxnet-style"), asked)]
    assert [event.event for event in events[:4]] == ["phase", "phase", "built", "judged"]
    steps = [event for event in events if isinstance(event, Progress)]
    assert [event.epoch for event in steps] == [1] * 6 + [2] * 6 + [3] * 6
    assert [event.tokens for event in steps[:6]] == [80 * n for n in range(1, 7)]
    assert {event.of for event in steps} == {80 * 6}
    assert all(a.seconds < b.seconds for a, b in pairwise(steps[:6]))
    assert not [event for event in events if isinstance(event, Saved)]


def test_checkpoints_come_after_all_that_lies_before_them(tmp_path):
    asked = training(tmp_path, checkpoint_seconds=0)
    epochs, samples, saved = 0, 0, []
    for event in worker.train_model(Session("mxnet-style"), asked):
        epochs += isinstance(event, EpochDone)
        samples += isinstance(event, Sample)
        if isinstance(event, Saved):
            saved.append((event.epochs, event.steps))
            assert (event.epochs, 2 * event.epochs) == (epochs, samples)
    assert saved == [
        (epoch, step) for epoch in range(3) for step in range(7) if (epoch, step) != (0, 0)
    ]


def test_a_kept_graph_is_saved_between_epochs_alone(tmp_path):
    graph = SMALL.model_copy(update={"keep_graph": True})
    asked = RunRequest("it", graph, ("mxnet-style",), out=tmp_path / "cut", checkpoint_seconds=0)
    run(asked, Cut(12))
    kept = OnTheWay(tmp_path / "cut" / "checkpoints" / "mxnet-style-scratch-0.safetensors")
    assert [path.name[-19:] for path in kept.newest_first()] == [
        ".at-2-0.safetensors",
        ".at-1-0.safetensors",
    ]
    assert run(asked, Silent()).exit_status == 0
    run(RunRequest("it", graph, ("mxnet-style",), out=tmp_path / "whole"), Silent())
    assert told(tmp_path / "cut") == told(tmp_path / "whole")


def test_a_long_epoch_is_shown(capsys, monkeypatch):
    monkeypatch.setattr("harness.run.progress.LINE_SECONDS", 0.0)
    row = Row("torch", "scratch", 0, "float32", 28, 0)
    with Live(Console(width=120), num_epochs=9, line_period=9) as display:
        display.started(row)
        display.event(row, Progress(epoch=3, tokens=6_000, of=24_000, seconds=60.0))
        assert display.progress.tasks[0].completed == 2.25
    said = capsys.readouterr().out
    assert "torch scratch: epoch 3: 25% of the epoch  100 tokens/s, 3 min of it left" in said


def test_the_middle_of_an_epoch_is_nothing_to_resume_from(tmp_path):
    run(request(tmp_path), Cut(20))
    place = OnTheWay(tmp_path / "checkpoints" / "mxnet-style-scratch-0.safetensors").newest_first()
    line = ["run", "--resume", str(place[0]), "--num-epochs", "9", "--out", str(tmp_path / "on")]
    with pytest.raises(RequestError, match="written in the middle of an epoch: go on with its own"):
        app(line, exit_on_error=False, result_action="return_value")
