"""Runs of several machines: no throughput is held against that of another machine."""

import json

import pandas as pd

from harness.report.curves import epoch_throughput
from harness.report.groups import gather
from harness.report.setup import setup
from tests.harness.made_runs import make_run

PAIRS = (("torch", "scratch"), ("torch", "concise"))


def made(folder, number, machine, shared=False):
    path = folder / str(number)
    make_run(path, PAIRS, seed=number)
    summary = pd.read_csv(path / "summary.csv", dtype=str, keep_default_na=False)
    summary.assign(machine=machine).to_csv(path / "summary.csv", index=False)
    facts = json.loads((path / "run.json").read_text(encoding="utf-8"))
    facts["engine"] = {
        "name": "ray", "host": machine, "attempt": 1, "cpus": [0], "gpus": [], "shared": shared
    }  # fmt: skip
    facts.pop("files", None)
    (path / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return path


def test_ratios_are_formed_within_one_machine(tmp_path):
    machines = ["a" * 8, "a" * 8, "b" * 8]
    report = gather([made(tmp_path, number, each) for number, each in enumerate(machines)])
    (group,) = report.groups
    table = epoch_throughput(group)
    assert {*table.device} == {f"cpu of {'a' * 8}", f"cpu of {'b' * 8}"}
    for device, mine in table.groupby("device"):
        runs = group.epochs[group.epochs.run.isin([0, 1] if "a" * 8 in device else [2])]
        medians = (runs.tokens / runs.seconds).groupby(runs.variant).median()
        ratio = medians["scratch"] / medians["concise"]
        assert abs(mine.ratio.dropna().iloc[0] / ratio - 1) < 1e-12
    told = setup(group)
    assert sum("aaaaaaaa: " in str(block) for block in told.blocks) == 1


def test_who_shared_what_it_was_timed_on_has_no_throughput(tmp_path):
    paths = [made(tmp_path, 0, "a" * 8), made(tmp_path, 1, "b" * 8, shared=True)]
    (group,) = gather(paths).groups
    table = epoch_throughput(group)
    assert {*table.device} == {"cpu"}
    assert len(table) == 2
