"""What a contest answers, from turns that are made up: sentences, rankings, what cannot be told."""

import math

import numpy as np
import pytest
from rich.console import Console

from harness.bench.answers import answers
from harness.bench.charts import ranking
from harness.bench.contenders import Contender
from harness.bench.printing import show, show_comparisons, show_ranking
from harness.bench.quiet import Quiet
from harness.bench.ranking import best_against_best, comparisons_table, ranking_table
from harness.bench.ratios import ShapeResult, ratio_over, smallest_over
from harness.bench.stopping import Limits, is_precise
from harness.bench.tables import bench_table
from harness.bench.turns import SHORTEST, TURN_SECONDS, turn_seconds
from harness.bench.twins import LEAST, Twin, sameness, smallest, wanted, with_twins
from harness.intervals import Interval
from tests.harness.made_runs import made_prepared, made_turns

SHAPES = ("2x3x4x5", "4x4x4x4", "8x4x4x4")


def result(shape="2x3x4x5", noise=0.01, rounds=12, quiet=None, seed=0, **milliseconds):
    """A shape on which forms such as ``torch_fused`` took so long, the first of them twice."""
    rng = np.random.default_rng([seed, *map(ord, shape)])

    def made(kind, name, took):
        backend, variant = name.rsplit("_", 1)
        seconds = took / 1000 * np.exp(rng.normal(0, noise, rounds))
        return kind(backend.replace("_", "-"), variant, made_prepared(), made_turns(seconds))

    found = [made(Contender, *each) for each in milliseconds.items()]
    found.insert(1, made(Twin, *next(iter(milliseconds.items()))))
    return ShapeResult(shape, found, quiet or Quiet(rounds=rounds))


def over_shapes(**milliseconds):
    return [result(shape, **milliseconds) for shape in SHAPES]


def test_who_ties_is_fastest_together_and_the_others_are_so_much_slower():
    results = over_shapes(torch_fused=10, jax_fused=10.01, tensorflow_scratch=15, jax_book=30)
    first, *_ = answers(results)
    assert first.startswith("On this machine, ")
    assert "PyTorch fused and JAX fused tie; both are 1.50 [1." in first.replace(
        "JAX fused and PyTorch fused", "PyTorch fused and JAX fused"
    )
    assert first.endswith("times as fast as TensorFlow scratch.")


def test_one_is_the_fastest_of_three():
    (said,) = answers([result(torch_fused=10, jax_fused=20, tensorflow_fused=40)])
    assert said.startswith("On this machine, PyTorch fused is the fastest: ")
    assert "times as fast as JAX fused and 4.0" in said


def test_the_best_forms_stand_beside_their_own_layers():
    *_, said = answers([result(torch_fused=10, torch_concise=20, jax_concise=40)])
    assert said.startswith("Best forms: PyTorch fused (2.0")
    assert said.endswith("times its concise) and JAX concise.")


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"quiet": Quiet(rounds=12, disturbed=5)}, "the machine was busy"),
        ({"rounds": 4}, "4 rounds are too few, 6 are needed"),
    ],
)
def test_under_load_or_of_few_rounds_nothing_is_said(spoilt, why):
    mine = result(torch_fused=10, jax_fused=20, **spoilt)
    said, *_ = answers([mine])
    assert said.startswith(f"No verdict, for {why}; by its median PyTorch fused is ")
    assert {*comparisons_table([mine], "torch").verdict} == {None}
    table = ranking_table([mine], "")
    assert table[["wins", "ties", "losses"]].to_numpy().sum() == 0


def test_against_a_form_or_the_best_of_a_backend():
    results = over_shapes(torch_fused=10, torch_concise=20, jax_fused=5, jax_concise=20.01)
    for against in ("torch concise", "torch"):
        table = comparisons_table(results, against)
        told = table[(table.question == "against") & (table["shape"] == "all")]
        assert {*told.base_variant} == {"fused" if against == "torch" else "concise"}
        assert len(told) == 3
    *_, said = answers(results, "torch concise")
    assert said.startswith("Against PyTorch concise: 2 faster, 1 as fast; the fastest other, JAX")
    ranked = ranking_table(results, "torch concise").set_index(["backend", "variant"])
    assert ranked.loc["torch", "concise"].ratio == 1
    assert math.isnan(ranked.loc["torch", "concise"].low)
    assert ranked.loc["jax", "fused"].ratio == pytest.approx(4, rel=0.02)


def test_the_ranking_counts_wins_and_ties_over_shapes():
    results = [
        result(SHAPES[0], torch_fused=10, jax_fused=10.01, jax_book=30),
        result(SHAPES[1], torch_fused=10, jax_fused=8, jax_book=30),
        result(SHAPES[2], torch_fused=10, jax_fused=8, jax_book=30),
    ]
    table = ranking_table(results, "").set_index(["backend", "variant"])
    assert table.loc["jax", "fused"][["wins", "ties", "losses"]].tolist() == [2, 1, 0]
    assert table.loc["torch", "fused"][["wins", "ties", "losses"]].tolist() == [0, 1, 2]
    assert table.best.tolist() == [True, False, False]
    assert table.loc["torch", "fused"].ratio == pytest.approx((0.8 * 0.8) ** (1 / 3), rel=0.01)


def test_across_devices_nothing_is_ranked():
    mine = result(torch_fused=10, jax_fused=20)
    form = mine.forms["jax fused"]
    form.prepared = form.prepared.model_copy(update={"device": "NVIDIA H100, cuda:0"})
    assert mine.mixed
    assert answers([mine], "torch fused") == []
    assert comparisons_table([mine], "torch fused").empty
    assert ranking_table([mine], "").empty


def test_best_is_a_set_where_it_ties():
    table = ranking_table(over_shapes(torch_fused=10, jax_fused=10.01, jax_book=30), "")
    assert table.best.tolist() == [True, True, False]


def test_the_chart_of_the_ranking_has_a_dot_a_form_and_says_which_are_best():
    table = ranking_table(over_shapes(torch_fused=10, jax_fused=10.01, jax_book=30), "")
    drawn = ranking("ranking", table, len(SHAPES))
    assert drawn.table.mark.tolist() == ["best", "best", ""]
    assert drawn.table.title.tolist()[2] == "JAX book"
    assert "last JAX book, 0.33 times as fast as" in drawn.words
    assert len(drawn.picture()["datasets"]["table"]) == 3


def test_over_shapes_an_interval_is_narrower_than_on_one():
    results = over_shapes(torch_fused=10, jax_fused=11)
    whole = ratio_over(results, ["jax fused"], "torch fused")
    alone = [ratio_over([each], ["jax fused"], "torch fused") for each in results]
    assert whole.high - whole.low < np.median([each.high - each.low for each in alone])
    assert smallest_over(results) >= LEAST


def test_a_contest_of_the_same_code_calls_no_difference():
    """Two hundred contests of four forms that are one, in processes that differ by half a percent.

    A form is held against another six times in each; at most one contest in 20 may call a
    difference.
    """
    rng = np.random.default_rng(7)
    called = 0
    for seed in range(200):
        luck = np.exp(rng.normal(0, 0.005, 4)) * 10
        took = dict(zip(("a_fused", "b_fused", "c_fused", "d_fused"), luck, strict=True))
        mine = result(noise=0.05, seed=seed, rounds=8, **took)
        called += any(each.verdict != "tie" for each in best_against_best([mine]))
    assert called <= 10


def test_a_planted_slowness_of_a_tenth_is_found():
    found = 0
    for seed in range(40):
        mine = result(noise=0.05, seed=seed, rounds=60, a_fused=10, b_fused=11.1)
        found += best_against_best([mine])[0].verdict == "faster"
    assert found >= 38


def test_the_smallest_ratio_grows_with_that_of_a_thing_over_itself_and_its_width():
    assert smallest(Interval(1.0, 1 / 1.1, 1.1)) == pytest.approx(1.1**0.5)
    assert smallest(Interval(0.8, 0.8 / 1.1, 0.8 * 1.1)) == pytest.approx(1.25 * 1.1**0.5)
    assert smallest(Interval(1.0, 0.999, 1.001)) == LEAST
    assert math.isnan(smallest(Interval(1.0)))
    rng = np.random.default_rng(0)
    told = sameness("it", rng.normal(0, 0.05, 20))
    assert told.smallest > LEAST
    assert 0 <= told.false_alarms < 0.05


def test_the_twin_is_of_a_form_that_is_ready():
    names = [("torch", "scratch"), ("torch", "fused"), ("jax", "book"), ("null", "harness")]
    found = with_twins([Contender(*each) for each in names])
    torch, jax = (each for each in found if isinstance(each, Twin))
    assert [each.name for each in found] == [
        *("torch scratch", "torch fused", "torch fused again"),
        *("jax book", "jax book again", "null harness"),
    ]
    assert not wanted(torch, found)
    found[1].reason = "no such device"
    found[3].prepared = made_prepared()
    assert not wanted(torch, found)
    assert wanted(jax, found)
    found[1].reason, found[1].prepared, jax.prepared = "", made_prepared(), made_prepared()
    assert not wanted(torch, found)
    assert [e.name for e in with_twins([Contender("torch", "products")])] == ["torch products"]


# when it ends


@pytest.mark.parametrize(
    ("ratio", "precise"),
    [
        (Interval(1.0, 0.981, 1.019), True),
        (Interval(1.0, 0.97, 1.03), False),
        (Interval(1.5, 1.45, 1.55), True),  # twelve half-widths from 1
        (Interval(1.06, 1.04, 1.1), False),
        (Interval(1.0), False),
    ],
)
def test_a_ratio_is_precise_by_its_width_alone(ratio, precise):
    assert is_precise(ratio, 0.02) == precise


def test_a_contest_ends_when_it_is_precise_or_its_time_is_spent():
    precise = result(noise=0.001, torch_fused=10, jax_fused=10).found
    blurred = result(noise=0.2, torch_fused=10, jax_fused=10).found
    assert Limits(3, None, None).reached(3, 0, blurred)
    assert not Limits(3, None, None).reached(2, 99, blurred)
    assert not Limits(None, 20, 0.02).reached(5, 99, precise)  # too few for any interval
    assert Limits(None, 20, 0.02).reached(6, 20, blurred)
    assert Limits(None, 20, 0.02).reached(12, 1, precise)
    looked = Limits(None, 20, 0.02)
    assert not looked.reached(6, 1, blurred)
    assert not looked.reached(7, 1, precise)  # it looks again after a third more rounds
    assert looked.reached(8, 1, precise)


def test_where_time_is_short_turns_are_short():
    assert turn_seconds(Limits(8, None, None), 30) == TURN_SECONDS
    assert turn_seconds(Limits(None, 20, 0.02), 30) == SHORTEST
    assert SHORTEST < turn_seconds(Limits(None, 60, 0.02), 5) < TURN_SECONDS


# the screen


def test_the_screen_answers_first_and_ends_with_what_can_be_told(capsys):
    forms = {"torch_fused": 10, "torch_concise": 20, "tensorflow_concise": 40, "jax_fused": 10.01}
    results = over_shapes(**forms)
    console = Console(width=80, color_system=None)
    for against in ("", "tensorflow concise"):
        mine = results[0]
        show(console, mine, bench_table(mine.shape, mine.found, mine.quiet), against)
        show_comparisons(console, comparisons_table(results, against))
        show_ranking(console, results, ranking_table(results, against), against)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2x3x4x5: On this machine, ")
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert not [line for line in lines if "…" in line]
    said = " ".join(" ".join(lines).split())
    assert "the same code twice (torch fused): " in said
    assert "the smallest ratio that can be told here today: 1.02 Best against best" in said
    assert "the base is tensorflow concise" in said
    assert "the machine was quiet: " in said
