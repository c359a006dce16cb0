"""Blocks of the minibatch in ``fused``: those of the contract suite are too small to be cut."""

import pytest

import backends
from common import blocks
from common.experiment import Experiment
from common.parity import over_tolerance
from common.parity_grid import Case, check


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
@pytest.mark.parametrize("sampling", ["sequential", "sliding"])
def test_blocks_of_the_minibatch_add_up(only, monkeypatch, name, sampling):
    only(name)
    monkeypatch.setattr(blocks, "NARROWEST", 5)
    monkeypatch.setattr(blocks, "CACHE", 4_000)
    assert blocks.number_of_blocks(24, 4, 8, 5) > 1
    experiment = Experiment(
        num_hiddens=8, batch_size=50, num_steps=4, clip_theta=0.05, lr=0.3, dtype="float64",
        sampling=sampling, device="cpu",
    )  # fmt: skip
    backend = backends.load(name)
    errors = check(
        lambda *given: backend.build(given[0], "fused", given[1]), Case("", experiment), steps=4
    )
    assert over_tolerance(errors, "float64") == {}
