"""The edge of the chapter's functions: what is checked when a person, not the harness, calls them.

The step that the harness times does not come by here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import RequestError
from common.vocab import Vocab


def check_fit(X: Any, state: Sequence[Any], vocab_size: int, Y: Any = None) -> None:
    """See that a minibatch, its labels and a state belong together.

    Args:
        X: indices (batch_size, num_steps), of any framework or as lists; what is being compiled
            has a shape, but no values to check yet.
        state: a tuple of tensors (batch_size, num_hiddens).
        vocab_size: every index is below it, and not below 0.
        Y: labels, of the shape of X; None for none.

    Raises:
        ValueError: the state is of another batch size, or the labels of another shape.
        IndexError: an index is out of range.
    """
    indices = _on_the_host(X)
    if indices is None:
        return
    for H in state:
        if H.shape[0] != len(indices):
            raise ValueError(
                f"the state, of shape {tuple(H.shape)}, is not for X, of shape {indices.shape}: "
                f"begin_state({len(indices)}) gives one that is"
            )
    labels = _on_the_host(Y) if Y is not None else indices
    if labels is not None and labels.shape != indices.shape:
        raise ValueError(f"Y, of shape {labels.shape}, is not for X, of shape {indices.shape}")
    for name, found in (("X", indices), ("Y", labels)):
        if found is None:
            continue
        outside = found[(found < 0) | (found >= vocab_size)]
        if len(outside):
            raise IndexError(
                f"{name} holds the index {outside[0]:g}, but the vocabulary has {vocab_size} "
                f"tokens: 0 to {vocab_size - 1}"
            )


def _on_the_host(X: Any) -> NDArray[Any] | None:
    """A tensor of any framework in NumPy; None while a framework traces it."""
    if hasattr(X, "asnumpy"):
        return np.asarray(X.asnumpy())
    if hasattr(X, "detach"):
        X = X.detach().cpu()
    try:
        return np.asarray(X)
    except (TypeError, NotImplementedError):  # what JAX and TensorFlow say of a traced value
        return None


def prefixes_to_continue(
    prefixes: Sequence[str] | None, train_iter: Iterable[Any], vocab: Vocab
) -> Sequence[str]:
    """The prefixes that a training by hand continues: those given, or the text's own beginning.

    Args:
        prefixes: texts that the vocabulary can spell; None for the beginning.
        train_iter: its attribute ``corpus`` holds the text's indices (N,); the beginning of a text
            that it does not tell is the most frequent token.
        vocab: of the text.

    Raises:
        RequestError: a prefix is empty, or holds what the vocabulary lacks.
    """
    if prefixes is None:
        corpus = getattr(train_iter, "corpus", None)
        if corpus is None:
            return [vocab.join(vocab[[token]]) for token, _ in vocab.token_freqs[:1]]
        return [vocab.beginning(corpus)]
    if isinstance(prefixes, str):
        raise RequestError(f"prefixes={prefixes!r}: give a list of texts, [{prefixes!r}]")
    for prefix in prefixes:
        vocab.check_prefix(prefix)
    return prefixes
