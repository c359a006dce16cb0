"""Which backends the tests run on, and how much of the faults.

``--backend NAME`` (repeatable) asks for a backend: if it is not installed, that is a failure.
Without it every registered backend is tested but those that take part on request alone, and one
that is not installed is skipped.

``tests/faults`` tries a few faults of each campaign, others every time, by ``--seed``, which the
head of the output names; ``--whole`` tries all of them.
"""

import os
import random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported

import pytest

import backends
from rnn_rosetta_suite import options
from rnn_rosetta_suite.fixtures import backend as backend
from rnn_rosetta_suite.fixtures import parametrize
from rnn_rosetta_suite.haste import hasty as hasty

SUITE = ("contract", "going_on", "sequence", "bptt")
pytest.register_assert_rewrite(*(f"rnn_rosetta_suite.test_{name}" for name in SUITE))

AT_HOME = {
    "mxnet-style": "003",
    "mxnet": "000",
    "torch": "000 filled in",
    "jax": "001",
    "tensorflow": "002",
}
"""The notebook that a backend runs by default: all of them in all of them take minutes."""


def pytest_configure(config):
    asked = config.getoption("backend") or ()
    if others := [name for name in asked if name not in backends.BACKENDS]:
        suite = f"pytest --pyargs rnn_rosetta_suite --backend {others[0]}"
        raise pytest.UsageError(f"no backend of this project: {others[0]}; a plug-in's: {suite}")
    if config.getoption("seed") is None:
        config.option.seed = random.SystemRandom().randrange(1_000_000)
    _keep_to_a_core()


def _keep_to_a_core():
    """Under ``-n``, a core for each process and its workers: threads that share one spin for it."""
    if (name := os.environ.get("PYTEST_XDIST_WORKER")) and hasattr(os, "sched_setaffinity"):
        cpus = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cpus[int(name.removeprefix("gw")) % len(cpus)]})


def pytest_addoption(parser):
    options.pytest_addoption(parser)
    parser.addoption("--whole", action="store_true", help="every fault of a campaign, not a few")
    parser.addoption("--seed", type=int, help="which faults are tried (default: others every time)")
    parser.addoption("--every-notebook", action="store_true", help="in every backend, not one each")


def pytest_report_header(config):
    return f"faults: --seed {config.getoption('seed')}"


def pytest_generate_tests(metafunc):
    names = metafunc.config.getoption("backend") or backends.by_default()
    if {"backend", "document"} <= {*metafunc.fixturenames}:
        every = metafunc.config.getoption("every_notebook")
        pairs = [(n, d) for n in names for d in metafunc.module.CLAIMS]
        pairs = [(n, d) for n, d in pairs if every or AT_HOME.get(n) == d]
        metafunc.parametrize(("backend", "document"), pairs, indirect=["backend"])
    else:
        parametrize(metafunc, names)


@pytest.fixture
def only(request):
    """Run a test for one backend alone: ``only("torch")``."""

    def check(name):
        asked = request.config.getoption("backend")
        if asked and name not in asked:
            pytest.skip(f"this run is of {', '.join(asked)}")
        if reason := backends.missing(name) or backends.engine_conflict(name):
            if asked:
                pytest.fail(f"{name} was asked for: {reason}")
            pytest.skip(reason)

    return check
