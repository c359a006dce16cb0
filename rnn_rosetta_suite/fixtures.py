"""Backends that tests run on, and what of them a test needs."""

import pytest

import backends
from common.experiment import Experiment


def parametrize(metafunc, names):
    """Give a test every backend of some names, in every variant it asks for."""
    if {"backend", "variant"} <= {*metafunc.fixturenames}:
        asked = metafunc.definition.get_closest_marker("variants")
        pairs = [(n, v) for n in names for v in variants(backends.entry(n))]
        pairs = [(n, v) for n, v in pairs if not asked or v in asked.args]
        metafunc.parametrize(("backend", "variant"), pairs, indirect=["backend"])
    elif "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", names, indirect=True)


def variants(entry):
    """All variants of the network that a backend has: what is timed is proved equal first."""
    return entry.variants + entry.bench_variants


@pytest.fixture(scope="session")
def backend(request):
    """The name of a backend that is installed."""
    if reason := backends.missing(request.param) or backends.engine_conflict(request.param):
        if request.config.getoption("backend"):
            pytest.fail(f"{request.param} was asked for: {reason}")
        pytest.skip(reason)
    return request.param


def able(backend, **settings):
    """The settings; one of a precision that the backend does not have is in the one it has.

    Skips the test where the backend cannot be the network.
    """
    dtypes = backends.entry(backend).dtypes
    if settings.get("dtype", "float32") not in dtypes:
        settings["dtype"] = dtypes[0]
    if reason := backends.beyond(backend, Experiment.of(settings)):
        pytest.skip(reason)
    return settings


def section(backend, part):
    """An optional section of a backend; skips the test where it has none in float64."""
    exact = Experiment.of({"dtype": "float64"})
    if reason := backends.without(backend, part) or backends.beyond(backend, exact):
        pytest.skip(reason)
    return backends.section(backend, part)
