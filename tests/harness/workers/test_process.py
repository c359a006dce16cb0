"""Workers that hang, babble, lie or cannot be started: each costs its own request, soon."""

import json
import resource
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import psutil
import pytest

from common.experiment import Experiment
from harness import interrupts
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from harness.workers import group, process
from harness.workers.errors import WorkerError
from harness.workers.process import Worker
from harness.workers.protocol import Failed
from harness.workers.requests import Describe, Predict

SMALL = Experiment(
    max_tokens=400, batch_size=2, num_steps=5, num_hiddens=4, num_epochs=2, prefixes=("the",)
)

SAID = {
    "description": {"versions": {"numpy": "2"}, "devices": ["cpu"], "threads": 1, "tf32": False}
}
DESCRIBED = {"event": "described", **SAID}
BUILT = {"event": "built", "device": "cpu", "compile_seconds": 0.1, **SAID}
JUDGED = {"event": "judged", "verdict": "equal", "reason": "", "parity": 0, "tolerance": 1e-9}
TRAINED = JUDGED | {"trained": True}
EPOCH = {"event": "epoch", "perplexity": 9.5, "val_perplexity": None, "tokens": 80, "seconds": 0.1}
EPOCHS = [EPOCH | {"epoch": 1}, EPOCH | {"epoch": 2}]
SAMPLE = {"event": "sample", "epoch": 2, "prefix": "the", "text": "the end"}
DONE = {"event": "done", "peak_memory_mb": 1}


@pytest.fixture
def fake(tmp_path):
    """A worker that does what a few lines of Python say, with `say` for an event."""

    def make(code, silence=30.0):
        path = tmp_path / "fake"
        start = "import json, os, subprocess, sys, time\n"
        start += (
            "def say(*events):\n    for event in events: print(json.dumps(event), flush=True)\n"
        )
        path.write_text(f"#!{sys.executable} -IS\n{start}{code}\n")
        path.chmod(0o755)
        return Worker("mxnet-style", path, SMALL, tmp_path / "log", silence=silence)

    return make


def last(worker, request=None):
    """The last event of an answer, twice the same, and the seconds that it took."""
    start = time.monotonic()
    with worker:
        *_, event = worker.ask(request or Describe())
        seconds = time.monotonic() - start
        if isinstance(event, Failed) and worker.given_up:
            assert [*worker.ask(Describe())] == [event]
    assert not psutil.pid_exists(worker.process.pid)
    return event, seconds


HANGS = {
    "reads nothing": "time.sleep(99)",
    "closes its output": "os.close(1); time.sleep(99)",
    "leaves a child with the pipe": "subprocess.Popen(['sleep', '99']); os._exit(3)",
    "talks without end": "while True: say({'event': 'turn', 'seconds': 1, 'cores_busy': 1})",
    "prints without end": "while True: print('x' * 9999, flush=True)",
    "writes a line without end": "while True: sys.stdout.write('x' * 99999)",
    "answers without end": f"while True: say({DESCRIBED})",
}

ENDS = {
    "reads nothing": ("timeout", "silent for 0.5 s"),
    "closes its output": ("crashed", "it closed its output and ran on"),
    "leaves a child with the pipe": ("crashed", "its process ended with exit status 3"),
    "talks without end": ("error", "it said 'turn' where none may come"),
    "prints without end": ("error", "it wrote a line that is no event: 'xxx"),
    "writes a line without end": ("error", "it wrote a line of over 16 MB"),
    "answers without end": ("error", "it said 'described' where 1 may come"),
}


@pytest.mark.parametrize("what", HANGS)
def test_a_worker_that_hangs_or_babbles_is_given_up(fake, what, monkeypatch):
    monkeypatch.setattr(process, "ENDING_SECONDS", 0.5)
    big = Predict(checkpoint="x", variant="y", prefixes=("z" * 10**6,), settings={})
    request = big if what == "reads nothing" else None
    event, seconds = last(fake(HANGS[what], silence=0.5 if request else 30.0), request)
    kind, reason = ENDS[what]
    assert (event.kind, event.reason[: len(reason)]) == (kind, reason)
    assert seconds < 15


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_children_end_with_their_worker(fake, tmp_path):
    pid = tmp_path / "pid"
    code = f"open({str(pid)!r}, 'w').write(str(subprocess.Popen(['sleep', '99']).pid)); os._exit(3)"
    last(fake(code))
    deadline = time.monotonic() + 2
    while (lives := is_alive(int(pid.read_text()))) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not lives


def test_a_log_is_read_from_its_end_and_does_not_grow_without_end(fake, tmp_path):
    code = "for _ in range(400): os.write(2, b'x' * 2**20 + b'\\n'); time.sleep(0.001)\n"
    worker = fake(f"{code}sys.exit('the reason')")
    tracemalloc.start()
    event, _ = last(worker)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert event.reason == "its process ended with exit status 1: the reason"
    assert most < 4 << 20
    log = (tmp_path / "log").read_bytes()
    assert len(log) < 17 << 20
    assert b"the log grew beyond all use" in log


def test_a_log_is_continued_and_its_old_lines_are_not_taken_for_words_of_another(fake, tmp_path):
    (tmp_path / "log").write_text("of the first attempt\n")
    event, _ = last(fake("sys.exit(3)"))
    assert event.reason == "its process ended with exit status 3"
    assert (tmp_path / "log").read_text() == "of the first attempt\n"


LIES = {
    "a stray print": (
        [],
        "print('hello', flush=True)",
        "error",
        "it wrote a line that is no event: 'hello'",
    ),
    "half a line": (
        [],
        'os.write(1, b\'{"event": "do\'); os._exit(0)',
        "crashed",
        "its process ended in the middle of a line with exit status 0",
    ),
    "a wrong field": (
        [DESCRIBED | {"description": 3}],
        "",
        "error",
        "it wrote an event with a wrong described.description: input should be",
    ),
    "no answer": ([DONE], "", "error", "it said it is done, but 'described' came 0 times of 1"),
    "another's code": (
        [{"event": "loaded", "files": {"common/training.py": "0" * 64}}],
        "",
        "error",
        "it runs another common/training.py than",
    ),
}


@pytest.mark.parametrize("what", LIES)
def test_what_is_no_answer_is_told(fake, what):
    events, code, kind, reason = LIES[what]
    event, _ = last(fake(f"say(*{events})\n{code}\ntime.sleep(9)"))
    assert (event.kind, event.reason[: len(reason)]) == (kind, reason)


TRAININGS = {
    "whole": (
        [BUILT, JUDGED, *EPOCHS, SAMPLE, TRAINED],
        "ok",
        "",
    ),
    "another network at the end": (
        [
            BUILT,
            JUDGED,
            EPOCH | {"epoch": 1},
            EPOCH | {"epoch": 2},
            TRAINED | {"verdict": "different"},
        ],
        "parity-failed",
        "",
    ),
    "no check of what was trained": (
        [BUILT, JUDGED, *EPOCHS],
        "failed",
        "it said it is done, but its trained weights were not judged",
    ),
    "a check that comes early": (
        [BUILT, JUDGED, EPOCH | {"epoch": 1}, TRAINED],
        "failed",
        "it judged its trained weights, but its last epoch was 1",
    ),
    "checks in the wrong order": (
        [BUILT, TRAINED],
        "failed",
        "it judged its first and its trained weights in the wrong order",
    ),
    "no check": (
        [BUILT, *EPOCHS],
        "failed",
        "it said 'epoch' of a network that was not judged sound before",
    ),
    "another network": (
        [BUILT, JUDGED | {"verdict": "different"}, EPOCH | {"epoch": 1}],
        "failed",
        "it said 'epoch' of a network that was not judged sound before",
    ),
    "no training": (
        [BUILT, JUDGED],
        "failed",
        "it said it is done, but its last epoch was 0",
    ),
    "an epoch twice": (
        [BUILT, JUDGED, EPOCH | {"epoch": 1}, EPOCH | {"epoch": 1}],
        "failed",
        "its epoch 1 came after epoch 1",
    ),
    "no seconds": (
        [BUILT, JUDGED, EPOCH | {"epoch": 1, "seconds": 0}],
        "failed",
        "it wrote an event with a wrong epoch.seconds: input should be greater than 0",
    ),
    "a text that nobody asked for": (
        [BUILT, JUDGED, EPOCH | {"epoch": 1}, SAMPLE | {"prefix": "so"}],
        "failed",
        "it wrote after the prefix 'so', which nobody asked for",
    ),
}


@pytest.mark.parametrize("what", TRAININGS)
def test_no_row_is_ok_without_its_check_nor_before_its_last_epoch(tmp_path, what):
    events, status, reason = TRAININGS[what]
    path = tmp_path / "fake"
    path.write_text(
        f"#!{sys.executable} -IS\nfor line in {[*map(json.dumps, events)]}: print(line)"
    )
    with open(path, "a") as file:
        file.write(f"\nprint({json.dumps(DONE)!r}, flush=True)\nimport time; time.sleep(9)")
    path.chmod(0o755)
    request = RunRequest(
        "it", SMALL, ("mxnet-style",), out=tmp_path / "run", pythons={"mxnet-style": path}
    )
    (row,) = run(request, Silent()).rows
    assert (row.status, row.reason) == (status, reason)
    assert (row.tokens_per_sec is not None) == (status == "ok")


@pytest.mark.parametrize(
    ("limit", "number", "message"),
    [
        ("RLIMIT_NOFILE", 24, "the limit of open files is 24: raise it (ulimit -n)"),
        ("RLIMIT_NPROC", 11, "the limit of processes and threads"),
    ],
)
def test_a_worker_that_cannot_be_started_names_the_limit(
    tmp_path, monkeypatch, limit, number, message
):
    def refused(*_, **__):
        raise OSError(number, "refused")

    soft, hard = resource.getrlimit(getattr(resource, limit))
    monkeypatch.setattr(subprocess, "Popen", refused)
    monkeypatch.setattr(
        resource, "getrlimit", lambda name: (24, hard) if limit == "RLIMIT_NOFILE" else (soft, hard)
    )
    with pytest.raises(WorkerError) as raised:
        Worker("torch", tmp_path, SMALL)
    assert str(raised.value).startswith(f"torch cannot be started: {message}")
    assert not process.running


def test_a_signal_while_a_worker_starts_is_nothing_but_that_signal(monkeypatch):
    """It is held back until the worker is known, and then ends it."""
    started = []
    start = group.start

    def interrupted(*arguments):
        monkeypatch.setattr(interrupts._heard, "waits", True)
        started.append(start(*arguments))
        return started[0]

    monkeypatch.setattr(group, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Worker("mxnet-style", Path(sys.executable), SMALL)
    assert started[0].returncode is not None
    assert not process.running
