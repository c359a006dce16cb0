"""One model on several devices: the reference's numbers, and the faults that change them."""

import ast
import atexit
import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.shards import split
from common.variants import serving, unsupported
from common.weights import draw_weights
from rnn_rosetta_suite.haste import XLA_FLAGS
from tests.backends.on_devices import FAULTS

FILES = sorted(Path(backends.__file__).parent.glob("*/parallel.py"))

COMPILED = ("jax", "tensorflow")
FEW = ("odd rows, clipping binds, carried state",)
"""Cases enough where each is compiled; ``--whole`` takes all of them, as ``parity`` does."""


def free_ports(count):
    """Ports that nobody listens at."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def environments(processes):
    """Variables of so many processes that compute one model on two devices.

    Those of ``torchrun``, and TF_CONFIG, which TensorFlow's strategy of several processes reads.
    """
    usual = os.environ | {
        "JAX_ENABLE_X64": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"{XLA_FLAGS} --xla_force_host_platform_device_count={2 // processes}",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(backends.__file__).parents[1]),
    }
    if processes == 1:
        return [usual]
    port, *others = map(str, free_ports(1 + processes))
    meeting = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    workers = [f"127.0.0.1:{each}" for each in others]
    tasks = [{"type": "worker", "index": rank} for rank in range(processes)]
    configs = [json.dumps({"cluster": {"worker": workers}, "task": task}) for task in tasks]
    return [
        usual | meeting | {"RANK": str(rank), "TF_CONFIG": config}
        for rank, config in enumerate(configs)
    ]


def together(given, *program, folder=None):
    """Standard output of each of the processes, once all have ended well."""
    program = [sys.executable, "-m", *program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(program, env=each, cwd=folder, **pipes) for each in given]
    try:
        said = [process.communicate(timeout=240) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0] * len(given), said
    return [out for out, _ in said]


def check_devices(backend, processes, few):
    """Two devices give the reference's numbers, and each fault planted in them shows."""
    names = [f"2 devices, {name}" for name in few]
    out, *_ = together(environments(processes), "tests.backends.on_devices", backend, *names)
    found = json.loads(out.splitlines()[-1])
    assert found["wrong"]
    assert not any(found["wrong"].values()), found["wrong"]
    assert found["changed"] == []
    for name, (_, _, _, catchers) in FAULTS.items():
        assert catchers <= {*found["caught"][name]}, name


def test_two_devices_give_the_numbers_of_one_and_faults_show(backend, request):
    if backends.entry(backend).devices == "one":
        pytest.skip("it has one device")
    whole = request.config.getoption("whole") or backend not in COMPILED
    processes = 2 if backends.entry(backend).devices == "processes" else 1
    check_devices(backend, processes, () if whole else FEW)


@pytest.mark.parametrize("name", COMPILED)
def test_two_processes_give_the_numbers_of_one_and_faults_show(name, only, request):
    """As on two machines: nothing is shared but what they send each other."""
    only(name)
    if not request.config.getoption("whole"):
        pytest.skip("--whole: it is compiled twice")
    check_devices(name, 2, FEW)


def test_torchrun_starts_the_harness_on_every_machine(only, request, tmp_path):
    """Each machine trains in step with the other, and has a result of its own."""
    only("torch")
    if not request.config.getoption("whole"):
        pytest.skip("--whole: four processes")
    options = "run --backend torch --devices 2 --device cpu --dtype float64 --num-epochs 2".split()
    options += "--num-hiddens 8 --max-tokens 4000 --prefix a --json".split()
    said = [
        json.loads(out) for out in together(environments(2), "harness", *options, folder=tmp_path)
    ]
    rows = [each["rows"][0] for each in said]
    assert [row["status"] for row in rows] == ["ok", "ok"]
    assert rows[0]["perplexity"] == rows[1]["perplexity"]
    assert len({each["run"] for each in said}) == 2


def test_ranks_of_torch_part_before_python_ends(only, monkeypatch):
    """Of those that did not, one in twelve was aborted by a thread that still ran."""
    only("torch")
    parallel, at_exit = backends.load("torch").parallel, []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_ports(1)[0])}
    for name, value in (meeting | {"RANK": "0", "WORLD_SIZE": "1"}).items():
        monkeypatch.setenv(name, value)
    parallel.join(1, "cpu")
    assert parallel.dist.is_initialized()
    for call in at_exit:
        call()
    assert not parallel.dist.is_initialized()


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
