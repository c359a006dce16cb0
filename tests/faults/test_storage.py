"""Faults at every operation of storage: one line, and nothing that lies."""

import shutil

import pytest

from tests.faults.storage import FAULTS, Commands, lies


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    with Commands(tmp_path_factory.mktemp("storage")) as running:
        yield running


@pytest.fixture(scope="module")
def operations(commands):
    """The number of operations of a command that nothing befalls."""
    counted = {}

    def count(command):
        if command not in counted:
            place, status, said, done = commands.faulty(command, 0, 5, False)
            assert (status, lies(command, place, status, said, 5, False)) == (0, []), said
            counted[command] = len(done)
            shutil.rmtree(place)
        return counted[command]

    return count


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("code", "lasting"), FAULTS)
@pytest.mark.parametrize("command", ["run", "study"])
def test_a_refused_operation(commands, operations, chosen, command, code, lasting):
    wrong = []
    for at in chosen(range(1, operations(command) + 1), few=1):
        place, status, said, done = commands.faulty(command, at, code, lasting)
        if found := lies(command, place, status, said, code, lasting):
            wrong.append((at, done[at - 1].strip(), found, said[-300:]))
        elif at % 7 == 0 and (found := commands.again(command, place)):
            wrong.append((at, done[at - 1].strip(), "once more", found))
        shutil.rmtree(place)
    assert not wrong, "\n".join(map(str, wrong))
