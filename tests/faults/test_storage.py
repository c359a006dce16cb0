"""Faults at every operation of storage: one line, and nothing that lies."""

import shutil
from errno import ENOSPC

import pytest

from tests.faults.storage import FAULTS, Commands, lies


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    return Commands(tmp_path_factory.mktemp("storage"))


@pytest.fixture(scope="module")
def cases(commands):
    """Every operation of a run and of a study that nothing befalls, with every fault.

    A disk that is full when something is read is so at the next writing, which is a case already.
    """
    found = []
    for command in ("run", "study"):
        place, status, said, done = commands.faulty(command, 1 << 30, *FAULTS[0])
        assert (status, lies(command, place, status, said, *FAULTS[0])) == (0, []), said
        for at, operation in enumerate(done, 1):
            fills = operation.startswith("fills")
            found += [(command, at, *each) for each in FAULTS if fills or each[0] != ENOSPC]
        shutil.rmtree(place)
    return found


@pytest.mark.timeout(1200)
def test_a_refused_operation(commands, cases, chosen):
    wrong = []
    for command, at, code, lasting in chosen(cases, few=4):
        place, status, said, done = commands.faulty(command, at, code, lasting)
        found = lies(command, place, status, said, code, lasting)
        if not found and at % 7 == 0:
            found = commands.again(command, place)
        if found:
            refused = done[at - 1].strip() if at <= len(done) else "nothing"
            wrong.append((command, at, code, lasting, refused, status, found, said[-300:]))
        shutil.rmtree(place)
    assert not wrong, "\n".join(map(str, wrong))
