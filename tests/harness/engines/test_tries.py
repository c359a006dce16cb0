"""Tries: a machine's failures are tried again elsewhere, everything else is told at once."""

from importlib.metadata import EntryPoint

import pytest

from common.errors import RequestError
from harness.engines import choice
from harness.engines.choice import EngineOptions, engine_of, parse_slurm
from harness.engines.flight import in_flight
from harness.engines.request import Share
from harness.engines.task import Header, Outcome, Task
from harness.engines.tries import tried


class Scripted:
    """An engine whose outcomes are written down: by name of the cell, an ending a try."""

    name, share = "scripted", None

    def __init__(self, endings, room=2):
        self.endings, self.most = endings, room
        self.begun, self.cancelled, self.running = [], [], 0

    def outcomes(self, tasks):
        return in_flight(self, tasks)

    def room(self):
        return self.most

    def submit(self, task):
        self.begun.append((task.request.name, task.request.attempt))
        self.running += 1
        assert self.running <= self.most
        return self.begun[-1]

    def ready(self, running):
        return running[-1:]  # the last to come is the first to end

    def outcome(self, handle):
        self.running -= 1
        name, attempt = handle
        ending, _, host = self.endings[name][attempt - 1].partition(" by ")
        if ending == "killed":
            return Outcome(Header(ending="done", killed="signal SIGKILL"))
        return Outcome.ended(ending, f"try {attempt}", host)

    def cancel(self, running):
        self.cancelled += running


@pytest.fixture
def tasks(asked, tmp_path):
    def make(names):
        return (Task(asked(name=name), tmp_path / name) for name in names)

    return make


def test_only_what_a_machine_did_is_tried_again_and_three_times_at_most(tasks):
    endings = {
        "a": ["lost", "lost", "done"],
        "b": ["failed"],
        "c": ["refused", "done"],
        "d": ["lost", "refused", "lost"],
        "e": ["done"],
        "f": ["killed", "lost", "killed"],  # the last is filed: its other rows are whole
    }
    engine, said = Scripted(endings), []
    found = {
        task.request.name: outcome.header
        for task, outcome in tried(engine, tasks("abcdef"), said.append)
    }
    assert {name: header.ending for name, header in found.items()} == {
        "a": "done", "b": "failed", "c": "done", "d": "lost", "e": "done", "f": "done",
    }  # fmt: skip
    assert found["d"].reason == "try 3"
    assert "".join(name for name, _ in sorted(engine.begun)) == "aaabccdddefff"
    assert len(said) == 7
    assert {"a: try 1: to be tried again", "f: signal SIGKILL: to be tried again"} < {*said}


def test_a_cell_may_meet_many_nodes_that_refuse_but_each_only_once(tasks):
    endings = {
        "a": [*(f"refused by {number}" for number in range(5)), "lost", "lost", "done"],
        "b": ["refused by x"] * 4,
    }
    engine = Scripted(endings, room=1)
    found = {task.request.name: outcome for task, outcome in tried(engine, tasks("ab"), [].append)}
    assert {name: outcome.header.ending for name, outcome in found.items()} == {
        "a": "done", "b": "refused",
    }  # fmt: skip
    assert engine.begun.count(("b", 4)) == 1


def test_who_stops_in_the_middle_ends_all(tasks):
    engine = Scripted({name: ["done"] for name in "abcd"}, room=3)
    running = tried(engine, tasks("abcd"), [].append)
    next(running)
    running.close()
    assert sorted(engine.cancelled) == [("a", 1), ("b", 1)]


BAD = {
    "an engine that is not there": (
        "rya",
        EngineOptions(),
        "Did you mean 'ray'|did you mean 'ray'",
    ),
    "jobs of another": ("slurm", EngineOptions(jobs=2), "--jobs: an option of --engine local"),
    "an address of another": ("local", EngineOptions(address="x:1"), "--address: an option of"),
    "parameters of another": ("local", EngineOptions(slurm={"a": "b"}), "--slurm: an option of"),
    "GPUs that are not here": (
        "local",
        EngineOptions(share=Share(gpus=2)),
        "--gpus-per-cell 2: 2 GPUs are asked for, 1 are here",
    ),
    "more CPUs than are here": (
        "local",
        EngineOptions(share=Share(cpus=4096)),
        "--cpus-per-cell 4096: [0-9]+ CPUs are here",
    ),
    "more jobs than CPUs": ("local", EngineOptions(jobs=4096), "--jobs 4096: with 1 CPUs a cell"),
}


@pytest.mark.parametrize(("name", "options", "message"), BAD.values(), ids=BAD)
def test_a_bad_choice_is_refused_in_one_line(name, options, message, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(RequestError, match=message) as refused:
        engine_of(name, options)
    assert "\n" not in str(refused.value)


def test_an_engine_that_is_installed_is_found_by_its_name(monkeypatch):
    point = EntryPoint("mine", "tests.harness.engines.test_tries:Scripted", choice.GROUP)
    monkeypatch.setattr(choice, "entry_points", lambda group: [point])
    assert isinstance(engine_of("mine", EngineOptions()), Scripted)
    gone = EntryPoint("gone", "no_such_package:Engine", choice.GROUP)
    monkeypatch.setattr(choice, "entry_points", lambda group: [gone])
    with pytest.raises(RequestError, match=r"--engine gone: .*no_such_package"):
        engine_of("gone", EngineOptions())


def test_parameters_of_slurm_have_names():
    assert parse_slurm(["partition=long", "comment=a=b"]) == {"partition": "long", "comment": "a=b"}
    for wrong in ("long", "=long", "partition="):
        with pytest.raises(RequestError, match=f"--slurm {wrong}: give it as NAME=VALUE"):
            parse_slurm([wrong])
