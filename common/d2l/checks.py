"""Checks of the chapter, and of what is given by hand to its networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from common.array import Array
from common.errors import RequestError
from common.vocab import as_numpy


def check_len(a: Sized, n: int) -> None:
    """See that a list has n elements."""
    if len(a) != n:
        raise AssertionError(f"the list has {len(a)} elements, not {n}")


def check_shape(a: Any, shape: Sequence[int]) -> None:
    """See that a tensor has a shape."""
    if tuple(a.shape) != tuple(shape):
        raise AssertionError(f"the tensor has the shape {tuple(a.shape)}, not {tuple(shape)}")


def check_sizes(**sizes: Any) -> None:
    """See that each of these sizes of a network is a whole number of at least 1."""
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} is {size!r}: a whole number, 1 at least")


def check_inputs(inputs: Any, H: Any, num_inputs: int, num_hiddens: int) -> None:
    """See that inputs, and a hidden state if there is one, fit a recurrent layer.

    Args:
        inputs: (num_steps, batch_size, num_inputs).
        H: (batch_size, num_hiddens), or None.
        num_inputs, num_hiddens: of the layer.

    Raises:
        ValueError: they do not fit.
    """
    shape = tuple(inputs.shape)
    if len(shape) != 3 or shape[-1] != num_inputs:
        raise ValueError(
            f"inputs have the shape {shape}: this layer takes (num_steps, batch_size, {num_inputs})"
        )
    if H is not None and tuple(H.shape) != (shape[1], num_hiddens):
        raise ValueError(
            f"the state has the shape {tuple(H.shape)}: inputs of {shape} take "
            f"{(shape[1], num_hiddens)}, that is (batch_size, num_hiddens)"
        )


def check_prefix(prefix: str, vocab: Any) -> None:
    """See that a prefix can be continued: each of its characters has an index of its own.

    Raises:
        RequestError: it is empty, or holds what would be ``<unk>``, which no network has learned.
    """
    if not prefix:
        raise RequestError("prefix '' holds no character: give at least one")
    unseen = [char for char in dict.fromkeys(prefix) if char not in vocab.token_to_idx]
    if unseen:
        raise RequestError(
            f"prefix {prefix!r} holds what this corpus never shows: "
            f"{', '.join(map(repr, unseen))}; leave them out, or write them as its tokens are"
        )


def verdict(mine: Callable[..., Any], theirs: Callable[..., Any], *arguments: Any) -> str:
    """The verdict on a function: ``right`` if it gives what another gives, else what is off.

    Args:
        mine: the function, which may be unwritten yet and give None.
        theirs: the other.
        arguments: of both.
    """
    try:
        given = mine(*arguments)
    except Exception as error:  # a student's own, whatever it is
        return f"not yet: {type(error).__name__}: {error}"
    if given is None:
        return "not yet: nothing is returned"
    expected = theirs(*arguments)
    if isinstance(expected, str):
        return "right" if given == expected else f"not yet: {given!r}, not {expected!r}"
    found, wanted = [*_arrays(given)], [*_arrays(expected)]
    if len(found) != len(wanted):
        return f"not yet: {len(found)} tensors, not {len(wanted)}"
    for place, (one, other) in enumerate(zip(found, wanted, strict=True), 1):
        if one.shape != other.shape:
            return f"not yet: tensor {place} has the shape {one.shape}, not {other.shape}"
        off, size = float(np.abs(one - other).max()), float(np.abs(other).max())
        if not off <= 1e-4 * size:
            return f"not yet: tensor {place} is off by {off:.2g}, of {size:.2g} at most"
    return "right"


def _arrays(given: Any) -> Iterator[Array]:
    """The tensors in lists and tuples, one after the other."""
    if isinstance(given, (list, tuple)):
        for each in given:
            yield from _arrays(each)
    else:
        yield as_numpy(given)
