"""``bench``: turns in shuffled rounds, honest intervals, no figure for what has not earned it."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from common.errors import RequestError
from common.floor import SOFTMAX, TANH, TANH_GRADIENT
from harness.bench import rounds as bench
from harness.bench import turns
from harness.bench.answers import answers
from harness.bench.contenders import Contender, Contest, contenders
from harness.bench.floor import floor
from harness.bench.quiet import Quiet
from harness.bench.ratios import ShapeResult
from harness.bench.tables import COLUMNS, bench_table, break_even, circumstances, rounds_table
from harness.bench.turns import time_shape
from harness.bench.twins import Twin
from harness.cli import app
from harness.records.reading import read_bench
from harness.workers.protocol import Prepared, Turn

SHAPE = "2x3x4x5"


def timed(*names):
    """The contenders after a benchmark of the smallest shape, by name."""
    asked = Contest(names, (), 3, {"device": "cpu"}, {})
    found, _ = contenders(asked)
    found = [each for each in found if each.backend in names or each.backend == "null"]
    time_shape(asked, SHAPE, found, lambda said: None)
    return {each.name: each for each in found}


def made_up(backend, variant, seconds, compile_seconds=0.0, devices=1, twin=False):
    turns = [Turn(seconds=each, cores_busy=1.0) for each in seconds]
    prepared = Prepared.model_construct(compile_seconds=compile_seconds, device="cpu")
    kind = Twin if twin else Contender
    return kind(backend, variant, prepared, turns, devices=devices)


# the figures


def test_ratios_are_of_the_same_round():
    """A machine that slows everybody down threefold in half of the rounds changes no ratio."""
    weather = np.array([1, 3] * 5)
    found = [
        made_up("torch", "concise", 2e-3 * weather),
        made_up("torch", "fused", 1e-3 * weather),
        made_up("torch", "scratch", 2e-3 * weather[::-1]),
        made_up("torch", "fused", 1e-3 * weather, twin=True),
    ]
    table = bench_table(SHAPE, found).set_index("variant")
    fused, concise = table.loc["fused"], table.loc["concise"]
    assert (fused.ratio_to_concise, fused.ratio_low, fused.ratio_high) == (2, 2, 2)
    assert (fused.verdict, table.loc["scratch"].verdict) == ("faster", "tie")
    assert fused.low < fused.high
    assert concise.ratio_to_concise == 1  # of itself there is no interval, and no verdict
    assert math.isnan(concise.ratio_low)
    assert pd.isna(concise.verdict)
    assert list(table.index) == ["concise", "fused", "scratch"]
    assert table.loc["fused"].code_lines > 20


@pytest.mark.parametrize("spoilt", ["five rounds", "no twin", "busy"])
def test_verdicts_are_withheld_rather_than_wrong(spoilt):
    rounds = 5 if spoilt == "five rounds" else 10
    found = [
        made_up("torch", "concise", [2e-3] * rounds),
        made_up("torch", "fused", [1e-3] * rounds),
        made_up("torch", "fused", [1e-3] * rounds, twin=True),
    ]
    quiet = Quiet(rounds=rounds, disturbed=2 if spoilt == "busy" else 0)
    table = bench_table(SHAPE, found[: 2 if spoilt == "no twin" else 3], quiet)
    fused = table.set_index("variant").loc["fused"]
    assert fused.ratio_to_concise == 2
    assert pd.isna(fused.verdict)
    assert math.isnan(fused.ratio_low) == (spoilt == "five rounds")


def test_break_even():
    book = made_up("jax", "book", [1.0, 1.0], compile_seconds=2)
    assert break_even(made_up("jax", "fused", [0.5, 0.5], compile_seconds=4.1), book) == 5
    assert break_even(made_up("jax", "fused", [0.5, 0.5], compile_seconds=1), book) == 0
    assert break_even(made_up("jax", "fused", [1.5, 1.5], compile_seconds=4), book) == math.inf


def test_the_floor_takes_each_product_where_it_is_fastest():
    def library(name, first, second):
        turn = {"H W_hh": {"a": first}, "H W_hq": {"a": second}}
        return Contender(name, "products", products=[turn, turn])

    found = [library("torch", 2.0, 1.0), library("jax", 1.0, 2.0), made_up("jax", "fused", [4.0])]
    assert next(iter(floor(found)["H W_hh"].items())) == ("jax: a", 1.0)
    table = bench_table(SHAPE, found).set_index("backend")
    assert table.loc["floor"].tokens_per_sec == 2 * 3 / 2
    assert table.loc["jax"].floor_fraction == 0.5
    assert math.isnan(table.loc["jax"].operations_fraction)  # no pass was timed


def test_the_floor_of_all_operations_has_every_pass_in_its_fastest_way():
    def library(name, tanh, softmax):
        turn = {"H W_hh": {"a": 2.0, "b": 9.0}, TANH: {"a": 9.0, "b": tanh}}
        turn |= {TANH_GRADIENT: {"a": 1.0}, SOFTMAX: {"a": softmax}}
        return Contender(name, "products", products=[turn, turn])

    found = [library("torch", 3.0, 2.0), library("jax", 1.0, 4.0), made_up("jax", "fused", [12.0])]
    table = bench_table(SHAPE, found).set_index("variant")
    fused, products, operations = (table.loc[each] for each in ("fused", "products", "operations"))
    assert (fused.floor_fraction, fused.operations_fraction) == (2 / 12, (2 + 1 + 1 + 2) / 12)
    assert (products.floor_fraction, operations.operations_fraction) == (1, 1)
    assert operations.tokens_per_sec == 2 * 3 / 6
    rounds = rounds_table(SHAPE, found).set_index(["backend", "variant", "round"]).seconds
    of_libraries = [rounds[name, each, 2] for name in ("torch", "jax")
                    for each in ("products", "operations")]  # fmt: skip
    assert of_libraries == [2, 8, 2, 8]
    told = circumstances(SHAPE, found)
    assert told["passes"][SOFTMAX] == {"torch: a": {"seconds": 2}, "jax: a": {"seconds": 4}}
    assert answers([ShapeResult(SHAPE, found)])[-1].endswith(
        "fused reaches 0.17 of the speed of the matrix products alone and 0.50 of that of all "
        "operations."
    )


def test_scaling_efficiency_is_of_the_speed_on_one_device():
    found = [
        made_up("torch", "scratch", [4.0, 8.0]),
        made_up("torch", "scratch", [2.5, 5.0], devices=2),
    ]
    table = bench_table(SHAPE, found).set_index("variant")
    assert table.loc["scratch x 2"].scaling_efficiency == 0.8
    assert math.isnan(table.loc["scratch"].scaling_efficiency)


def test_several_devices_are_timed_beside_one_by_those_who_have_them():
    found, _ = contenders(Contest((), (), 3, {"device": "cpu", "devices": 2}, {}))
    named = {each.name for each in found if each.variant not in ("products", "harness")}
    assert named <= {
        *(
            f"{name} scratch{more}"
            for name in ("torch", "jax", "tensorflow", "mxnet")
            for more in ("", " x 2")
        ),
    }


def test_simulated_devices_have_no_figure(registered, short_turns):
    name = registered("pass", devices="together")
    asked = Contest((name,), (), 2, {"device": "cpu", "devices": 2}, {})
    found = [each for each in contenders(asked)[0] if each.backend == name]
    time_shape(asked, SHAPE, found, lambda said: None)
    alone, together = found
    assert alone.reason == ""
    assert together.name == "own scratch x 2"
    assert "simulated devices share a CPU" in together.reason
    assert list(bench_table(SHAPE, found).variant) == ["scratch"]


# the turns


def test_everybody_is_timed_in_every_round_in_another_order_and_waits_without_a_cpu(
    monkeypatch, alone
):
    order = []
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.03)
    take_turn = bench._take_turn
    monkeypatch.setattr(
        bench, "_take_turn", lambda each, *rest: (order.append(each.name), take_turn(each, *rest))
    )
    found = timed("mxnet-style")
    assert set(found) == {
        *(
            f"mxnet-style {variant}"
            for variant in ("scratch", "fused", "concise", "object", "book")
        ),
        *("mxnet-style products", "null harness"),
    }
    for each in found.values():
        assert each.reason == ""
        assert len(each.turns or each.products) == 3
        assert each.idle_wall > 0
        assert each.idle_cpu < 0.05 * each.idle_wall + 0.02  # a clock tick or two
    rounds = [order[i : i + len(found)] for i in range(0, len(order), len(found))]
    assert [sorted(each) for each in rounds] == [sorted(found)] * 3
    assert len({tuple(each) for each in rounds}) > 1
    seconds = found["null harness"].turns[0].seconds
    assert seconds < found["mxnet-style scratch"].turns[0].seconds / 20


def test_a_worker_that_burns_cpu_while_it_waits_is_seen(registered, short_turns, monkeypatch):
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.03)
    burn = "exec('while True: pass')"
    spin = f"threading.Thread(target=lambda: {burn}, daemon=True).start()"
    own = "threading.active_count() > 2"  # beside the main thread and the one that reads requests
    name = registered(f"import threading; {own} or {spin}")
    idler = timed(name)[f"{name} scratch"]
    assert idler.idle_cpu > 0.3 * idler.idle_wall


@pytest.mark.parametrize(
    ("code", "options", "reason"),
    [
        ("import own_backend; own_backend.compiled.append(1)", {}, "compiled while it was timed"),
        ("self.params['b_q'] = self.params['b_q'] + 1e-3", {}, "not the reference network"),
        ("pass", {"threads": 64}, "it uses 64 threads"),
        ("import os; os._exit(3)", {}, "its process ended with exit status 3"),
        ("raise ValueError('no')", {}, "ValueError: no"),
    ],
)
def test_what_has_not_earned_a_figure_gets_none(short_turns, registered, code, options, reason):
    name = registered(code, **options)
    found = timed(name)
    assert reason in found[f"{name} scratch"].reason
    assert found["null harness"].reason == ""
    assert list(bench_table(SHAPE, list(found.values())).backend) == ["null"]


# the command


def test_the_command(tmp_path, alone, capsys):
    options = ["--shape", SHAPE, "--seconds", "0.01", "--out", str(tmp_path / "b"), "--json"]
    app(["bench", "--backend", "mxnet-style", *options], result_action="return_value")
    said = json.loads(capsys.readouterr().out)
    table = pd.read_csv(tmp_path / "b" / "bench.csv", keep_default_na=False, na_values=[""])
    assert (tmp_path / "b" / "report.html").is_file()
    assert list(table.columns) == COLUMNS
    assert {*table.variant} == {
        *"scratch fused concise object book harness products operations".split()
    }
    assert (table[table.variant == "concise"].ratio_to_concise == 1).all()
    assert len(said["figures"]) == len(table)
    facts = json.loads((tmp_path / "b" / "bench.json").read_text())
    assert facts["status"] == "finished"
    assert {w["conditions"]["cpus"][0] for w in facts["shapes"][0]["workers"] if "device" in w}
    (shape,) = facts["shapes"]
    assert {w["rounds"] for w in shape["workers"]} == {6, 0}  # products have no turns
    assert (facts["rounds"], shape["quiet"]["rounds"]) == (6, 6)  # the fewest that tell anything
    assert shape["same"]["contender"] == "mxnet-style fused"
    assert shape["same"]["smallest"] >= 1.02
    assert facts["answers"][SHAPE][0].startswith("Best forms: MXNet style ")
    rounds = pd.read_csv(tmp_path / "b" / "rounds.csv", keep_default_na=False)
    turns = rounds[~rounds.variant.isin(["products", "operations"])]
    assert len(turns) == 7 * 6
    assert "fused again" in {*turns.variant}
    read = read_bench(tmp_path / "b")
    assert {*read.ranking.variant} == {*"scratch fused concise object book".split()}
    of_itself = read.ranking.backend + " " + read.ranking.variant == read.ranking.base
    assert read.ranking.verdict[of_itself].tolist() == [""]
    assert {*read.ranking.verdict[~of_itself]} <= {"faster", "slower", "tie"}
    assert len(read.comparisons) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shape", "32x35x256"], "--shape 32x35x256: give batch x steps x hiddens x vocabulary"),
        (["--shape", "0x35x256x28"], "--shape 0x35x256x28"),
        (["--rounds", "0"], "--rounds 0: at least 1"),
        (["--precision", "2"], "--precision 2: a fraction"),
        (["--seconds", "0"], "--seconds 0: of a shape, more than 0"),
        (["--against", "torch fuse"], "unknown contender 'torch fuse': did you mean 'torch fused'"),
        (["--backend", "null"], "unknown backend 'null'"),
        (["--variant", "products"], "unknown variant 'products'"),
    ],
)
def test_a_wrong_request_is_refused(options, message, tmp_path):
    with pytest.raises(RequestError, match=message):
        app(["bench", "--out", str(tmp_path), *options], exit_on_error=False)
