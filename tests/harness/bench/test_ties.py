"""Ties in the report of a benchmark: by the smallest ratio that the benchmark could tell."""

from pathlib import Path

import pandas as pd
import pytest

from harness.bench.report import titled
from harness.records.reading import BenchData

SHAPE = "2x3x4x5"


@pytest.mark.parametrize(("same", "tie"), [({"smallest": 1.1}, True), (None, False)])
def test_a_difference_below_what_the_machine_can_tell_is_a_tie(same, tie):
    forms = [("torch", 1.0), ("jax", 1.05)]
    figures = pd.DataFrame(
        [[name, "fused", SHAPE, 100 / seconds] for name, seconds in forms],
        columns=["backend", "variant", "shape", "tokens_per_sec"],
    )
    rounds = pd.DataFrame(
        [
            [name, "fused", SHAPE, n, seconds + n / 1000]
            for name, seconds in forms
            for n in range(8)
        ],
        columns=["backend", "variant", "shape", "round", "seconds"],
    )
    facts = {"shapes": [{"shape": SHAPE, "same": same}]}
    table = titled(figures, BenchData(Path(), facts, figures, rounds))
    assert table.ties.tolist() == [True, tie]
