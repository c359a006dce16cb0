"""How quiet the machine was, and what energy it used: from clocks and counters that are made up."""

import math
from types import SimpleNamespace

import pytest

from harness.bench import energy, quiet
from harness.bench.contenders import Contest, contenders
from harness.bench.energy import counters, spent
from harness.bench.quiet import Meter, Quiet, throttled
from harness.bench.turns import time_shape
from harness.workers import clocks, gpus
from harness.workers.clocks import Reading, held_back

SHAPE = "2x3x4x5"


@pytest.fixture
def meter(monkeypatch):
    monkeypatch.setattr(quiet, "DISTURBED", 0.05)
    return Meter([0, 1])


def turn(meter, seconds=1.0, own=1.0, others=0.0, stolen=0.0, held=0.0):
    meter.add(Reading(0.0, 0.0, 0.0, 0.0), Reading(seconds, own + others, stolen, held), own)


@pytest.mark.parametrize(
    ("taken", "disturbed"),
    [
        ({}, False),
        ({"others": 0.12}, False),  # but for the blur of ticks
        ({"others": 0.14}, True),
        ({"stolen": 0.14}, True),
        ({"held": 0.14}, True),
        ({"others": 0.07, "stolen": 0.07}, True),
    ],
)
def test_a_round_is_disturbed_by_a_twentieth_of_the_cpus(meter, taken, disturbed):
    turn(meter, **taken)
    assert meter.end_round() != disturbed
    turn(meter)
    assert meter.end_round()  # each round for itself


def test_a_disturbed_round_is_repeated_but_not_for_ever(meter):
    kept = []
    for _ in range(20):
        turn(meter, others=1.0)
        kept.append(meter.end_round())
    assert kept[: quiet.REPEATS_AT_FIRST] == [False] * quiet.REPEATS_AT_FIRST
    told = meter.told()
    assert told.rounds == told.disturbed == kept.count(True) == 20 - told.repeated
    assert quiet.REPEATS_AT_FIRST <= told.repeated <= told.rounds // 2
    assert told.busy


def test_many_small_disturbances_are_one(meter):
    for _ in range(20):
        turn(meter, others=0.12)
        assert meter.end_round()
    told = meter.told()
    assert (told.disturbed, told.busy) == (0, True)
    assert told.others == pytest.approx(0.06)


def test_what_is_not_told_is_unknown(meter):
    meter.add(Reading(0.0, None, None, None), Reading(1.0, None, None, None), 1.0)
    assert meter.end_round()
    told = meter.told()
    assert (told.others, told.stolen, told.held) == (None, None, None)
    assert "other processes unknown, steal unknown, a quota unknown" in told.told()


def test_the_words():
    assert Quiet(rounds=10, others=0.012, stolen=0.0, held=0.0).told() == (
        "the machine was quiet: other processes 1.2%, steal 0.0%, a quota 0.0% of the CPUs' time"
    )
    slowing = Quiet(rounds=8, others=0.0, stolen=0.0, held=0.0, mhz=(1800.0, 2600.0), heat=2)
    assert slowing.told().endswith("; heat slowed a core 2 times; from 1,800 to 2,600 MHz")
    busy = Quiet(rounds=8, disturbed=5, repeated=3, others=0.4)
    assert busy.told().startswith("the machine was busy: 5 of 8 rounds (other processes 40.0%, ")
    assert busy.told().endswith("; 3 more were repeated: no verdicts")
    assert not Quiet(rounds=10, disturbed=1).busy
    assert Quiet(rounds=10, gpu_busy=True).busy


def test_a_busy_process_beside_a_contest_is_seen(monkeypatch, registered, short_turns):
    """Whatever this very machine does: all that is not ours is said to be somebody else's."""
    monkeypatch.setattr(quiet, "DISTURBED", 0.05)
    busy = iter(range(10_000))
    monkeypatch.setattr(
        clocks.psutil,
        "cpu_times",
        lambda percpu: [SimpleNamespace(user=1e3 * next(busy), system=0.0)] * 64,
    )
    name = registered("pass")
    asked = Contest((name,), (), 4, {"device": "cpu"}, {})
    found = [each for each in contenders(asked)[0] if each.backend == name]
    told, _ = time_shape(asked, SHAPE, found, lambda said: None)
    assert (told.rounds, told.disturbed, told.repeated) == (4, 4, quiet.REPEATS_AT_FIRST)
    assert told.busy
    assert [len(each.turns) for each in found] == [4]


def test_a_quota_and_heat_are_read(tmp_path):
    assert held_back(tmp_path) is None
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.stat").write_text("nr_periods 9\nthrottled_time 2000000000\n")
    assert held_back(tmp_path) == 2
    (tmp_path / "cpu.stat").write_text("usage_usec 9\nnr_throttled 3\nthrottled_usec 1500000\n")
    assert held_back(tmp_path) == 1.5
    assert throttled(tmp_path) is None
    for cpu, count in (("cpu0", 3), ("cpu1", 4)):
        (tmp_path / cpu / "thermal_throttle").mkdir(parents=True)
        (tmp_path / cpu / "thermal_throttle" / "core_throttle_count").write_text(f"{count}\n")
    assert throttled(tmp_path) == 7


def test_energy_is_of_packages_and_counters_begin_again(tmp_path, monkeypatch):
    for zone, microjoules in (("intel-rapl:0", 9_000_000), ("intel-rapl:0:0", 5_000_000)):
        (tmp_path / zone).mkdir()
        (tmp_path / zone / "energy_uj").write_text(f"{microjoules}\n")
        (tmp_path / zone / "max_energy_range_uj").write_text("10000000\n")
    before = counters("cpu", tmp_path)
    assert before == {"intel-rapl:0": (9.0, 10.0)}
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("2000000\n")
    assert spent(before, counters("cpu", tmp_path)) == 3
    assert spent({}, before) is None
    assert counters("cpu", tmp_path / "absent") == {}
    monkeypatch.setattr(gpus, "states", lambda: [SimpleNamespace(uuid="GPU-0", joules=7.0)])
    assert counters("gpu", tmp_path)["GPU-0"] == (7.0, 0.0)


def test_energy_of_a_step_is_that_of_its_turn(monkeypatch, registered, short_turns):
    used = iter(range(1000))
    monkeypatch.setattr("harness.bench.rounds.counters", lambda device: {"it": (next(used), 0.0)})
    name = registered("pass")
    asked = Contest((name,), (), 2, {"device": "cpu"}, {})
    found = [each for each in contenders(asked)[0] if each.backend == name]
    time_shape(asked, SHAPE, found, lambda said: None)
    (mine,) = found
    steps = mine.steps + max(1, mine.steps // 10)
    assert mine.joules == [pytest.approx(1 / steps)] * 2
    assert math.isclose(energy.spent({"it": (1.0, 0.0)}, {"it": (4.0, 0.0)}), 3)
