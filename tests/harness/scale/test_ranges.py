"""Sizes that ``--vary`` asks for, and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RequestError
from harness.scale.ranges import DIMENSIONS, Vary, size, sweeps, vary
from harness.scale.request import within_machine

SIZES = st.integers(1, 65_535)


@given(low=SIZES, high=SIZES)
def test_a_range_is_every_power_of_two_between(low, high):
    powers = [2**power for power in range(17) if low <= 2**power <= high]
    text = f"num_hiddens={low}..{high}"
    if len(powers) > 1:
        assert vary(text) == Vary("num_hiddens", tuple(powers))
    else:
        with pytest.raises(RequestError, match="fewer than two powers of two"):
            vary(text)


@given(st.lists(SIZES, min_size=1, max_size=9))
def test_a_list_is_each_of_its_sizes_once_rising(values):
    text = f"batch_size={','.join(map(str, values))}"
    if len({*values}) > 1:
        assert vary(text).values == tuple(sorted({*values}))
    else:
        with pytest.raises(RequestError, match="a single size shows nothing"):
            vary(text)


@given(st.text("0123456789KMGx.,-", max_size=12))
def test_any_other_text_is_refused(text):
    found = None
    with suppress(RequestError):  # and no other error
        found = vary(f"corpus_size={text}")
    assert found is None or (len(found.values) > 1 and sorted({*found.values}) == [*found.values])


def test_large_sizes_are_told_in_powers_of_1024():
    found = vary("corpus_size=1M,64M,4G")
    assert found.values == (2**20, 2**26, 2**32)
    assert [size("corpus_size", value) for value in found.values] == ["1 M", "64 M", "4 G"]
    assert [size("num_hiddens", value) for value in (32, 1024)] == ["32", "1,024"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["num_hiddens"], "--vary num_hiddens: give NAME=32..1024"),
        (["hiddens=1,2"], "unknown dimension 'hiddens'"),
        (["num_hidden=1,2"], "did you mean 'num_hiddens'"),
        (["num_hiddens=32"], "a single size shows nothing: give a range"),
        (["num_hiddens=a..b"], "'a' is no size"),
        (["num_hiddens=1,"], "'' is no size"),
        (["num_hiddens=1024..32"], "fewer than two powers of two"),
        (["num_hiddens=0,8"], "hidden units are from 1 to 65,535"),
        (["vocab_size=1,8"], "tokens of vocabulary are from 2"),
        (["threads=1,2", "threads=2,4"], "--vary threads: given twice"),
    ],
)
def test_a_wrong_one_is_refused(texts, message):
    with pytest.raises(RequestError, match=message):
        sweeps(texts)


def test_threads_go_as_far_as_the_machine(monkeypatch):
    monkeypatch.setattr("harness.scale.request.usable_cpus", lambda: [0, 1, 2])
    sweep, said = within_machine(vary("threads=1..8"))
    assert sweep.values == (1, 2)
    assert said == "--vary threads: up to 3, for there are no more"
    assert within_machine(vary("num_steps=1..8")) == (vary("num_steps=1..8"), "")
    with pytest.raises(RequestError, match="this machine grants 3: nothing to vary"):
        within_machine(vary("threads=2..8"))


def test_every_dimension_has_a_least_size_that_can_be():
    assert {*DIMENSIONS} == {
        *("num_hiddens", "batch_size", "num_steps", "vocab_size"),
        *("threads", "corpus_size", "num_epochs"),
    }
