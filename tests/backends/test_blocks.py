"""Parts and blocks of a minibatch in ``fused``; the contract suite has none that are cut."""

import pytest

import backends
from common import blocks
from common.experiment import Experiment
from common.parity import over_tolerance
from common.parity_grid import Case, check
from rnn_rosetta_suite.haste import in_haste


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
@pytest.mark.parametrize("sampling", ["sequential", "sliding"])
@pytest.mark.parametrize("cores", [1, 3])
def test_parts_and_blocks_add_up(only, monkeypatch, name, sampling, cores):
    """Parts are uneven here, and in blocks where their number of sequences has divisors."""
    only(name)
    backend = backends.load(name)
    monkeypatch.setattr(backend.fused, "CORES", cores)
    monkeypatch.setattr(blocks, "NARROWEST", 5)
    monkeypatch.setattr(blocks, "CACHE", 4_000)
    assert blocks.number_of_blocks(50, 4, 8, 5) > 1
    experiment = Experiment(
        num_hiddens=8, batch_size=50, num_steps=4, clip_theta=0.05, lr=0.3, dtype="float64",
        sampling=sampling, device="cpu",
    )  # fmt: skip
    with in_haste(name, compiled=True):
        errors = check(
            lambda *given: backend.build(given[0], "fused", given[1]), Case("", experiment), steps=4
        )
    assert over_tolerance(errors, "float64") == {}
