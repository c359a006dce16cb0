"""The engine ``local``: processes of its own, which die with it, and whose death loses nothing."""

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import closing

import psutil

from harness.engines.local import Local
from harness.engines.request import Share
from harness.engines.task import Task
from harness.engines.tries import tried
from harness.paths import ROOT
from harness.records.reading import read_run
from tests.faults.kills import STUDY, left
from tests.serving.asking import MARK, heard_by_default


def test_a_process_that_dies_loses_no_cell(asked, tmp_path):
    said, killed = [], []

    def kill_one(line):
        said.append(line)

    tasks = (Task(asked({"seed": seed}, name=str(seed)), tmp_path / str(seed)) for seed in range(3))
    with closing(Local(1, Share(cpus=1))) as engine:
        ended = {}
        for task, outcome in tried(engine, tasks, kill_one):
            ended[task.request.name] = outcome.header.ending
            if not killed:  # it has begun with the next, or is about to
                (node,) = engine.nodes
                killed.append(node.process.pid)
                os.kill(node.process.pid, signal.SIGKILL)
    assert ended == dict.fromkeys("012", "done")
    assert len(said) == 1
    assert "its process ended with signal SIGKILL: to be tried again" in said[0]


def test_control_c_ends_all_processes(tmp_path):
    """A cell is being trained; nothing that was started for it is left two seconds later."""
    file = tmp_path / "long.toml"
    file.write_text(STUDY.replace("num_epochs = 4", "num_epochs = 1000000"), encoding="utf-8")
    mark = uuid.uuid4().hex
    words = ["study", str(file), "--cpus-per-cell", "1", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        cwd=ROOT,
        env=os.environ | {MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heard_by_default,
    )
    deadline = time.monotonic() + 100
    while not any((tmp_path / "tmp").glob("*/cells/*/epochs.csv")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    assert (process.returncode, said) == (130, b"interrupted\n")
    assert left(mark) == []
    assert not psutil.pid_exists(process.pid)
    assert not (tmp_path / "out" / "rates" / "lr=0.5").exists()


def test_the_command_runs_cells_on_cpus_of_their_own(tmp_path):
    file = tmp_path / "tiny.toml"
    file.write_text(STUDY, encoding="utf-8")
    command = [sys.executable, "-m", "harness", "study", str(file), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [*command, "--cpus-per-cell", "1"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 of 2: rates, lr=" in done.stdout
    for lr in ("0.5", "1"):
        engine = read_run(tmp_path / "out" / "rates" / f"lr={lr}").facts["engine"]
        assert (len(engine["cpus"]), engine["shared"]) == (1, False)
