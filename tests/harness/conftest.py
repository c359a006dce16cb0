"""A backend of the tests' own, registered for a while in this process and in its workers."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from functools import cache

import pytest
import vl_convert
from altair.utils import schemapi

import backends
from harness import cli
from harness.bench import turns
from tests.serving.asking import ALONE
from tests.serving.fixtures import cold as cold
from tests.serving.fixtures import warm as warm
from tests.serving.sketching import DOT, no_one, sketch

WRONG = '''
"""The reference itself as a backend, but for {fault}."""
import numpy as np
from common.interface import Description
from common.reference import Reference
from common.shards import named


class Wrong(Reference):
    def train_step(self, X, Y, state):
        loss, state = super().train_step(X, Y, state)
        {code}
        return loss, state


def describe():
    return Description({{"numpy": np.__version__}}, ("cpu",), {threads}, False)


compiled = []


def compilations():
    return len(compiled)


def build(experiment, variant, weights):
    model = Wrong(experiment, weights)
    model.device = named("cpu", experiment.devices)
    return model
'''


@pytest.fixture(autouse=True)
def sketched(request, monkeypatch):
    """Charts are compiled to Vega in this process, and each picture is a dot: to draw takes long.

    What is marked `drawn` draws all, and so does a command that is started as a process. Every
    chart is held against Vega-Lite's schema.
    """

    def vega_of(charts):
        return {name: json.loads(compiled(json.dumps(chart))) for name, chart in charts.items()}

    def ask(asked):
        charts = {name: of_page for name, (of_page, _) in asked["charts"].items()}
        return {"vega": vega_of(charts), "pictures": dict.fromkeys(charts, DOT)}

    def draw(figures):
        vega = vega_of({each.name: each.vegalite() for each in figures})
        drawn = {each.name: each.filling_its_box(vega[each.name]) for each in figures}
        return replace(sketch(figures), vega=drawn)

    monkeypatch.setattr(schemapi, "DEBUG_MODE", True)
    if "drawn" not in request.keywords:
        monkeypatch.setattr("harness.page.drawing._ask", ask)
        monkeypatch.setattr("harness.page.kept.read", lambda name: "Vega")
        monkeypatch.setattr("harness.page.write.draw", draw)


@pytest.fixture(autouse=True)
def without_neighbours(monkeypatch):
    """Runs are as on a quiet machine, for other tests run beside these."""
    monkeypatch.setattr("harness.workers.neighbours.taken", no_one)


@cache
def compiled(chart):
    """A chart in Vega, of one in Vega-Lite, both as JSON."""
    return json.dumps(vl_convert.vegalite_to_vega(chart))


OWN = backends.Entry("own_backend", distributions=("numpy",), sections=("exercises",))


@pytest.fixture
def first_in_workers(tmp_path, monkeypatch):
    """Runs code in every worker before anything else; gives the folder, which is on their path."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))

    def add(code):
        with (folder / "sitecustomize.py").open("a") as file:
            file.write(code)
        return folder

    return add


@pytest.fixture
def registered(first_in_workers, monkeypatch):
    """Register a backend of our own, by a file on the path of its workers; see `WRONG`."""

    def register(code, fault="nothing", threads=None, devices="one"):
        entry = replace(OWN, devices=devices)
        folder = first_in_workers(
            f"from backends import BACKENDS, Entry\nBACKENDS['own'] = {entry!r}\n"
        )
        (folder / "own_backend.py").write_text(
            WRONG.format(code=code, fault=fault, threads=threads)
        )
        monkeypatch.setitem(backends.BACKENDS, "own", entry)
        return "own"

    return register


@pytest.fixture
def short_turns(first_in_workers, monkeypatch):
    """Turns of a benchmark that are too short to tell anything of speed."""
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.01)
    first_in_workers("import harness.bench.worker\nharness.bench.worker.PRODUCT_SECONDS = 0.001\n")


@pytest.fixture
def alone(first_in_workers, monkeypatch):
    """One backend, in short turns: a benchmark asks all libraries that are here for products."""
    first_in_workers((ALONE / "sitecustomize.py").read_text("utf-8"))
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.01)
    monkeypatch.setattr(backends, "BACKENDS", {"mxnet-style": backends.BACKENDS["mxnet-style"]})


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Runs a command line in this process, where all it needs is imported: a `CompletedProcess`.

    Its streams have an encoding of their own, as those of a process have by ``PYTHONIOENCODING``.
    """

    def run(*words, encoding="utf-8"):
        streams = {"stdout": "strict", "stderr": "backslashreplace"}
        written = {name: io.BytesIO() for name in streams}
        with monkeypatch.context() as here:
            here.chdir(tmp_path)
            here.setenv("PYTHONIOENCODING", encoding)
            here.setenv("PYTHONUTF8", "0")
            for name, errors in streams.items():
                stream = io.TextIOWrapper(written[name], encoding, errors)
                here.setattr(sys, name, stream)
                here.setattr(sys, f"__{name}__", stream)
            here.setattr(sys, "argv", ["harness", *map(str, words)])
            with pytest.raises(SystemExit) as ended:
                cli.main()
            said = []
            for name in streams:
                getattr(sys, name).flush()
                said.append(written[name].getvalue().decode(encoding))
        return subprocess.CompletedProcess(words, ended.value.code or 0, *said)

    return run
