"""Answers of sweeps whose figures are made up: who overtakes whom, slopes, what is flat."""

import io
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from rich.console import Console

from common.floor import PASSES
from harness.bench.contenders import Contender
from harness.bench.quiet import Quiet
from harness.bench.ratios import ShapeResult
from harness.bench.twins import Twin
from harness.intervals import Interval
from harness.scale.answers import answers
from harness.scale.epochs import LongRun, relative_costs, rows_of_runs
from harness.scale.overtaking import overtakings
from harness.scale.printing import show
from harness.scale.ranges import Vary
from harness.scale.slopes import expected, fitted, slopes, verdict_on
from harness.scale.swept import Swept, relative
from harness.scale.tables import rows_of, table_of
from harness.workers.protocol import TextTimed
from tests.harness.made_runs import made_prepared, made_turns

BASE = "32x35x256x28"
SIZES = (32, 64, 128, 256)


def contest(shape, quiet=None, rounds=10, **milliseconds):
    """A contest in which forms such as ``torch_fused`` took so long; one of them twice."""
    rng = np.random.default_rng([*map(ord, shape)])
    found = []
    for name, took in milliseconds.items():
        seconds = took / 1000 * np.exp(rng.normal(0, 0.003, rounds))
        found.append(Contender(*name.rsplit("_", 1), made_prepared(), made_turns(seconds)))
        found[-1].texts = [TextTimed(first_token=1e-3, seconds=took)] * 6
        if len(found) == 1:
            again = made_turns(seconds * np.exp(rng.normal(0, 0.003, rounds)))
            found.append(Twin(*name.rsplit("_", 1), made_prepared(), again))
    fastest = min(milliseconds.values()) / 1000
    turn = {"H W_hh": {"a": fastest / 2}} | {name: {"a": fastest / 12} for name in PASSES}
    found.append(Contender("torch", "products", products=[turn]))
    return ShapeResult(shape, found, quiet or Quiet(rounds=rounds))


def swept(dimension="num_hiddens", sizes=SIZES, quiet=None, **milliseconds):
    """A sweep in which forms took so long, a function of size each."""
    points = []
    for size in sizes:
        took = {name: of(size) for name, of in milliseconds.items()}
        points.append((size, contest(f"32x35x{size}x28", quiet, **took)))
    rows = [row for point in points for row in rows_of(dimension, *point)]
    quiets = [r.quiet for _, r in points]
    return Swept(Vary(dimension, sizes), table_of(rows), points, relative(points), quiets)


def said(of):
    return answers(of, overtakings(of.points), slopes(of, BASE))


def drifting(of):
    """The same sweep on a machine that was slower in every round, by as much for all sizes."""
    for _, result in of.points:
        for form in result.forms.values():
            form.turns = made_turns([t.seconds * 1.1**i for i, t in enumerate(form.turns)])
    return replace(of, relative=relative(of.points))


def test_the_point_of_overtaking_is_found_where_it_was_planted():
    """One costs 1 + H / 90, the other H / 50: as much at H = 112.5, between 64 and 128."""
    of = swept(jax_fused=lambda H: 1 + H / 90, torch_fused=lambda H: H / 50)
    (found,) = overtakings(of.points)
    assert (found.form, found.other) == ("jax fused", "torch fused")
    assert (found.value, found.at) == (128, 256)
    assert found.crossing == pytest.approx(112.5, rel=0.05)
    assert found.ratio.median == pytest.approx((256 / 50) / (1 + 256 / 90), rel=0.01)
    power, end, first, text = said(of)
    assert first.startswith(
        "From 128 hidden units on, JAX fused overtakes PyTorch fused; at 256 it"
    )
    assert first.endswith("times as fast, 0.50 of the floor (0.75 of all operations).")
    assert power.startswith("Power of num_hiddens that a step costs, from 32 to 256 hidden units")
    assert "; steeper" not in power
    assert ": flatter: PyTorch fused 1.0" in power
    assert " and JAX fused 0." in power
    assert end.startswith("Power of num_hiddens that a step costs, from 128 to 256 hidden units")
    assert text.startswith("JAX fused writes the fastest at 256 hidden units: ")


def test_who_leads_throughout_overtakes_nobody():
    of = swept(jax_fused=lambda H: H / 90, torch_fused=lambda H: H / 50)
    assert overtakings(of.points) == []
    assert said(of)[2].startswith("From 32 to 256 hidden units, JAX fused is the fastest, at 256")


def test_a_lead_that_is_lost_again_is_no_overtaking():
    of = swept(jax_fused=lambda H: {32: 2, 64: 1, 128: 2, 256: 1}[H], torch_fused=lambda H: 1.5)
    (found,) = overtakings(of.points)
    assert found.value == 256
    of = swept(jax_fused=lambda H: {32: 2, 64: 1, 128: 2, 256: 2}[H], torch_fused=lambda H: 1.5)
    assert [(each.form, each.value) for each in overtakings(of.points)] == [("torch fused", 128)]


def test_of_a_tie_and_of_a_busy_machine_no_overtaking_is_told():
    crossing = {"jax_fused": lambda H: 1 + H / 90, "torch_fused": lambda H: H / 50}
    busy = swept(quiet=Quiet(rounds=10, disturbed=5), **crossing)
    assert overtakings(busy.points) == []
    assert all(each.startswith("No verdict, for the machine was busy") for each in said(busy)[:3])
    tied = swept(jax_fused=lambda H: H, torch_fused=lambda H: H * (2 if H < 256 else 1))
    assert overtakings(tied.points) == []
    assert "tie: 1.0" in said(tied)[2]


def test_one_form_alone_has_its_two_ends():
    _, _, first, _ = said(swept(jax_fused=lambda H: H / 32))
    assert first.startswith("JAX fused: 1,12")
    assert "tokens/s, 32 to 256 hidden units, 0.50 of the floor (0.75 of all operations)." in first


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_a_slope_is_the_power_that_was_planted(power):
    of = drifting(swept(jax_fused=lambda H: 3 * H**power))
    found, end = (each for each in slopes(of, BASE) if each.backend == "jax")
    assert (found.first, found.last, end.first, end.last) == (32, 256, 128, 256)
    for each, blur in ((found, 0.01), (end, 0.03)):
        assert power - blur < each.low < each.slope < each.high < power + blur
    (slope,) = fitted(SIZES, [np.log([3.0 * size**power]) for size in SIZES])
    assert slope == pytest.approx(power)


@pytest.mark.parametrize(
    ("slope", "half", "power", "verdict"),
    [
        (1.01, 0.01, 1, "as the products say"),
        (1.2, 0.1, 1, "steeper"),
        (0.8, 0.1, 1, "flatter"),
        (1.05, 0.1, 1, "cannot tell"),
        (1.0, math.nan, 1, "cannot tell"),
        (-0.6, 0.1, -1, "flatter"),
        (0.0, 0.02, 0, "as the products say"),
        (0.2, 0.02, 0, "steeper"),
    ],
)
def test_a_verdict_on_a_slope_is_by_all_of_its_interval(slope, half, power, verdict):
    """Within a tenth from end to end: 0.069 of a power over four doublings."""
    found = Interval(slope, slope - half, slope + half)
    assert verdict_on(found, power, (16, 32, 64)) == verdict


def test_two_batches_have_no_slope_to_judge():
    """Who waited for another batch took no turns with the first size."""
    of = swept(jax_fused=lambda H: H)
    of.points[1][1].forms["jax fused"].batch = 2
    (found, *_) = slopes(replace(of, relative=relative(of.points)), BASE)
    assert found.slope == pytest.approx(1, abs=0.01)
    assert (math.isnan(found.low), found.verdict) == (True, "cannot tell")


def test_the_products_are_linear_in_batch_and_about_quadratic_in_hiddens():
    assert expected("batch_size", BASE, (1, 8, 64)) == pytest.approx(1)
    assert expected("num_steps", BASE, (8, 64)) == pytest.approx(1, abs=0.05)
    assert 1.8 < expected("num_hiddens", BASE, (256, 1024)) < 2
    assert (expected("threads", BASE, (1, 2)), expected("corpus_size", BASE, (1, 2))) == (-1, 0)


def test_a_batch_twice_as_large_costs_a_step_that_is_twice_as_long():
    """A step's cost is that of all its tokens, which are more; so is that of its products."""
    points = [(B, contest(f"{B}x35x256x28", jax_fused=B)) for B in (1, 8, 64)]
    rows = [row for point in points for row in rows_of("batch_size", *point)]
    of = Swept(Vary("batch_size", (1, 8, 64)), table_of(rows), points, relative(points))
    for found in slopes(of, BASE):
        assert found.slope == pytest.approx(1, abs=0.01)
        assert found.expected == pytest.approx(1)


def long(growth, slower, phases=(1, 1, 1, 1, 1, 1)):
    """Long runs whose memory grows and whose later epochs are slower, or by a machine's phase."""
    runs, values = [], (100, 1000)
    for phase in phases:
        run = LongRun("jax", "fused", Quiet(rounds=1))
        run.speeds = [1000.0] * 500 + [1000.0 / slower / phase] * 500
        run.memory_mb = {100: 200.0, 1000: 200.0 * growth}
        runs.append(run)
    costs = {"jax fused": relative_costs(runs, values)}
    table = table_of(rows_of_runs(runs, values))
    return Swept(Vary("num_epochs", values), table, [], costs, [run.quiet for run in runs])


def test_what_is_flat_is_said_to_be_within_so_much():
    (told,) = said(long(1.01, 1.03))
    ends = "from 100 to 1,000 epochs"
    cost = f"The cost of a token is flat in the length of the run: within 3 %, {ends}; at most, "
    case = "JAX fused costs 1.03 [1.03, 1.03] times as much at 1,000 epochs."
    assert told == f"{cost}{case} Memory grows by at most 1 % (2.0 MB, JAX fused), {ends}."


def test_what_is_not_flat_is_named():
    (told,) = said(long(1.5, 1.4))
    case = "JAX fused costs 1.40 [1.40, 1.40] times as much at 1,000 epochs"
    assert f"is NOT flat in the length of the run: {case}" in told
    assert " Memory GROWS by at most 50 % (100.0 MB" in told


def test_a_machine_that_changes_its_speed_in_some_runs_condemns_none():
    (told,) = said(long(1.0, 1.0, phases=(1, 0.7, 1, 1.4, 1, 0.7)))
    assert "NOT" not in told
    assert "If the cost of a token is flat in the length of the run, rounds are too few: " in told


def test_where_rounds_are_too_few_the_form_is_named_that_cannot_be_told():
    of = swept("corpus_size", (1024, 4096), jax_fused=lambda n: 2, torch_fused=lambda n: 3)
    costs = {"jax fused": np.full(10, 0.05), "torch fused": np.linspace(-0.4, 0.4, 10)}
    (told,) = said(replace(of, relative={name: {4096: logs} for name, logs in costs.items()}))
    assert "rounds are too few: PyTorch fused costs 1.00 [" in told


def test_a_text_may_cost_the_same_while_the_machine_drifts():
    """Each round is a tenth slower than the one before; the sizes of a round are as fast."""
    of = swept("corpus_size", (1024, 4096), jax_fused=lambda n: 2, torch_fused=lambda n: 3)
    of = drifting(of)
    (told,) = said(of)
    assert told.startswith("The cost of a token is flat in the size of the text: within 1 %")
    for form in of.points[1][1].forms.values():
        form.turns.reverse()  # none is of the round of the one that it is held against
    (told,) = said(replace(of, relative=relative(of.points)))
    assert "flat in the size of the text, rounds are too few: " in told


def test_threads_are_held_against_one():
    of = swept("threads", (1, 2), jax_fused=lambda n: 4 / n, torch_fused=lambda n: 6 / n**0.5)
    gain, fastest = said(of)
    assert gain.startswith("With 2 threads instead of 1, JAX fused is 2.0")
    assert " times as fast and PyTorch fused 1.4" in gain
    assert fastest.startswith("From 1 to 2 threads, JAX fused is the fastest")


@pytest.mark.parametrize("sizes", [SIZES, SIZES[:2]])
def test_on_a_terminal_of_80_columns_nothing_is_cut_off(sizes):
    names = ("mxnet-style_scratch", "torch_fused", "tensorflow_concise")
    of = swept(sizes=sizes, **dict.fromkeys(names, lambda H: H / 1000))
    powers = [asdict(each) for each in slopes(of, BASE)]
    written = io.StringIO()
    facts = {"answers": {"num_hiddens": said(of)}, "slopes": powers}
    show(Console(file=written, width=80), of, facts, BASE)
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in written.getvalue()
    assert sum(line.split()[:1] == ["32"] for line in lines) == 1
    tables = 1 + (len(sizes) > 2)  # slopes, and those at the end
    assert sum("tensorflow concise" in line for line in lines) == len(sizes) + tables
    heads = next(line for line in lines if "tokens/s" in line and "form" in line)
    assert heads.split() == "size form tokens/s +- floor MB text/s 1st ms".split()


def test_nobody_has_figures():
    empty = Swept(Vary("num_hiddens", SIZES), table_of([]))
    assert said(empty) == ["Nobody has figures."]
