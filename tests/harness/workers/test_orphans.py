"""Workers end with their harness, whatever ended it and however they were started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]

HARNESS = """
import sys, threading, time
from pathlib import Path
from common.experiment import Experiment
from harness.workers.process import Worker
from harness.workers.requests import Compare, Describe

for python in sys.argv[1:]:
    worker = Worker("mxnet-style", Path(python), Experiment(threads=1))
    list(worker.ask(Describe()))
    compare = Compare(variant="scratch", dtype="float64", device="cpu", devices=1, steps=10**6)
    threading.Thread(target=list, args=[worker.ask(compare)], daemon=True).start()
    print(worker.process.pid, flush=True)
time.sleep(99)
"""

STARTS = {
    "python": '#!/bin/sh\nexec "{python}" "$@"\n',
    "a script": '#!/bin/sh\n"{python}" "$@"\nexit $?\n',
    "a script that hands on no pipe but the three": (
        "#!{python}\nimport subprocess, sys\nsubprocess.run(['{python}', *sys.argv[1:]])\n"
    ),
}


def in_groups(leaders):
    """All processes in the sessions of these."""
    found = []
    for each in psutil.process_iter():
        try:
            if os.getsid(each.pid) in leaders and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except (psutil.Error, OSError):
            pass
    return found


@pytest.fixture
def harness(tmp_path):
    """A harness with a worker of every start, each ready; and the leaders of their sessions."""
    scripts = []
    for number, script in enumerate(STARTS.values()):
        scripts.append(tmp_path / f"{number}")
        scripts[-1].write_text(script.format(python=sys.executable))
        scripts[-1].chmod(0o755)
    command = [sys.executable, "-c", HARNESS, *map(str, scripts)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    leaders = [int(process.stdout.readline()) for _ in scripts]
    yield process, leaders
    process.kill()
    process.communicate()
    for each in in_groups(leaders):
        each.kill()


@pytest.mark.parametrize("stopped", [False, True])
def test_no_worker_outlives_a_harness_that_is_killed(harness, stopped):
    process, leaders = harness
    assert len(in_groups(leaders)) >= 5  # three workers, two of them behind a script
    if stopped:  # but the one that only a thread of its own can end
        for each in in_groups(leaders[:2]):
            each.send_signal(signal.SIGSTOP)
    process.kill()
    deadline = time.monotonic() + 2
    while in_groups(leaders) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not in_groups(leaders)
