import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from common.decoding import chooser, greedy, sampler
from common.experiment import Experiment

LOGITS = arrays(np.float32, st.integers(1, 9), elements=st.floats(-50, 50, width=32))
POSITIVE = st.floats(1e-3, 1e3)


@given(LOGITS)
def test_greedy_takes_the_first_of_equals(logits):
    assert greedy(logits) == [*logits].index(max(logits))


def test_tokens_come_as_often_as_their_probabilities_say():
    logits, alpha, temperature = np.array([0.3, -1.0, 1.2, 0.0]), 1.7, 0.6
    sample = sampler(alpha, temperature, seed=3)
    counts = np.bincount([sample(logits) for _ in range(20_000)], minlength=4)
    expected = np.exp(logits * alpha / temperature)
    np.testing.assert_allclose(counts / 20_000, expected / expected.sum(), atol=0.01)


@given(LOGITS, POSITIVE, POSITIVE, st.integers(0, 2**32 - 1))
def test_the_seed_decides_and_only_the_quotient_matters(logits, alpha, temperature, seed):
    drawn = [sampler(alpha, temperature, seed)(logits) for _ in range(2)]
    assert drawn[0] == drawn[1] < len(logits)
    again = sampler(2 * alpha, 2 * temperature, seed)  # powers of two: exactly the same
    assert again(logits) == drawn[0]


@pytest.mark.parametrize("logits", [[np.nan, 1], [np.inf, 1], [np.inf, np.inf], [1e300, -1e300]])
@pytest.mark.parametrize("temperature", [1e-300, 1.0, 1e9])
def test_a_network_that_diverged_still_writes(logits, temperature):
    assert sampler(1.0, temperature, 0)(np.array(logits)) in (0, 1)


def test_the_experiment_decides():
    assert chooser(Experiment()) is greedy
    cold = Experiment(decode="sample", temperature=1e-9)
    assert [chooser(cold)(np.array([0.0, 2.0, 1.0])) for _ in range(9)] == [1] * 9
