"""Kills at random moments: nothing lost, nothing left, and going on to the same bits."""

import random

import pytest

from tests.faults.kills import KILLS, SIGNALS, Kills


@pytest.fixture(scope="module")
def kills(tmp_path_factory, request):
    return Kills(tmp_path_factory.mktemp("kills"), request.config.getoption("seed"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", KILLS)
def test_a_command_that_is_killed(kills, chosen, request, command):
    """Of all 200, a tenth by default. Each ninth is started anew, so that imports are killed."""
    source = random.Random(f"{request.config.getoption('seed')} {command}")
    count = KILLS[command]
    every = [(SIGNALS[n % len(SIGNALS)], source.random(), n % 9 == 0) for n in range(count)]
    few = count // 10
    wrong = [said for case in chosen(every, few) for said in kills.kill(command, *case)]
    assert not wrong, "\n".join(wrong)
