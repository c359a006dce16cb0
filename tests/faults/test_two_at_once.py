"""Two commands on one folder, whichever comes first and whenever the other comes: one is refused.

What the folder holds in the end is one result, whole, and nothing aside.
"""

import os
import signal
import subprocess
import sys
import time
from functools import cache
from itertools import product

import pandas as pd
import pytest

from harness.paths import ROOT
from harness.records.reading import read_bench, read_run
from tests.faults.hostile import STUDY
from tests.serving.asking import ALONE

SMALL = "--max-tokens 300 --batch-size 16 --num-steps 10 --num-hiddens 4 --num-epochs 3 "
SMALL += "--pred-period 1 --quiet"
COMMANDS = {
    "run": f"run --backend mxnet-style {SMALL}",
    "study": "study study.toml",
    "bench": "bench --backend mxnet-style --variant scratch,fused --shape 2x3x4x5 --rounds 2",
    "parity": "parity --backend mxnet-style --variant scratch --steps 2 --dtype float64",
    "sequence": "sequence --backend mxnet-style --num-points 120 --num-train 60",
    "corpus": "corpus embedded --max-tokens 2000",
}
PARTS = [0.0, 0.1, 0.3, 0.6, 0.95]
"""Of the time that one takes, the part between the two: from both at the lock to one at its end."""

ENDS = ["ends", "is killed"]
"""What the first does while the other is there."""


def start(folder, words):
    command = [sys.executable, "-m", "harness", *words.split(), "--out", "out"]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ALONE), str(ROOT)])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def see_that_it_is_whole(folder, name):
    """Read the result of a command."""
    if name == "run":
        read_run(folder)
    elif name == "study":
        for lr in (0.5, 1.0):
            read_run(folder / "lr" / f"lr={lr}")
    elif name == "bench":
        read_bench(folder)
    for table in folder.rglob("*.csv"):
        found = pd.read_csv(table, dtype=str, keep_default_na=False)
        assert len(found) or table.name == "comparisons.csv", table  # of one backend: none
        assert not found.duplicated().any(), table
    aside = [path for path in folder.rglob(".*") if path.is_dir() or path.suffix == ".part"]
    assert aside == []


def made(folder):
    """A folder for commands, with a study in it."""
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def seconds_of(tmp_path_factory):
    """Gives the seconds that a command takes when it is alone."""

    @cache
    def seconds(name):
        begun = time.monotonic()
        alone = start(made(tmp_path_factory.mktemp("alone") / name), COMMANDS[name])
        assert (alone.communicate(timeout=200)[1], alone.returncode) == ("", 0)
        return time.monotonic() - begun

    return seconds


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", COMMANDS)
def test_two_at_once_on_one_folder(name, chosen, tmp_path, seconds_of):
    for number, (part, end) in enumerate(chosen(product(PARTS, ENDS), few=1)):
        delay = part * seconds_of(name)
        folder = made(tmp_path / str(number))
        one = start(folder, COMMANDS[name])
        time.sleep(delay)
        other = start(folder, COMMANDS[name])
        if end == "is killed":
            time.sleep(delay)
            one.send_signal(signal.SIGKILL)
        said = [process.communicate(timeout=200)[1] for process in (one, other)]
        statuses = [process.returncode for process in (one, other)]
        told = (delay, end, statuses, said)
        for status, lines in zip(statuses, said, strict=True):
            assert "Traceback" not in lines, told
            if status == 2:
                assert lines.count("error: ") == 1, told
            else:
                assert status in (0, -signal.SIGKILL), told
        if 0 not in statuses:  # killed, and the other had been refused
            done = start(folder, COMMANDS[name])
            said = done.communicate(timeout=200)[1]
            was_whole = done.returncode == 2 and " already" in said  # killed after its last writing
            assert done.returncode == 0 or was_whole, (told, said)
        see_that_it_is_whole(folder / "out", name)
