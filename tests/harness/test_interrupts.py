"""Signals: Ctrl-C, SIGTERM and SIGHUP end any command soon, in one line, with nothing left."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.serving.asking import heard_by_default

ROOT = Path(__file__).parents[2]

SLEEPER = f"""#!{sys.executable} -IS
import time
time.sleep(100)
"""
"""A worker that never answers."""


@pytest.fixture
def harness(tmp_path):
    """Start a command whose workers never answer; it is ended with the test."""
    sleeper = tmp_path / "sleeper"
    sleeper.write_text(SLEEPER)
    sleeper.chmod(0o755)
    started = []

    def start(*words):
        command = [sys.executable, "-m", "harness", *words, "--python", f"mxnet-style={sleeper}"]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heard_by_default,
        )
        started.append(process)
        return process

    (tmp_path / "tmp").mkdir()
    yield start
    for process in started:
        process.kill()
        process.communicate()


def listening(process):
    """Wait until SIGTERM is heard: that is the first thing a command does."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        (caught,) = (line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) & (1 << (signal.SIGTERM - 1)):
            return
        time.sleep(0.002)


def workers_of(process):
    """Its workers, once there is one."""
    while process.poll() is None:
        children = psutil.Process(process.pid).children()
        if found := [child for child in children if "harness.start_worker" in words_of(child)]:
            return found
        time.sleep(0.01)
    pytest.fail(process.stderr.read())


def words_of(process):
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


def interrupted(process, number, workers=()):
    """What it says when it ends with a signal, within two seconds of CPU or wall time."""
    start = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + number, said
    assert said.count("interrupted\n") == 1
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(workers, timeout=2)
    assert not alive
    return time.monotonic() - start, said


RUN = ("run", "--backend", "mxnet-style", "--num-epochs", "2", "--num-hiddens", "8")


@pytest.mark.started
@pytest.mark.parametrize("delay", [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6])
def test_in_the_first_second_there_is_one_line(harness, tmp_path, delay):
    process = harness(*RUN, "--out", str(tmp_path / "run"))
    listening(process)
    time.sleep(delay)
    _, said = interrupted(process, signal.SIGINT)
    assert said == "interrupted\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_says_that_it_was_interrupted(harness, tmp_path, name):
    process = harness(*RUN, "--out", str(tmp_path / "run"))
    workers = workers_of(process)
    seconds, _ = interrupted(process, getattr(signal, name), workers)
    assert seconds < 5  # two on a quiet machine
    facts = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert facts["status"] == "interrupted"
    assert "interrupted" in (tmp_path / "run" / "summary.csv").read_text("utf-8")
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("command", ["parity", "bptt", "bench", "sequence", "list"])
def test_workers_asked_from_threads_are_ended_too(harness, tmp_path, command):
    options = ["--backend", "mxnet-style", "--out", str(tmp_path / "out")]
    process = harness(command, *(options if command != "list" else []))
    workers = workers_of(process)
    seconds, said = interrupted(process, signal.SIGINT, workers)
    assert seconds < 5
    assert said.splitlines()[-1] == "interrupted"
    assert not list((tmp_path / "tmp").iterdir())


def test_a_second_signal_does_not_disturb_the_end(harness, tmp_path):
    process = harness(*RUN, "--out", str(tmp_path / "run"))
    workers = workers_of(process)
    for number in (signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode in (128 + signal.SIGTERM, 128 + signal.SIGINT)
    facts = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert facts["status"] == "interrupted"
    assert not psutil.wait_procs(workers, timeout=2)[1]


def test_what_is_ignored_stays_ignored(tmp_path):
    """``nohup`` has a command go on when its terminal closes."""
    code = "import signal; from harness import interrupts; interrupts.hear()\n"
    code += "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert done.stdout == "True\n"


def test_the_end_of_python_itself_is_not_told_as_another():
    """A signal that comes when all is done changes nothing."""
    code = "import atexit, os, signal; from harness import __main__, cli\n"
    code += "cli.main = lambda: print('done', flush=True)\n"
    code += "atexit.register(lambda: [os.kill(os.getpid(), n) for n in (1, 2, 15)])\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}__main__.main()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=heard_by_default,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


WHILE_CLOSING = """
import os, signal
from harness import interrupts

interrupts.hear()
ignore = signal.signal

def terminated_first(number, handler):
    os.kill(os.getpid(), signal.SIGTERM)
    return ignore(number, handler)

signal.signal = terminated_first
interrupts.close()
print("done")
"""


def test_a_signal_after_all_is_done_is_not_heard():
    done = subprocess.run(
        [sys.executable, "-c", WHILE_CLOSING], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
