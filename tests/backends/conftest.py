"""The fixture that plants a fault in a backend, or in what drives it."""

import pytest

import backends
from common import training
from rnn_rosetta_suite.planted import places_of

COMPILED = {"scratch.rnn", "exercises.rnn", "scratch.loss_and_grads", "scratch.grad_clipping"}
"""What a compiled function may hold without having been given it."""


@pytest.fixture
def plant(backend, monkeypatch):
    """Replaces functions of the backend by wrong ones until the test is over."""
    module = backends.load(backend)
    places = places_of(backend) | {
        "scratch": module.scratch,
        "exercises": module.adapter.exercises,
        "generate": module.generate,
        "training": training,
    }

    def replace(planted):
        for place, wrong in planted.items():
            owner, name = place.split(".")
            monkeypatch.setattr(places[owner], name, wrong(getattr(places[owner], name)))
        if planted.keys() & COMPILED and (anew := getattr(module.adapter, "bound", None)):
            # Bind anew what was bound before; nothing was compiled from it yet.
            monkeypatch.setattr(module.adapter, "bound", anew.__wrapped__)

    return replace
