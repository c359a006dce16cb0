"""Intervals: that they hold the truth 19 times in 20, and what is said of them."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.intervals import FEWEST, Interval, bounds, interval, ratio_of_separate, verdict
from harness.paths import ROOT

TRIALS = 1000


@pytest.fixture(scope="module")
def noise():
    """Logarithms of seconds in the committed rounds, less the mean of each network's own.

    All by a tenth: a contest has the spread of its own networks, not that of all together.
    """
    table = pd.read_csv(ROOT / "results" / "bench" / "rounds.csv", keep_default_na=False)
    table = table[table.backend != "null"].assign(logs=lambda of: np.log(of.seconds))
    logs = table.groupby(["backend", "variant", "shape"]).logs
    return (0.1 * (table.logs - logs.transform("mean")) / logs.transform("std")).to_numpy()


@pytest.mark.parametrize("rounds", [6, 8, 12, 20])
def test_paired_intervals_of_our_own_noise_cover_19_in_20(noise, rounds):
    rng = np.random.default_rng(rounds)
    drawn = rng.choice(noise, (2, TRIALS, rounds))
    found = [interval(np.exp(each)) for each in drawn[0] - drawn[1]]  # a pair of the same: ratio 1
    covered = np.mean([each.low <= 1 <= each.high for each in found])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("rounds", [6, 8, 12, 20])
def test_intervals_of_a_single_figure_cover_19_in_20(noise, rounds):
    rng = np.random.default_rng(rounds)
    true = math.exp(float(np.median(noise)))
    found = [interval(each) for each in np.exp(rng.choice(noise, (TRIALS, rounds)))]
    covered = np.mean([each.low <= true <= each.high for each in found])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("rounds", [(6, 6), (8, 12), (12, 12), (20, 20)])
def test_intervals_of_separate_runs_cover_19_in_20(noise, rounds):
    rng = np.random.default_rng(1)
    old, new = (np.exp(rng.choice(noise, (TRIALS, n))) for n in rounds)
    found = [ratio_of_separate(*pair) for pair in zip(new, old, strict=True)]
    covered = np.mean([each.low <= 1 <= each.high for each in found])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("count", [*range(FEWEST, 60), 100, 101, 500, 5000])
def test_intervals_are_those_of_scipy(count):
    from scipy.stats import mstats  # it takes a second, in one process alone

    given_values = np.exp(np.random.default_rng(count).standard_normal(count))
    low, high = mstats.median_cihs(given_values, 0.05)
    found = interval(given_values)
    assert found.low == pytest.approx(low, rel=1e-12)
    assert found.high == pytest.approx(high, rel=1e-12)


values = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30)


@settings(deadline=None)  # SciPy is imported at its first use
@given(values)
def test_an_interval_holds_its_median_and_stays_within_the_values(given_values):
    found = interval(given_values)
    if len(given_values) < FEWEST:
        assert not found.known
    else:
        assert min(given_values) <= found.low * (1 + 1e-12)
        assert found.low <= found.median <= found.high <= max(given_values) * (1 + 1e-12)
    assert found.median == interval(given_values).median


@settings(deadline=None)
@given(values, values)
def test_separate_runs_mirror_each_other(new, old):
    found, back = ratio_of_separate(new, old), ratio_of_separate(old, new)
    assert found.median == pytest.approx(1 / back.median)
    assert found.known == back.known == (min(len(new), len(old)) >= FEWEST)
    if found.known:
        assert found.low <= found.median <= found.high
        assert found.low == pytest.approx(1 / back.high)


@pytest.mark.parametrize(
    ("ratio", "smallest", "said"),
    [
        (Interval(1.5, 1.2, 1.7), 1.02, "faster"),
        (Interval(0.8, 0.7, 0.9), 1.02, "slower"),
        (Interval(1.0, 0.9, 1.1), 1.02, "tie"),
        (Interval(1.09, 1.001, 1.13), 1.02, "tie"),
        (Interval(1.09, 1.05, 1.13), 1.06, "tie"),
        (Interval(0.95, 0.945, 0.955), 1.06, "tie"),
        (Interval(1.5), 1.02, None),
        (Interval(1.5, 1.2, 1.7), math.nan, None),
    ],
)
def test_the_words(ratio, smallest, said):
    assert verdict(ratio, smallest) == said


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ((1.0249, 1.13), "1.02 to 1.13"),
        ((0.9712, 0.9781), "0.97 to 0.98"),
        ((1.0, 1.0), "1.00 to 1.00"),
        ((10.526, 12.001), "10.52 to 12.01"),
        ((0.00123, 0.5), "0.0012 to 0.5000"),
        ((math.nan, 1.0), "-"),
        ((None, None), "-"),
        ((1e7, 2e8), "1e+07 to 2e+08"),
    ],
)
def test_bounds_are_rounded_outwards(ends, shown):
    assert bounds(*ends) == shown


@given(st.floats(1.0201, 3), st.floats(1, 2))
def test_what_is_printed_never_contradicts_the_verdict(low, wide):
    faster, slower = Interval(low, low, low * wide), Interval(1 / low, 1 / (low * wide), 1 / low)
    assert (verdict(faster, 1.02), verdict(slower, 1.02)) == ("faster", "slower")
    assert float(bounds(faster.low, faster.high).split(" to ")[0]) > 1
    assert float(bounds(slower.low, slower.high).split(" to ")[1]) < 1
