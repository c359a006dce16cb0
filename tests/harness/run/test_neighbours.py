"""Neighbours: a run takes the threads that others leave, says so, and keeps to their number."""

from types import SimpleNamespace

import pytest

from common.experiment import Experiment
from harness.history.entries import entries_below
from harness.records.reading import read_run
from harness.report.build import write_report
from harness.run import train
from harness.run.progress import Silent
from harness.run.train import run
from harness.workers import clocks, neighbours
from harness.workers.neighbours import clear_of_others, taken
from harness.workers.placement import Placement
from tests.harness.run.test_going_on import Cut, request, told

NAMES = ["jax", "torch"]


@pytest.fixture
def others(monkeypatch):
    """A function that says how many of how many CPUs others take."""

    def take(of, cpus=2):
        monkeypatch.setattr(neighbours, "usable_cpus", lambda: list(range(cpus)))
        monkeypatch.setattr(neighbours, "taken", lambda cpus: of)

    return take


@pytest.mark.parametrize(
    ("of", "cpus", "threads"),
    [(0.0, 2, 2), (0.4, 2, 2), (0.9, 2, 1), (2.0, 2, 1), (5.2, 16, 11), (0.9, 1, None)],
)
def test_there_are_as_many_threads_as_cpus_are_free(others, capsys, of, cpus, threads):
    others(of, cpus)
    found = clear_of_others(Placement("cpu"), Experiment(), NAMES)
    assert (found.device, found.threads) == ("cpu", threads)
    fewer = threads not in (None, cpus)
    assert found.neighbours.startswith(f"other processes take {of} of {cpus} CPUs") == fewer
    assert (f"note: {found.neighbours}\n" in capsys.readouterr().err) == fewer


@pytest.mark.parametrize(
    ("settings", "device", "names"),
    [
        ({"threads": 2}, "cpu", NAMES),
        ({"deterministic": True}, "cpu", NAMES),  # the same bits, whoever else is there
        ({"devices": 2}, "cpu", NAMES),
        ({}, "gpu", NAMES),
        ({}, "cpu", ["jax", "tensorflow"]),  # whose threads wait for one another once a step
    ],
)
def test_others_decide_nothing_where(others, settings, device, names):
    others(2.0)
    placement = Placement(device)
    assert clear_of_others(placement, Experiment(**settings), names) == placement


def test_what_others_take_is_read_from_the_clocks(monkeypatch):
    """Of the CPUs that are ours to use; what a neighbour steals is taken as well."""
    seconds = iter([10.0, 10.5])

    def cpu_times(percpu):
        now = next(seconds)
        return [
            SimpleNamespace(user=now, system=0.0, steal=0.0),
            SimpleNamespace(user=0.0, system=now, steal=now),
            SimpleNamespace(user=9 * now, system=0.0, steal=0.0),
        ]

    wall = iter([3.0, 4.0])
    monkeypatch.setattr(clocks, "time", SimpleNamespace(perf_counter=lambda: next(wall)))
    monkeypatch.setattr(clocks, "held_back", lambda: None)
    monkeypatch.setattr(clocks.psutil, "cpu_times", cpu_times)
    assert taken([0, 1], seconds=0) == 1.5


def test_a_run_keeps_its_threads_when_it_goes_on(others, monkeypatch, tmp_path, capsys):
    """And so its bits, though the neighbour has gone."""
    given, worker = [], train.Worker

    def start(*args, threads):
        found = worker(*args, threads=threads)
        given.append((threads, found.threads))
        return found

    monkeypatch.setattr(train, "Worker", start)
    others(1.0)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run(request(whole), Silent()).exit_status == 0
    assert run(request(cut), Cut(9)).exit_status == 130
    others(0.0)
    assert run(request(cut), Silent()).exit_status == 0
    assert {*given} == {(1, 1)}
    assert told(cut) == told(whole)
    assert capsys.readouterr().err.count("other processes take 1.0 of 2 CPUs") == 2
    facts = read_run(cut).facts
    assert facts["placement"]["threads"] == 1
    write_report([cut], cut)
    assert facts["placement"]["neighbours"] in (cut / "report.md").read_text(encoding="utf-8")
    (entry,) = entries_below(cut)
    assert {each.place for each in entry.figures} == {"cpu, 1 thread"}


def test_a_placement_is_read_from_records_of_before_and_after():
    assert Placement.recorded({"device": "gpu", "reason": "named"}) == Placement("gpu", "named")
    told = {"device": "cpu", "threads": 1, "later": 0}
    assert Placement.recorded(told) == Placement("cpu", threads=1)
