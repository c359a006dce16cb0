"""A backend of the tests' own, registered for a while in this process and in its workers."""

from dataclasses import replace

import pytest

import backends

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


OWN = backends.Entry("own_backend", (), ("numpy",), variants=("scratch",), bench_variants=())


@pytest.fixture
def registered(tmp_path, monkeypatch):
    """Register a backend of our own, by a file on the path of its workers; see `WRONG`."""

    def register(code, fault="nothing", threads=None, devices="one"):
        entry = replace(OWN, devices=devices)
        folder = tmp_path / "path"
        folder.mkdir(exist_ok=True)
        (folder / "own_backend.py").write_text(
            WRONG.format(code=code, fault=fault, threads=threads)
        )
        (folder / "sitecustomize.py").write_text(
            f"from backends import BACKENDS, Entry\nBACKENDS['own'] = {entry!r}\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(folder))
        monkeypatch.setitem(backends.BACKENDS, "own", entry)
        return "own"

    return register
