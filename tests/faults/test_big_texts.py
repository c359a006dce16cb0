"""Texts larger than the address space, and the time and memory that a large one takes.

By default they are small, and so is the address space; with ``--whole`` it is 4 GB of text in 2 GB,
and 100 MB for the figures.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINE = b"The %09d-th line, and %09d is its number.\n"
MB = 10**6

TRAIN = """
import json, os, resource, sys
most, path, sampling = int(sys.argv[1]), sys.argv[2], sys.argv[3]
resource.setrlimit(resource.RLIMIT_AS, (most, most))
from backends import load
from common.experiment import Experiment
from common.inputs import first_weights, load_batches, read_inputs
from common.training import warm_up

def peak():
    status = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

experiment = Experiment(corpus=path, sampling=sampling, num_hiddens=16, device="cpu", lr=0.1)
before, cpu = peak(), sum(os.times()[:2])
inputs = read_inputs(experiment)
loader, vocab = load_batches(experiment, **inputs.for_workers())
reading = sum(os.times()[:2]) - cpu
model = load("mxnet-style").build(experiment, "scratch", first_weights(experiment, len(vocab)))
warm_up(model, loader.shapes())
state, losses = model.begin_state(experiment.batch_size), []
for at in (0, len(loader) - 3):  # the first steps of an epoch, and its last
    for X, Y in loader.epoch(1, at):
        loss, state = model.train_step(X, Y, state)
        losses.append(float(loss))
        if len(losses) % 3 == 0:
            break
with open(path, "rb") as file:  # whose every byte is a character
    for at in range(0, len(loader.corpus), len(loader.corpus) // 9):
        file.seek(at)
        assert vocab.join(loader.corpus[at : at + 99]) == file.read(99).decode()
print(json.dumps({
    "characters": inputs.prepared.num_chars, "kind": type(inputs.prepared.indices).__name__,
    "losses": losses, "memory": peak() - before, "reading": reading,
}))
"""


def write_text(path, size):
    """Write lines that each say where they stand."""
    with open(path, "wb") as file:
        written, number = 0, 0
        while written < size:
            block = b"".join(LINE % (n, n) for n in range(number, number + 20_000))
            file.write(block[: size - written])
            written, number = written + len(block), number + 20_000


def train(path, sampling, cache, most):
    """Train on a text in a process with so much address space; what it says of itself."""
    command = [sys.executable, "-c", TRAIN, str(most), str(path), sampling]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(1200)
def test_a_text_larger_than_the_address_space_trains(request, tmp_path):
    whole = request.config.getoption("whole")
    size, most = (4000 * MB, 2 << 30) if whole else (150 * MB, 512 << 20)
    path = tmp_path / "large.txt"
    write_text(path, size)
    for sampling in ("sequential", "random"):  # the second finds the indices of the first
        said = train(path, sampling, tmp_path, most)
        assert (said["characters"], said["kind"]) == (size, "FileIndices")
        assert len(said["losses"]) == 6
        assert said["losses"][2] < said["losses"][0] < 10
        assert said["memory"] < 6 * size
    shutil.rmtree(tmp_path)


@pytest.mark.timeout(600)
def test_time_and_memory_of_a_text_of_100_mb(request, tmp_path):
    """CPU time, for a machine may be busy; of 10 MB by default, against a tenth of the bar."""
    size = 100 * MB if request.config.getoption("whole") else 10 * MB
    found = {}
    for name, length in (("small", MB), ("large", size)):
        write_text(tmp_path / name, length)
        found[name] = train(tmp_path / name, "random", tmp_path, 64 << 30)
    again = train(tmp_path / "large", "random", tmp_path, 64 << 30)
    more = found["large"]["reading"] - found["small"]["reading"]
    assert more < 3 * size / (100 * MB)
    assert again["reading"] < found["large"]["reading"]
    assert found["large"]["memory"] < 6 * size
    print(f"\n{size:,} bytes: {more:.2f} s more, then {again['reading']:.2f} s in all; ", end="")
    print(f"{found['large']['memory'] / size:.2f} bytes a character")
