"""A simulated engine: cells that take no time, some of which are lost with their machine.

What comes back is a real run folder, of one cell that was run, with the settings of each.
"""

import hashlib
import io
import json
import random
import zipfile

from harness.engines.flight import in_flight
from harness.engines.node import work
from harness.engines.request import Share
from harness.engines.task import Header, Outcome


class Simulated:
    """The engine.

    Args:
        lost: part of the tries that end with their machine.
        seed: decides which.
    """

    name, share = "simulated", Share(cpus=1)

    def __init__(self, lost, seed):
        self.part, self.source = lost, random.Random(seed)
        self.files, self.tries, self.bytes_there, self.bytes_back = None, 0, 0, 0
        self.handles = {}

    def outcomes(self, tasks):
        return in_flight(self, tasks)

    def room(self):
        return 2000

    def submit(self, task):
        self.tries += 1
        request = task.request.model_dump_json()
        self.bytes_there += len(request)
        if self.files is None:
            packed = Outcome.of(work(request)).archive
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                self.files = {name: archive.read(name) for name in archive.namelist()}
        self.handles[self.tries] = self.answer(task.request)
        return self.tries

    def answer(self, request):
        if self.source.random() < self.part:
            return Outcome.ended("lost", "simulated: the node is gone").sent()
        facts = json.loads(self.files["run.json"])
        facts["experiment"] = request.experiment.model_dump(mode="json")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in self.files.items():
                told = json.dumps(facts) if name == "run.json" else content
                archive.writestr(name, told)
        content = packed.getvalue()
        self.bytes_back += len(content)
        sha256 = hashlib.sha256(content).hexdigest()
        return Outcome(Header(ending="done", host="0" * 8, sha256=sha256), content).sent()

    def ready(self, running):
        return running[:1000]

    def outcome(self, handle):
        return Outcome.of(self.handles.pop(handle))

    def cancel(self, running):
        pass

    def close(self):
        pass
