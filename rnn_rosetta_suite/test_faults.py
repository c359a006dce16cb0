"""Faults planted in what a backend gives, one at a time: the comparison must catch each of them."""

import pytest

import backends
from rnn_rosetta_suite.fixtures import able
from rnn_rosetta_suite.haste import caught
from rnn_rosetta_suite.planted import (
    FAULTS,
    PARTIAL,
    RELU,
    SETTINGS,
    UNCLIPPED,
    places_of,
    small_case,
)


def case_of(backend, settings):
    return small_case(able(backend, **SETTINGS | settings))


@pytest.mark.parametrize("settings", [{}, UNCLIPPED, RELU, PARTIAL], ids=str)
def test_without_a_fault_nothing_is_caught(backend, settings):
    assert caught(backend, case_of(backend, settings)) == set()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(backend, monkeypatch, name):
    fault, owners = FAULTS[name], places_of(backend)
    if name == "model in float32" and "float64" not in backends.entry(backend).dtypes:
        pytest.skip("float32 alone")
    for place, wrong in fault.planted.items():
        owner, function = place.split(".")
        right = getattr(owners[owner], function)
        monkeypatch.setattr(owners[owner], function, wrong(right))
    found = caught(backend, case_of(backend, fault.settings), fault.compiled)
    assert fault.catchers <= found
