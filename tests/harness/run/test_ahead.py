"""The next row's worker gets ready while a row trains, and waits for its turn."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from queue import SimpleQueue

import psutil
import pytest

from common.experiment import Experiment
from harness.paths import ROOT
from harness.records.reading import read_run
from harness.run import ahead, train
from harness.run.progress import Silent
from harness.run.row import Row
from harness.run.train import RunRequest, run
from harness.workers.cpus import affinity, usable_cpus
from harness.workers.errors import WorkerError
from harness.workers.protocol import EpochDone
from harness.workers.requests import WAITS
from tests.harness.run.test_going_on import request, told

ROWS = ["mxnet-style scratch", "mxnet-style fused"]


@pytest.fixture
def workers(monkeypatch):
    """Those that were asked, by row; on a machine of several CPUs, whatever this one has."""
    asked = {}
    ask = train.ask

    def remember(*given):
        *_, row, _ = given
        asked[f"{row.backend} {row.variant}"] = found = ask(*given)
        return found

    monkeypatch.setattr(train, "ask", remember)
    monkeypatch.setattr(train, "sides_of", lambda experiment, device: 2 * [usable_cpus()[:1]])
    return asked


class Watcher(Silent):
    """Remembers what happens; at the first row's first epoch, does something with the next."""

    def __init__(self, workers, act):
        self.workers, self.act, self.events = workers, act, []

    def started(self, row):
        self.events.append((row.variant, "started"))

    def event(self, row, event):
        self.events.append((row.variant, event.event))
        first_epoch = isinstance(event, EpochDone) and event.epoch == 1
        if first_epoch and row.variant == "scratch":
            self.act(self.workers[ROWS[1]].worker)

    def ended(self, row):
        self.events.append((row.variant, row.status))


def wait_until(done):
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def until_ready(worker):
    """Wait until the worker has said that it waits; nothing of what it said is taken."""
    said = WAITS.model_dump_json().encode()
    while said not in worker.lines.received:
        worker.lines._exchange(time.monotonic() + 60)


def sleeps(worker):
    """True if none of its threads is busy."""
    threads = psutil.Process(worker.process.pid).threads()
    states = set()
    for thread in threads:
        with suppress(OSError), open(f"/proc/{worker.process.pid}/task/{thread.id}/stat") as file:
            states.add(file.read().rpartition(")")[2].split()[0])
    return states == {"S"}


def test_the_next_row_is_ready_while_one_trains_and_rows_keep_their_order(workers, tmp_path):
    seen = []

    def act(worker):
        until_ready(worker)
        assert b'"judged"' in worker.lines.received
        assert b'"epoch"' not in worker.lines.received
        wait_until(lambda: sleeps(worker))
        seen.append(worker)

    watcher = Watcher(workers, act)
    assert run(request(tmp_path / "run"), watcher).exit_status == 0
    assert seen == [workers[ROWS[1]].worker]
    order = [variant for variant, _ in watcher.events]
    assert order == sorted(order, reverse=True)  # all of scratch, then all of fused
    for variant in ("scratch", "fused"):
        mine = [said for name, said in watcher.events if name == variant]
        assert (mine[0], mine[-2:]) == ("started", ["done", "ok"])
    logs = sorted(path.name for path in (tmp_path / "run" / "logs").iterdir())
    assert logs == [f"mxnet-style-{variant}-0.log" for variant in ("fused", "scratch")]


def test_what_is_trained_is_the_same_to_the_bit(workers, tmp_path, monkeypatch):
    run(request(tmp_path / "beside"), Silent())
    monkeypatch.setattr(train, "sides_of", lambda experiment, device: [usable_cpus()[:1]])
    run(request(tmp_path / "alone"), Silent())
    assert told(tmp_path / "beside") == told(tmp_path / "alone")


def test_one_that_waits_and_dies_costs_its_row_alone(workers, tmp_path):
    watcher = Watcher(workers, lambda worker: worker.process.kill())
    result = run(request(tmp_path / "run"), watcher)
    assert [row.status for row in result.rows] == ["ok", "crashed"]
    assert "SIGKILL" in result.rows[1].reason


def test_one_that_cannot_be_started_beside_is_started_at_its_turn(workers, tmp_path, monkeypatch):
    ask, refused = train.ask, []

    def at_its_turn(*given):
        *_, row, _ = given
        if row.variant == "fused" and not refused:
            refused.append(row)
            raise WorkerError("error", "the limit of processes")
        return ask(*given)

    monkeypatch.setattr(train, "ask", at_its_turn)
    result = run(request(tmp_path / "run"), Silent())
    assert refused
    assert [row.status for row in result.rows] == ["ok", "ok"]


def test_an_interrupted_run_leaves_no_worker(workers, tmp_path):
    def interrupt(worker):
        until_ready(worker)
        raise KeyboardInterrupt

    result = run(request(tmp_path / "run"), Watcher(workers, interrupt))
    assert (result.status, len(workers)) == ("interrupted", 2)
    assert not any(psutil.pid_exists(asked.worker.process.pid) for asked in workers.values())
    statuses = read_run(tmp_path / "run").summary.set_index("variant").status
    assert {*statuses} == {"interrupted"}


def test_who_is_not_judged_sound_never_waits(workers, tmp_path, registered):
    """The row after it begins at its own turn."""
    registered("loss += 1")
    settings = {"max_tokens": 2000, "num_hiddens": 8, "num_epochs": 1, "prefixes": ("a",)}
    settings |= {"batch_size": 8, "num_steps": 10}
    both = RunRequest("it", Experiment(**settings), ("own", "mxnet-style"), out=tmp_path / "run")
    statuses = {row.backend: row.status for row in run(both, Silent()).rows}
    assert statuses == {"mxnet-style": "ok", "own": "parity-failed"}


@pytest.mark.parametrize(
    ("cpus", "settings", "device", "expected"),
    [
        (2, {"threads": 1}, "cpu", [[0], [1]]),
        (5, {"threads": 2}, "cpu", [[0, 1], [3, 4]]),
        (1, {"threads": 1}, "cpu", [[0]]),
        (3, {"threads": 2}, "cpu", [[0, 1]]),
        (2, {}, "cpu", [[0, 1]]),
        (2, {"threads": 1}, "gpu", [[0]]),
        (2, {"threads": 1}, "mixed", [[0]]),
        (2, {"threads": 1, "devices": 2}, "cpu", [[0]]),
    ],
)
def test_where_two_workers_are_at_once(monkeypatch, cpus, settings, device, expected):
    monkeypatch.setattr(ahead, "usable_cpus", lambda: list(range(cpus)))
    assert ahead.sides_of(Experiment(**settings), device) == expected


def test_all_rows_train_on_the_same_cpus(workers, tmp_path, monkeypatch):
    """The next one gets ready on others, and its threads move at its turn."""
    first, *_, last = 2 * affinity()
    monkeypatch.setattr(train, "sides_of", lambda experiment, device: [[first], [last]])
    ready, moved = [], []

    class Looker(Watcher):
        def event(self, row, event):
            super().event(row, event)
            if isinstance(event, EpochDone) and row.variant == "fused":
                moved.extend(affinities(self.workers[ROWS[1]].worker))

    def act(worker):
        until_ready(worker)
        ready.append(os.sched_getaffinity(worker.process.pid))

    assert run(request(tmp_path / "run"), Looker(workers, act)).exit_status == 0
    assert ready == [{last}]
    assert moved
    assert all(each == {first} for each in moved)


def affinities(worker):
    """CPUs of each of its threads that has not just ended."""
    for thread in psutil.Process(worker.process.pid).threads():
        with suppress(OSError):
            yield os.sched_getaffinity(thread.id)


def test_who_starts_slowly_has_the_second_turn():
    names = "mxnet-style", "torch", "tensorflow", "keras-tensorflow", "jax"
    rows = [Row(name, "scratch", 0, "float32", 9, 0) for name in names]
    turns = [row.backend for row in ahead.in_turn(rows)]
    assert turns == ["mxnet-style", "tensorflow", "keras-tensorflow", "torch", "jax"]
    assert [row.backend for row in ahead.in_turn(rows[2:])] == [*names[2:]]
    assert ahead.in_turn([]) == []


def test_beside_the_last_row_gets_ready_what_comes_after(monkeypatch):
    rows = [Row("mxnet-style", each, 0, "float32", 28, 0) for each in ("scratch", "fused")]
    moved, ready = [], SimpleQueue()
    monkeypatch.setattr(os, "sched_setaffinity", lambda *given: moved.append(given))
    nobody = ahead.Asked(None, iter(()))
    with ahead.Ahead(rows, [[0], [1]], lambda *_: nobody, lambda: ready.put([*moved])) as workers:
        workers.take(rows[0])
        assert ready.empty()
        workers.take(rows[1])
        assert ready.get(timeout=10) == [(0, [1])]
    with ahead.Ahead(rows, [[0]], lambda *_: nobody, lambda: ready.put("disturbs")) as workers:
        for row in rows:
            workers.take(row)
    time.sleep(0.1)
    assert ready.empty()


def test_the_first_worker_starts_before_charts_are_imported(tmp_path):
    """Altair takes a third of a second; the last row's training leaves the time to import it."""
    code = "import sys; from harness import cli; from harness.run import train\n"
    code += "train.ask = lambda *_: sys.exit('altair' in sys.modules)\n"
    code += "sys.argv[1:] = '--backend mxnet-style --out'.split() + sys.argv[1:]; cli.main()"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "run"], cwd=ROOT, check=False)
    assert done.returncode == 0
