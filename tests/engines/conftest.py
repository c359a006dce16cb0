"""Studies as commands, and a Ray cluster on this machine; ``--whole`` is more of everything."""

import os
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

import backends
from harness.paths import ROOT
from harness.records.reading import read_run
from harness.study.grid import cells, load_study
from harness.study.run import StudyRequest, run_study
from tests.faults.kills import MARK

STUDY = """
title = "Spread"
backends = {backends}
[settings]
num_epochs = {epochs}
num_hiddens = 8
max_tokens = 3000
pred_period = 20
num_preds = 5
threads = 1
[[grid]]
name = "rates"
question = "Does the rate matter?"
[grid.vary]
lr = {rates}
clip_theta = [0.5, 1]
"""


class Spread:
    """A study, its folder and its commands.

    Args:
        folder: of all that belongs to it.
        whole: True for 24 cells of every backend that is installed, else 4 of one.
    """

    def __init__(self, folder, whole):
        self.folder, self.count = folder, 24 if whole else 4
        self.file, self.out = folder / "spread.toml", folder / "out"
        self.backends = installed() if whole else ["mxnet-style"]
        rates = [round(0.5 + 0.1 * number, 1) for number in range(self.count // 2)]
        text = STUDY.format(backends=self.backends, rates=rates, epochs=40 if whole else 100)
        self.file.write_text(text, encoding="utf-8")
        self.order = StudyRequest(load_study(self.file), self.out, None, {})
        self.mark = uuid.uuid4().hex

    def start(self, *words):
        """Start the study in a process of its own."""
        return self.begin("study", self.file, *words)

    def command(self, *words):
        """Run a command to its end: exit status, output and error."""
        return ended(self.begin(*words))

    def begin(self, *words):
        """Start a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *map(str, words), "--out", str(self.out)],
            cwd=self.folder,
            env=os.environ | {MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words):
        """Run it to its end: exit status, output and error."""
        return ended(self.start(*words))

    def digits(self, out):
        """All that is the same each time, by cell and row."""
        found = {}
        for cell in cells(self.order.study):
            data = read_run(replace(self.order, out=out).folder(cell))
            rows = data.epochs.sort_values(["backend", "epoch"], ignore_index=True)
            saved = {path.name: path.read_bytes() for path in data.folder.glob("*/*.safetensors")}
            texts = data.samples.sort_values(["backend", "epoch", "prefix"]).text.tolist()
            found[cell.name] = rows.perplexity.tolist(), texts, saved
        return found

    def at_work(self, count):
        """Wait until so many cells are being trained."""
        deadline = time.monotonic() + 200
        while len([*(self.folder / "tmp").glob("*/cells/*/epochs.csv")]) < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def installed():
    """The four backends, as far as they are installed; the output says which."""
    four = ("mxnet-style", "torch", "jax", "tensorflow")
    found = [name for name in four if not backends.missing(name)]
    print(f"backends: {', '.join(found)}")
    return found


def ended(process):
    """Exit status, output and error of a process."""
    out, err = process.communicate(timeout=3000)
    return process.returncode, out, err


@pytest.fixture
def spread(tmp_path, monkeypatch, request):
    """A study whose nodes keep their files below its folder."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # its sockets need short names
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Spread(tmp_path, request.config.getoption("whole"))


@pytest.fixture(scope="session")
def in_order(tmp_path_factory, request):
    """Digits of the study that was run in this process, one cell after the other."""
    whole = Spread(tmp_path_factory.mktemp("in-order"), request.config.getoption("whole"))
    assert run_study(whole.order, [].append)
    return whole.digits(whole.out)


@pytest.fixture(scope="session")
def head():
    """A Ray cluster without any CPU, on this machine: to start one takes longer than most tests."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_TMPDIR", "/tmp")  # its sockets need short names
        made = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
    yield made
    made.shutdown()


@pytest.fixture
def cluster(spread, head):
    """The cluster, whose nodes of this test alone have CPUs; they have its environment."""
    yield head
    for node in [*head.worker_nodes]:
        head.remove_node(node, allow_graceful=False)


@pytest.fixture
def copied_source(tmp_path):
    """A folder with the project's source, in which one file is another."""
    folder = tmp_path / "other"
    for package in ("common", "backends", "harness"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                target = folder / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    changed = folder / "common" / "metrics.py"
    assert changed.exists()
    changed.write_text(changed.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")
    return Path(folder)
