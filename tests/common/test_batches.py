import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.batches import SeqDataLoader
from common.errors import RequestError

SHAPES = {
    "length": st.integers(70, 400),  # enough for the largest batch at the largest offset
    "batch_size": st.integers(1, 6),
    "num_steps": st.integers(1, 9),
    "seed": st.integers(0, 99),
    "random_offset": st.booleans(),
}


def loader(sampling, length, batch_size, num_steps, seed=0, random_offset=True):
    """Batches of a corpus in which every token is its own position."""
    corpus = np.arange(length, dtype=np.uint16)
    return SeqDataLoader(corpus, batch_size, num_steps, sampling, seed, random_offset)


@given(st.sampled_from(["random", "sequential"]), st.fixed_dictionaries(SHAPES))
def test_every_token_at_most_once_and_y_is_x_one_later(sampling, shape):
    batches = list(loader(sampling, **shape))
    assert batches
    for X, Y in batches:
        assert X.shape == Y.shape == (shape["batch_size"], shape["num_steps"])
        np.testing.assert_array_equal(Y, X + 1)
    seen = np.concatenate([X.ravel() for X, _ in batches])
    assert len(np.unique(seen)) == len(seen)
    # nothing is left but the offset, and less than what another batch would take
    unused = shape["length"] - 1 - len(seen)
    assert unused < shape["num_steps"] * (shape["batch_size"] + 1) + shape["batch_size"]


@given(st.fixed_dictionaries(SHAPES))
def test_consecutive_batches_are_adjacent(shape):
    batches = list(loader("sequential", **shape))
    for (X, _), (X_next, _) in itertools.pairwise(batches):
        np.testing.assert_array_equal(X_next[:, 0], X[:, -1] + 1)


@given(st.fixed_dictionaries(SHAPES))
def test_sliding_windows_are_split_and_all_used(shape):
    made = loader("sliding", **shape)
    train = np.concatenate([X[:, 0] for X, _ in made])
    val = np.concatenate([X[:, 0] for X, _ in made.validation()])
    windows = shape["length"] - shape["num_steps"]
    assert sorted(train) == list(range(windows * 2 // 3))
    np.testing.assert_array_equal(val, np.arange(windows * 2 // 3, windows))
    for X, Y in made:
        np.testing.assert_array_equal(Y, X + 1)
        assert X.shape in made.shapes()


def test_the_split_of_chapter_9():
    made = SeqDataLoader(np.arange(170_000), 1024, 32, "sliding")
    sizes = [len(X) for X, _ in made]
    assert sizes == [1024] * 9 + [784]
    assert sorted(made.shapes()) == [(784, 32), (1024, 32)]
    assert [len(X) for X, _ in made.validation()] == [1024] * 4 + [904]
    assert next(made.validation())[0][0, 0] == 10_000


@pytest.mark.parametrize("sampling", ["random", "sequential"])
def test_the_offset_reaches_all_its_values(sampling):
    made = loader(sampling, length=100, batch_size=2, num_steps=5)
    fixed = loader(sampling, length=100, batch_size=2, num_steps=5, random_offset=False)

    def offsets(made):
        first_tokens = [next(iter(made))[0][0, 0] for _ in range(200)]
        return {int(token) % 5 for token in first_tokens}

    assert offsets(made) == set(range(5))
    assert offsets(fixed) == {0}


@pytest.mark.parametrize("sampling", ["random", "sequential", "sliding"])
def test_an_epoch_depends_on_the_seed_and_its_number_alone(sampling):
    def epochs(made, *numbers):
        return [np.concatenate([X.ravel() for X, _ in made.epoch(n)]).tolist() for n in numbers]

    first = loader(sampling, 200, 3, 7, seed=5)
    one, two, three = (np.concatenate([X.ravel() for X, _ in first]).tolist() for _ in range(3))
    assert epochs(loader(sampling, 200, 3, 7, seed=5), 3, 1) == [three, one]
    other_seed = epochs(loader(sampling, 200, 3, 7, seed=6), 1, 2, 3)
    assert len({str(e) for e in (one, two, three, *other_seed)}) > 3


@pytest.mark.parametrize("sampling", ["random", "sequential", "sliding"])
@pytest.mark.parametrize("start", [0, 1, 4])
def test_an_epoch_may_begin_at_any_batch(sampling, start):
    made = loader(sampling, 200, 3, 7, seed=5)
    whole = [(X.tolist(), Y.tolist()) for X, Y in made.epoch(2)]
    assert [(X.tolist(), Y.tolist()) for X, Y in made.epoch(2, start)] == whole[start:]


def test_the_order_of_random_batches_is_that_of_a_permutation():
    """In half the memory; every published figure stands on this order."""
    made = loader("random", 400, 4, 5, seed=3)
    rng = np.random.default_rng([3, 1])
    offset = int(rng.integers(5))
    starts = offset + 5 * rng.permutation((400 - offset - 1) // 5)
    seen = np.concatenate([X[:, 0] for X, _ in made])
    np.testing.assert_array_equal(seen, starts[: len(seen)])


def test_random_batches_are_in_random_order():
    starts = [int(x) for X, _ in loader("random", 400, 4, 5) for x in X[:, 0]]
    assert starts != sorted(starts)


def test_sequential_windows_are_views_of_the_corpus():
    made = loader("sequential", 200, 3, 7)
    assert all(
        np.shares_memory(X, made.corpus) and np.shares_memory(Y, made.corpus) for X, Y in made
    )
    sliding = loader("sliding", 200, 3, 7)
    assert np.shares_memory(sliding.train_windows, sliding.corpus)


@pytest.mark.parametrize("sampling", ["random", "sequential"])
@pytest.mark.parametrize("random_offset", [True, False])
def test_the_shortest_corpus_gives_a_batch_at_every_offset(sampling, random_offset):
    shortest = 3 * 5 + 1 + (4 if random_offset else 0)
    made = SeqDataLoader(np.arange(shortest), 3, 5, sampling, 0, random_offset)
    assert all(len(list(made)) >= 1 for _ in range(60))
    with pytest.raises(RequestError, match="too short"):
        SeqDataLoader(np.arange(shortest - 1), 3, 5, sampling, 0, random_offset)


def test_a_corpus_without_two_windows_to_train_and_one_to_validate_is_refused():
    assert list(SeqDataLoader(np.arange(8), 4, 5, "sliding").validation())
    with pytest.raises(RequestError, match="too short"):
        SeqDataLoader(np.arange(7), 4, 5, "sliding")
