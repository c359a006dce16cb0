"""Two cells at a time: never on the same CPU, and as fast as alone. What an engine itself costs."""

import json
import time
from itertools import combinations
from statistics import median

import pandas as pd
import pytest

from harness.workers.cpus import usable_cpus
from tests.engines.conftest import STUDY

ROUNDS = 6

pytestmark = [pytest.mark.timeout(7200), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def whole(request):
    return request.config.getoption("whole")


def speeds(spread, name, *words):
    """Tokens/s of each backend in a folder of the study, medians of its cells."""
    spread.out = spread.folder / name
    status, _, wrong = spread.run(*words)
    assert (status, wrong) == (0, "")
    table = pd.read_csv(spread.out / "cells.csv")
    assert {*table.status} == {"ok"}
    return table.groupby("backend").tokens_per_sec.median()


def test_two_at_once_never_share_a_cpu(spread):
    if len(usable_cpus()) < 2:
        pytest.skip("one CPU here")
    speeds(spread, "together", "--jobs", 2, "--cpus-per-cell", 1)
    facts = [json.loads(path.read_bytes()) for path in spread.out.glob("*/*/run.json")]
    assert {tuple(fact["engine"]["cpus"]) for fact in facts} == {(cpu,) for cpu in usable_cpus()}
    for one, other in combinations(facts, 2):
        at_once = max(one["started"], other["started"]) < min(one["ended"], other["ended"])
        assert not at_once or one["engine"]["cpus"] != other["engine"]["cpus"]


def test_two_at_once_are_as_fast_as_alone(spread, whole):
    """On a quiet machine, within a tenth; in turns, for a machine drifts: with --whole alone."""
    if not whole or len(usable_cpus()) < 2:
        pytest.skip("a question for a quiet machine of two CPUs: --whole")
    text = STUDY.format(backends=spread.backends, rates=[1], epochs=400)
    spread.file.write_text(text, encoding="utf-8")
    ratios = []
    for number in range(ROUNDS):
        together = speeds(spread, f"together-{number}", "--jobs", 2, "--cpus-per-cell", 1)
        ratios.append(together / speeds(spread, f"alone-{number}", "--cpus-per-cell", 1))
    medians = pd.DataFrame(ratios).agg(["median", "min", "max"])
    print(f"tokens/s of two at once over alone, {ROUNDS} rounds:\n{medians.T.round(3).to_string()}")
    assert ((medians.loc["median"] - 1).abs() < 0.1).all()


def test_an_engine_costs_little_over_the_local_one(spread, whole, request):
    """On a quiet machine, less than 50 ms a cell: with --whole alone, for nothing else tells it."""
    if not whole:
        pytest.skip("a question for a quiet machine: --whole")
    cluster = request.getfixturevalue("cluster")
    cluster.add_node(num_cpus=1)
    text = STUDY.format(backends=["mxnet-style"], rates=[1], epochs=1)
    text = text[: text.index("[grid.vary]")]
    ray = "--engine", "ray", "--address", cluster.address
    engines = {"local": ("--cpus-per-cell", 1), "ray": ray}
    own = []
    for number in range(ROUNDS):  # in turns, for a machine drifts
        taken = {}
        for name, words in engines.items():
            for count in (2, 18):
                seeds = f"[grid.vary]\nseed = {[*range(count)]}\n"
                spread.file.write_text(text + seeds, encoding="utf-8")
                spread.out = spread.folder / f"{name}-{count}-{number}"
                start = time.monotonic()
                status, _, wrong = spread.run(*words)
                taken[name, count] = time.monotonic() - start
                assert (status, wrong) == (0, "")
        costs = {name: (taken[name, 18] - taken[name, 2]) / 16 for name in engines}
        own.append(costs["ray"] - costs["local"])
    told = ", ".join(f"{1000 * each:.0f}" for each in sorted(own))
    print(f"Ray's own cost over the local engine, ms a cell, {ROUNDS} rounds: {told}")
    assert median(own) < 0.05
