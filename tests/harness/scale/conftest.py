import math

import pytest

import backends
from harness.bench import quiet


@pytest.fixture(autouse=True)
def undisturbed(monkeypatch):
    """A machine on which nothing counts as a disturbance, for other tests run beside these."""
    monkeypatch.setattr(quiet, "DISTURBED", math.inf)


@pytest.fixture
def alone(short_turns, monkeypatch):
    """The one backend: a scaling asks all libraries that are here for products."""
    monkeypatch.setattr(backends, "BACKENDS", {"mxnet-style": backends.BACKENDS["mxnet-style"]})
