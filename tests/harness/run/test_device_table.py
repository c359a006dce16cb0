"""Decisions about devices: a table of situations, each a run on a machine that is made up."""

from typing import NamedTuple

import pytest

from common.experiment import Experiment
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from tests.harness.fake_machine import GPU, Framework, set_up

SMALL = {"max_tokens": 300, "batch_size": 2, "num_steps": 5, "num_hiddens": 4, "num_epochs": 1}
SMALL |= {"prefixes": ("a",), "num_preds": 1}

FIRST, SECOND = f"{GPU}, gpu:0", f"{GPU}, gpu:1"
CUDA = {"gpus": 1, "build_for": "cuda 13.0"}


class Situation(NamedTuple):
    """What is asked of which machine; the device of each row, or why it has none, and the note."""

    asked: dict
    machine: list
    rows: dict
    note: str = ""
    missing: tuple = ()
    backends: tuple = ()


def two(first, second):
    return [Framework("torch", **first), Framework("jax", **second)]


SITUATIONS = {
    "none has a GPU": Situation({}, two({}, {}), {"torch": "cpu", "jax": "cpu"}),
    "all have one": Situation({}, two(CUDA, CUDA), {"torch": FIRST, "jax": FIRST}),
    "two GPUs, and one is taken": Situation(
        {}, two(CUDA | {"gpus": 2}, CUDA | {"gpus": 2}), {"torch": FIRST, "jax": FIRST}
    ),
    "a JAX for the CPU beside a PyTorch for CUDA": Situation(
        {},
        two(CUDA, {}),
        {"torch": "cpu", "jax": "cpu"},
        "--device auto is the CPU for all, so that they can be compared: jax sees no GPU; "
        "--device gpu is for torch alone",
    ),
    "the one that is asked for has a GPU": Situation(
        {}, two(CUDA, {}), {"torch": FIRST}, backends=("torch",)
    ),
    "a backend without a GPU is not installed": Situation(
        {}, [Framework("torch", **CUDA)], {"torch": FIRST, "jax": "unavailable"}, missing=("jax",)
    ),
    "the backend that is asked for is not installed": Situation(
        {}, [Framework("torch", **CUDA)], {"jax": "unavailable"}, "", ("jax",), ("jax",)
    ),
    "the CPU is asked for": Situation(
        {"device": "cpu"}, two(CUDA, CUDA), {"torch": "cpu", "jax": "cpu"}
    ),
    "a GPU is asked for": Situation(
        {"device": "gpu"},
        two(CUDA, {}),
        {"torch": FIRST, "jax": "unavailable: --device gpu: jax sees no GPU here; use cpu or auto"},
    ),
    "a GPU is asked for where none is": Situation(
        {"device": "gpu"}, two({}, {}), {"torch": "unavailable", "jax": "unavailable"}
    ),
    "the second of two": Situation(
        {"device": "gpu:1"},
        two(CUDA | {"gpus": 2}, CUDA | {"gpus": 2}),
        {"torch": SECOND, "jax": SECOND},
    ),
    "the second of one": Situation(
        {"device": "gpu:1"},
        two(CUDA | {"gpus": 2}, CUDA),
        {
            "torch": SECOND,
            "jax": "unavailable: --device gpu:1: jax sees 1 GPU here; use gpu:0",
        },
    ),
    "each where it can": Situation(
        {"device": "mixed"}, two(CUDA, {}), {"torch": FIRST, "jax": "cpu"}
    ),
    "all have a TPU": Situation(
        {}, [Framework("jax", gpus=4, kind="tpu", build_for="tpu")], {"jax": f"{GPU}, tpu:0"}
    ),
    "a TPU is asked for": Situation(
        {"device": "tpu"},
        [Framework("torch", **CUDA), Framework("jax", gpus=1, kind="tpu")],
        {"torch": "unavailable: --device tpu: torch sees no TPU", "jax": f"{GPU}, tpu:0"},
    ),
    "a TPU for one, a GPU for another": Situation(
        {},
        [Framework("torch", **CUDA), Framework("jax", gpus=1, kind="tpu")],
        {"torch": "cpu", "jax": "cpu"},
        "jax sees no GPU",
    ),
    "two devices of two": Situation(
        {"devices": 2},
        two(CUDA | {"gpus": 2}, CUDA | {"gpus": 2}),
        {"torch": f"2 x {FIRST}", "jax": f"2 x {FIRST}"},
    ),
    "two devices, and one GPU": Situation(
        {"devices": 2},
        two(CUDA, CUDA),
        {"torch": "cpu, as 2 simulated devices", "jax": "cpu, as 2 simulated devices"},
        "--device auto is the CPU: torch sees 1 GPU of 2, jax sees 1 GPU of 2",
    ),
    "two GPUs are asked for, and one has one": Situation(
        {"device": "gpu", "devices": 2},
        two(CUDA | {"gpus": 2}, CUDA),
        {"torch": f"2 x {FIRST}", "jax": "unavailable: --devices 2: jax sees 1 GPU here"},
    ),
    "float64 on a Mac": Situation(
        {"dtype": "float64"},
        [Framework("torch", gpus=1, build_for="mps"), Framework("jax")],
        {"torch": "cpu", "jax": "cpu"},
        "torch has no float64 on it",
    ),
    "float64 on the GPU of a Mac": Situation(
        {"dtype": "float64", "device": "gpu"},
        [Framework("torch", gpus=1, build_for="mps")],
        {"torch": "unavailable: --dtype float64: it has none"},
    ),
    "float32 on a Mac": Situation(
        {}, [Framework("torch", gpus=1, build_for="mps")], {"torch": FIRST}
    ),
    "its memory is full": Situation(
        {},
        two(CUDA | {"room": 0}, CUDA | {"room": 9}),
        {
            "torch": "failed: no memory left on its device: CUDA out of memory. Tried to "
            "allocate 20.00 GiB. See the manual",
            "jax": FIRST,
        },
    ),
    "products that may be rounded": Situation(
        {},
        two(CUDA | {"tf32": True}, CUDA),
        {"torch": "failed: RuntimeError: it may round", "jax": FIRST},
    ),
    "the same bits each time": Situation(
        {"deterministic": True},
        two(CUDA, CUDA | {"same_bits": False}),
        {"torch": FIRST, "jax": "failed: RuntimeError: --deterministic was asked for, and is not"},
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation(name, monkeypatch, tmp_path, capsys):
    found = SITUATIONS[name]
    set_up(monkeypatch, *found.machine, missing=found.missing)
    experiment = Experiment.of(SMALL | found.asked)
    asked = RunRequest("quickstart", experiment, found.backends, out=tmp_path / "run")
    result = run(asked, Silent())
    rows = {
        row.backend: row.device if row.ok else f"{row.status}: {row.reason}" for row in result.rows
    }
    assert rows.keys() == found.rows.keys()
    for backend, expected in found.rows.items():
        assert rows[backend].startswith(expected)
        assert "\n" not in rows[backend]
    noted = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert found.note in " ".join(noted)
    assert len(noted) == bool(found.note)
