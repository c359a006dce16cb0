"""Campaigns of faults: a module each, ``test_<campaign>.py``, beside what it tries them with.

A campaign asks `chosen` for its cases. By default that is a few of them, drawn from ``--seed``,
which is another one every time and stands at the head of the output; with ``--whole``, it is all.
"""

import random

import pytest


@pytest.fixture
def chosen(request):
    """Some of a campaign's cases, or all: ``chosen(cases, few=10)``."""

    def choose(cases, few):
        cases = list(cases)
        if request.config.getoption("whole"):
            return cases
        source = random.Random(f"{request.config.getoption('seed')} {request.node.name}")
        return source.sample(cases, min(few, len(cases)))

    return choose
