"""Engines in this process, for tests of whoever has cells done."""

import platform

from harness.engines.flight import in_flight
from harness.engines.node import work
from harness.engines.request import Share
from harness.engines.task import Outcome


class Here:
    """An engine in this process: works at once, or does what a script says to a cell.

    Args:
        script: by number of the submission, the outcome that comes instead, or an exception.
    """

    name, share = "here", Share(cpus=1)

    def __init__(self, script=()):
        self.script, self.begun, self.outcome_of = dict(script), [], {}

    def outcomes(self, tasks):
        return in_flight(self, tasks)

    def room(self):
        return 1

    def submit(self, task):
        number = len(self.begun)
        self.begun.append(task.request)
        instead = self.script.get(number)
        if isinstance(instead, BaseException):
            raise instead
        self.outcome_of[number] = instead or Outcome.of(work(task.request.model_dump_json()))
        return number

    def ready(self, running):
        return running

    def outcome(self, handle):
        return self.outcome_of[handle]

    def cancel(self, running):
        pass

    def close(self):
        pass


class Elsewhere(Here):
    """The same, but each cell is done on a machine of another name.

    Args:
        monkeypatch: gives this process the names of machines.
        script: as of `Here`.
        machines: how many there are, which are taken in turn.
    """

    def __init__(self, monkeypatch, script=(), machines=2):
        super().__init__(script)
        self.monkeypatch, self.machines = monkeypatch, machines

    def submit(self, task):
        name = f"machine {len(self.begun) % self.machines}"
        with self.monkeypatch.context() as there:
            there.setattr(platform, "node", lambda: name)
            return super().submit(task)
