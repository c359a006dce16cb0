"""Two cells at a time: never on the same CPU, and as fast as alone. What an engine itself costs."""

import json
import time
from itertools import combinations

import pandas as pd
import pytest

from harness.workers.cpus import usable_cpus

pytestmark = [pytest.mark.timeout(1800), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def whole(request):
    return request.config.getoption("whole")


def speeds(spread):
    table = pd.read_csv(spread.out / "cells.csv")
    assert {*table.status} == {"ok"}
    return table.groupby("backend").tokens_per_sec.median()


def test_two_at_once_never_share_a_cpu(spread, whole):
    """With --whole, on a quiet machine, they are within a tenth as fast as one after the other."""
    if len(usable_cpus()) < 2:
        pytest.skip("one CPU here")
    status, _, wrong = spread.run("--jobs", 2, "--cpus-per-cell", 1)
    assert (status, wrong) == (0, "")
    together = speeds(spread)
    facts = [json.loads(path.read_bytes()) for path in spread.out.glob("*/*/run.json")]
    assert {tuple(fact["engine"]["cpus"]) for fact in facts} == {(cpu,) for cpu in usable_cpus()}
    for one, other in combinations(facts, 2):
        at_once = max(one["started"], other["started"]) < min(one["ended"], other["ended"])
        assert not at_once or one["engine"]["cpus"] != other["engine"]["cpus"]
    if whole:
        spread.out = spread.folder / "alone"
        status, _, wrong = spread.run("--cpus-per-cell", 1)
        assert (status, wrong) == (0, "")
        alone = speeds(spread)
        print(pd.DataFrame({"alone": alone, "together": together}).to_string())
        assert ((together / alone - 1).abs() < 0.1).all()


def test_an_engine_costs_little_over_the_local_one(spread, cluster, whole):
    """With --whole, on a quiet machine, less than 50 ms a cell."""
    cluster.add_node(num_cpus=1)
    text = spread.file.read_text(encoding="utf-8").replace("num_epochs = 4", "num_epochs = 1 # ")
    ray = ("--engine", "ray", "--address", cluster.address)
    costs = {}
    for name, words in (("local", ("--cpus-per-cell", 1)), ("ray", ray)):
        taken = []
        for count in (4, 24 if whole else 6):
            seeds = f"vary]\nseed = {[*range(count)]}\n"
            spread.file.write_text(text[: text.index("vary]")] + seeds, encoding="utf-8")
            spread.out = spread.folder / f"{name}-{count}"
            start = time.monotonic()
            status, _, wrong = spread.run(*words)
            taken.append((count, time.monotonic() - start))
            assert (status, wrong) == (0, "")
        (few, least), (many, most) = taken
        costs[name] = (most - least) / (many - few)
    print({name: f"{1000 * cost:.0f} ms a cell" for name, cost in costs.items()})
    if whole:
        assert costs["ray"] - costs["local"] < 0.05
