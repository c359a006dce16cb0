"""Runs of several machines: no throughput is held against that of another machine."""

from harness.report.curves import epoch_throughput
from harness.report.groups import gather
from harness.report.setup import setup
from tests.harness.made_runs import make_run, on_machine

PAIRS = (("torch", "scratch"), ("torch", "concise"))


def made(folder, number, machine, shared=False):
    return on_machine(make_run(folder / str(number), PAIRS, seed=number), machine, shared)


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
