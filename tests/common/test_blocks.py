"""Blocks of a minibatch: equal, small enough, and no narrower than pays."""

from hypothesis import given
from hypothesis import strategies as st

from common.blocks import (
    CACHE,
    FEWEST,
    NARROWEST,
    cache_holds,
    number_of_blocks,
    number_of_parts,
)

sizes = st.integers(1, 2000)


@given(sizes, sizes, sizes, sizes)
def test_blocks_are_equal_and_fit_or_there_is_one(sequences, num_steps, num_hiddens, vocab_size):
    count = number_of_blocks(sequences, num_steps, num_hiddens, vocab_size)
    assert sequences % count == 0
    if count > 1:
        floats = sequences // count * num_steps * 2 * (num_hiddens + vocab_size)
        assert sequences // count >= NARROWEST
        assert 4 * floats <= CACHE


@given(sizes, st.integers(1, 64))
def test_a_core_has_a_part_if_it_is_large_enough(sequences, cores):
    parts = number_of_parts(sequences, cores)
    assert 1 <= parts <= cores
    assert parts == 1 or sequences // parts >= FEWEST


def test_chapter_9_is_worked_on_in_blocks_and_the_functional_chapter_is_not():
    assert number_of_blocks(512, 32, 32, 28) == 8
    assert number_of_blocks(16, 35, 512, 28) == 1
    assert [cache_holds(num_hiddens) for num_hiddens in (512, 1024)] == [True, False]
