"""Ranks: they work in step with their worker, end with it, and it ends in one line with them."""

import psutil
import pytest

from common.experiment import Experiment
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from harness.workers.interpreters import brief_worker
from harness.workers.protocol import Described
from harness.workers.requests import Describe

SMALL = {"max_tokens": 2000, "num_hiddens": 8, "num_epochs": 2, "prefixes": ("a",)}
SMALL |= {"batch_size": 8, "num_steps": 10, "devices": 2, "dtype": "float64", "device": "cpu"}
WAITS = "import os, time; os.environ['RANK'] == '0' and time.sleep(60)"
"""Rank 0 waits for the others, as in a sum over all."""


def trained(name, folder, **settings):
    """The row of a backend that is trained on two devices."""
    request = RunRequest("quickstart", Experiment(**SMALL | settings), (name,), out=folder)
    result = run(request, Silent())
    (row,) = result.rows
    return row


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os.kill(os.getpid(), 9)", "rank 1 of 2 ended with signal SIGKILL"),
        ("int('no')", "rank 1 of 2 ended with exit status 1: ValueError: invalid literal"),
    ],
)
def test_a_rank_that_ends_is_one_line(registered, tmp_path, code, reason):
    name = registered(f"{WAITS}; os.environ['RANK'] == '1' and {code}", devices="processes")
    row = trained(name, tmp_path / "run")
    assert row.status == "crashed"
    assert reason in row.reason
    assert "\n" not in row.reason


def test_ranks_end_with_their_worker_whatever_they_do(registered):
    name = registered("import time; time.sleep(600)", devices="processes")
    with brief_worker(name, {}, Experiment(**SMALL)) as worker:
        worker.answer(Describe(), Described)
        (rank,) = psutil.Process(worker.process.pid).children()
        worker.process.kill()
        rank.wait(10)
    assert not psutil.pid_exists(rank.pid)


def test_a_rank_that_hangs_ends_with_its_worker(registered, tmp_path):
    """It is busy, and reads nothing more."""
    busy = "os.environ['RANK'] == '1' and time.sleep(600)"
    name = registered(f"import os, time; {busy}", devices="processes")
    assert trained(name, tmp_path / "run").status == "ok"  # it waits for nobody
    running = psutil.process_iter(["cmdline"])
    left = [each for each in running if "--following" in (each.info["cmdline"] or [])]
    _, alive = psutil.wait_procs([each for each in left if "own" in each.info["cmdline"]], 5)
    assert alive == []


def test_two_ranks_train_what_one_process_trains(only, tmp_path):
    only("torch")
    alone = trained("torch", tmp_path / "one", devices=1)
    both = trained("torch", tmp_path / "two")
    assert (alone.status, both.status) == ("ok", "ok"), both.reason
    assert both.perplexity == pytest.approx(alone.perplexity, rel=1e-12)
