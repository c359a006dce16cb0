"""Devices of each framework, on a machine that is made up: which is taken, and what is said."""

import importlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from common.errors import DeviceError
from common.experiment import Experiment
from harness.workers.interpreters import interpreter
from harness.workers.process import Worker
from harness.workers.protocol import Described
from harness.workers.requests import Describe


@pytest.fixture
def devices(backend, monkeypatch):
    """Make a backend see so many GPUs: a function that gives its module of devices."""
    if backend.startswith("mxnet"):
        pytest.skip("this engine is for the CPU")
    module = importlib.import_module(f"backends.{backend}.devices")
    framework = sys.modules[backend]

    def see(count):
        if backend == "torch":
            taken = [0]
            cuda = {
                "device_count": lambda: count,
                "get_device_name": lambda i=None: f"GPU {taken[-1] if i is None else i}",
                "set_device": taken.append,
            }
            for name, value in cuda.items():
                monkeypatch.setattr(framework.cuda, name, value)
        elif backend == "jax":
            found = [SimpleNamespace(platform="gpu", device_kind=f"GPU {i}") for i in range(count)]
            local = framework.local_devices
            monkeypatch.setattr(
                framework,
                "local_devices",
                lambda backend=None: local(backend=backend) if backend == "cpu" else found,
            )
        else:
            found = [SimpleNamespace(name=f"GPU {i}") for i in range(count)]
            monkeypatch.setattr(framework.config, "list_physical_devices", lambda kind: found)
            monkeypatch.setattr(framework.config.experimental, "get_device_details", lambda gpu: {})
        return module

    return see


@pytest.mark.parametrize(
    ("asked", "count", "name"),
    [
        ("cpu", 2, "cpu"),
        ("auto", 2, "GPU 0"),
        ("mixed", 1, "GPU 0"),
        ("gpu", 2, "GPU 0"),
        ("gpu:1", 2, "GPU 1"),
        ("auto", 0, "cpu"),
        ("gpu", 0, "--device gpu: .* sees no GPU here; use cpu or auto"),
        ("gpu:1", 1, "--device gpu:1: .* sees 1 GPU here; use gpu:0"),
        ("tpu", 2, "--device tpu: .* sees no TPU here; use cpu or auto"),
    ],
)
def test_the_device_that_is_taken(devices, asked, count, name):
    module = devices(count)
    experiment = Experiment(device=asked)
    if name.startswith("--"):
        with pytest.raises(DeviceError, match=f"^{name}$"):
            module.taken(experiment)
        return
    place, found = module.taken(experiment)
    assert found == name
    assert ("gpu" in str(place).lower() or place == "cuda") == (name != "cpu")


def test_devices_are_described_as_they_are_asked_for(devices):
    about = devices(2).describe()
    assert about.devices == ("cpu", "GPU 0", "GPU 1")
    assert about.places == ("cpu", "gpu:0", "gpu:1")
    assert about.build.split()[0] in ("cpu", "cuda", "rocm", "mps")


def test_a_mac_has_no_float64_on_its_gpu(only, monkeypatch):
    only("torch")
    import torch

    from backends.torch import devices

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.taken(Experiment(device="gpu")) == ("mps", "Apple GPU (mps)")
    assert devices.describe().places == ("cpu", "gpu:0")
    with pytest.raises(DeviceError, match=r"^--dtype float64: a GPU of Apple's has none; use"):
        devices.taken(Experiment(dtype="float64"))
    assert devices.taken(Experiment(dtype="float64", device="cpu")) == ("cpu", "cpu")


@pytest.mark.parametrize("asked", [True, False])
def test_a_backend_is_set_to_the_same_bits_before_anything_else(backend, asked):
    experiment = Experiment(deterministic=asked, device="cpu", threads=1)
    with Worker(backend, interpreter(backend, {}), experiment) as worker:
        described, _ = worker.answer(Describe(), Described)
    assert described.description.deterministic == asked
    assert not described.description.tf32


@pytest.mark.parametrize("by_product", [True, False])
def test_rows_are_summed_by_their_tokens(backend, by_product, monkeypatch):
    """As a product where the bits must be the same on a GPU, else scattered."""
    if backend.startswith("mxnet"):
        pytest.skip("this engine is for the CPU")
    fused = importlib.import_module(f"backends.{backend}.fused")
    X, dA = np.array([2, 0, 2, 1]), np.arange(12, dtype="float32").reshape(4, 3)
    expected = np.zeros((5, 3))
    np.add.at(expected, X, dA)
    if backend == "torch":
        torch = sys.modules["torch"]
        found = torch.empty(5, 3)
        fused.sum_by_token(torch.tensor(dA), torch.tensor(X), found, by_product)
    else:
        monkeypatch.setattr(fused, "BY_PRODUCT", by_product)
        found = np.asarray(fused.sum_by_token(dA, X, 5))
    np.testing.assert_allclose(found, expected)
