"""Effects of a study's settings: of cells that differ in one alone, and in words."""

import numpy as np
import pandas as pd
import pytest

from harness.study.effects import by_row, effects
from harness.study.words import in_words


def table(seeds, lost=()):
    """ReLU halves the perplexity, clipping does nothing; a seed adds a hundredth of its number."""
    rows = [
        {
            "activation": activation,
            "clip_theta": clip,
            "panel": f"{activation}, clip_theta {clip}",
            "backend": backend,
            "variant": "scratch",
            "seed": seed,
            "end": np.nan if (backend, seed) in lost else {"tanh": 8, "relu": 4}[activation] + seed,
        }
        for activation in ("tanh", "relu")
        for clip in (0, 1)
        for backend in ("torch", "jax")
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_an_effect_is_that_of_one_setting_with_all_others_the_same():
    relu, clip = effects(table(1), ["activation", "clip_theta"])
    assert relu.title == "relu rather than tanh"
    assert relu.times.median == relu.times.low == relu.times.high == 0.5
    assert relu.times.of == "range over 4"
    assert clip.title == "clip_theta 1 rather than 0"
    assert clip.times.median == 1


def test_of_six_seeds_it_has_an_interval_and_of_fewer_a_range():
    (first, _), (few, _) = (effects(table(n), ["activation", "clip_theta"]) for n in (7, 5))
    assert first.times.of == "95 % interval, 7 seeds"
    assert few.times.of == "range over 20"
    assert first.times.low <= first.times.median <= first.times.high
    assert first.times.median == pytest.approx(7 / 11)  # that of seed 3


def test_the_answer_names_the_best_and_what_each_setting_does():
    names = ["activation", "clip_theta"]
    said = in_words(table(1), names, effects(table(1), names))
    assert said == (
        "Best relu, clip_theta 0, and relu, clip_theta 1: 4.000; perplexity is 50% lower with relu "
        "rather than tanh (0.50 to 0.50 times, range over 4); the same with clip_theta 1 rather "
        "than 0 (1.00 to 1.00 times, range over 4)."
    )
    alone = table(1).query("clip_theta == 0")
    alone = alone.assign(panel=alone.activation)
    assert in_words(alone, ["activation"], effects(alone, ["activation"])) == (
        "Best relu: 4.000, then tanh: 8.000; perplexity is 50% lower with relu rather than tanh "
        "(0.50 to 0.50 times, range over 2)."
    )


def test_seeds_alone_are_answered_by_how_far_they_lie_apart():
    seeds = table(10).query("activation == 'tanh' and clip_theta == 0").assign(panel="10 seeds")
    said = in_words(seeds, [], [])
    assert said.startswith("By 112.5%: 10 seeds end between 8.000 and 17.000; their median is 12.5")
    assert "95 % interval, 10 seeds" in said
    rows = by_row(seeds)
    assert list(dict.fromkeys(rows.row)) == [f"seed {seed}" for seed in range(10)]


def test_what_was_lost_is_told_and_counts_nowhere():
    lost = table(2, lost=[("jax", 1)])
    said = in_words(lost, ["activation"], effects(lost, ["activation", "clip_theta"]))
    assert said.endswith("4 of 16 trainings did not come to their end.")
    assert len(by_row(lost)) == 8
    assert in_words(lost.assign(end=np.nan), ["activation"], []) == "Nothing learned."
