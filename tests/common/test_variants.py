"""Which network serves a variant and an experiment."""

import pytest

from common.errors import RequestError
from common.experiment import Experiment
from common.variants import pages, serving

NETWORKS = {"scratch": object(), "fused": object()}
CHAPTER, EXERCISES = Experiment(), Experiment(input="embedding", num_layers=2)


def test_only_scratch_does_the_exercises():
    assert serving(NETWORKS, "scratch", EXERCISES) is NETWORKS["scratch"]
    assert serving(NETWORKS, "fused", CHAPTER) is NETWORKS["fused"]
    with pytest.raises(RequestError, match=r"fused .*: --input embedding --num-layers 2 needs"):
        serving(NETWORKS, "fused", EXERCISES)


def test_an_unknown_variant_is_told_with_those_that_are_known():
    with pytest.raises(RequestError, match=r"^unknown variant 'new': \(known: scratch, fused\)$"):
        serving(NETWORKS, "new", EXERCISES)


def test_the_exercises_take_the_recurrence_and_the_kept_graph_the_step_too():
    names = "scratch", "exercises"
    assert pages(*names, CHAPTER) == ("scratch", "scratch")
    assert pages(*names, EXERCISES) == ("exercises", "scratch")
    assert pages(*names, Experiment(keep_graph=True)) == ("exercises", "exercises")
