"""One model on several devices: the reference's numbers, and the faults that change them."""

import ast
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.shards import split
from common.variants import serving, unsupported
from common.weights import draw_weights
from tests.backends.on_devices import FAULTS

FILES = sorted(Path(backends.__file__).parent.glob("*/parallel.py"))

FEW = ("odd rows, clipping binds, carried state", "partial last batch, clipping binds")
"""Cases that take a test's time; ``parity`` takes them all."""


def environments(processes):
    """Variables of so many processes that compute one model on two devices."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    usual = os.environ | {
        "JAX_ENABLE_X64": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={2 // processes}",
        "OMP_NUM_THREADS": "1",
    }
    if processes == 1:
        return [usual]
    meeting = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [usual | meeting | {"RANK": str(rank)} for rank in range(processes)]


def run_program(backend, given, *names):
    """What the first of the processes prints, once all have ended well."""
    program = [sys.executable, "-m", "tests.backends.on_devices", backend, *names]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(program, env=each, **pipes) for each in given]
    try:
        said = [process.communicate(timeout=240) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0] * len(given), said
    return json.loads(said[0][0])


def test_two_devices_give_the_numbers_of_one_and_faults_show(backend):
    if backends.entry(backend).devices == "one":
        pytest.skip("it has one device")
    each_a_process = backends.entry(backend).devices == "processes"
    given = environments(2 if each_a_process else 1)
    found = run_program(backend, given, *[f"2 devices, {name}" for name in FEW])
    assert [*found["wrong"].values()] == [{}] * len(FEW)
    for name, (_, _, _, catchers) in FAULTS.items():
        assert catchers <= {*found["caught"][name]}, name


@pytest.mark.parametrize("devices", [1, 2, 3, 8])
@pytest.mark.parametrize("batch_size", [1, 2, 5, 32])
def test_rows_are_split_evenly_each_once(batch_size, devices):
    shards = split(batch_size, devices)
    rows = [range(batch_size)[mine] for mine, share in shards if share]
    assert [row for mine in rows for row in mine] == [*range(batch_size)]
    assert max(map(len, rows)) - min(map(len, rows)) <= 1
    assert [share for _, share in shards if share] == [len(mine) / batch_size for mine in rows]
    assert sum(share for _, share in shards) == pytest.approx(1)
    assert len(shards) == devices


def test_one_device_alone_says_so(only):
    only("mxnet-style")
    asked = Experiment(devices=2, num_hiddens=4)
    with pytest.raises(RequestError, match="--devices 2: the embedded engine has one device"):
        backends.load("mxnet-style").build(asked, "scratch", draw_weights(5, 4))
    with pytest.raises(RequestError, match="--devices 2: this backend has one device"):
        serving({"scratch": list}, "scratch", asked)


def test_the_other_variants_say_that_they_are_for_one_device():
    asked = Experiment(devices=2)
    assert unsupported(asked, "scratch") is None
    assert unsupported(asked, "fused") == (
        "fused is for one device: --devices 2 needs --variant scratch"
    )
    with pytest.raises(RequestError, match="--keep-graph keeps its graph on one device"):
        Experiment.of({"devices": 2, "keep_graph": True})


def test_every_framework_has_the_same_functions_in_the_same_order():
    alike = "join shard add gather of_shard loss_and_grads train_step ParallelNetwork".split()
    assert len(FILES) == 4
    for path in FILES:
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") < 150, path
        tree = ast.parse(source)
        names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        assert [name for name in names if name in alike] == alike, path
