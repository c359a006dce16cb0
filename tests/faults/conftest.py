"""Campaigns of faults: a module each, ``test_<campaign>.py``, beside what it tries them with.

A campaign asks `chosen` for its cases. By default that is a few of them, drawn from ``--seed``,
which is another one every time and stands at the head of the output. With ``--whole`` it is all, in
shares that ``-n`` spreads over the processes.
"""

import random

import pytest

from tests.serving.fixtures import cold as cold
from tests.serving.fixtures import warm as warm

SHARES = 16


def pytest_generate_tests(metafunc):
    if "chosen" in metafunc.fixturenames:
        shares = SHARES if metafunc.config.getoption("whole") else 1
        metafunc.parametrize("chosen", range(shares), indirect=True, ids="share-{}".format)


@pytest.fixture
def chosen(request):
    """Some of a campaign's cases, or this test's share of all: ``chosen(cases, few=10)``."""

    def choose(cases, few):
        cases = list(cases)
        if request.config.getoption("whole"):
            return cases[request.param :: SHARES]
        source = random.Random(f"{request.config.getoption('seed')} {request.node.originalname}")
        return source.sample(cases, min(few, len(cases)))

    return choose
