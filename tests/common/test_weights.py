import numpy as np
import pytest

from common.weights import NAMES, draw_weights


@pytest.mark.parametrize(("init", "deviations"), [("normal", (0.02,) * 3), ("he_normal", None)])
def test_distributions(init, deviations):
    weights = draw_weights(300, 400, init, sigma=0.02, seed=1)
    assert tuple(weights) == NAMES
    deviations = deviations or tuple(np.sqrt(2 / n) for n in (300, 400, 400))
    for name, deviation in zip(("W_xh", "W_hh", "W_hq"), deviations, strict=True):
        assert weights[name].std() == pytest.approx(deviation, rel=0.01)
        assert abs(weights[name].mean()) < deviation / 50
    assert not weights["b_h"].any()
    assert not weights["b_q"].any()


def test_he_normal_is_truncated_at_two_deviations_of_the_untruncated():
    largest = np.abs(draw_weights(300, 400, "he_normal")["W_hh"]).max()
    assert largest == pytest.approx(2 * np.sqrt(2 / 400) / 0.8796256610342398, rel=1e-3)


def test_the_seed_decides_and_float32_holds_every_value():
    one, same, other = (draw_weights(28, 16, seed=seed) for seed in (1, 1, 2))
    for name in ("W_xh", "W_hh", "W_hq"):
        np.testing.assert_array_equal(one[name], same[name])
        assert (one[name] != other[name]).all()
        np.testing.assert_array_equal(one[name].astype(np.float32).astype(np.float64), one[name])
