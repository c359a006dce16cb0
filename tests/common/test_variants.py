"""The network that serves a variant and an experiment."""

import pytest

from common.errors import RequestError
from common.experiment import Experiment
from common.variants import serving

NETWORKS = {"scratch": dict, "fused": list}
EXERCISES = Experiment(input="embedding", num_layers=2)


def test_the_chapters_network_is_told_nothing():
    assert serving(NETWORKS, "scratch", Experiment()) is dict
    assert serving(NETWORKS, "fused", Experiment()) is list


def test_only_scratch_does_the_exercises():
    kept = Experiment(keep_graph=True)
    assert serving(NETWORKS, "scratch", EXERCISES)() == {"extended": True, "keep_graph": False}
    assert serving(NETWORKS, "scratch", kept)() == {"extended": True, "keep_graph": True}
    with pytest.raises(RequestError, match=r"fused .*: --input embedding --num-layers 2 needs"):
        serving(NETWORKS, "fused", EXERCISES)


def test_an_unknown_variant_is_told_with_those_that_are_known():
    with pytest.raises(RequestError, match=r"^unknown variant 'new' \(known: scratch, fused\)$"):
        serving(NETWORKS, "new", EXERCISES)
