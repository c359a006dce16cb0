"""Arguments given by hand, at a prompt or in a notebook: what cannot be right is refused at once.

No step that is timed comes through here: what the harness gives has been checked before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from common.vocab import Vocab, as_numpy

NUM_FIRST = 10
"""Tokens of the text's beginning, which `train_rnn` continues where no prefix is given."""


def check_minibatch(model: Any, X: Any, state: Any, Y: Any = None) -> None:
    """See that a minibatch and a state fit a model.

    In a program that is being compiled there are shapes and no values yet: those alone are checked.

    Args:
        model: has a `vocab_size` and a `num_hiddens`.
        X: indices (batch_size, num_steps), in NumPy, a list or a framework's own tensor.
        state: one (batch_size, num_hiddens) a layer.
        Y: labels of the shape of X, where there are any.

    Raises:
        ValueError: the shapes do not fit each other, or the model.
        IndexError: an index is not in the model's vocabulary.
    """
    shape = _shape(X)
    if len(shape) != 2:
        raise ValueError(f"X has the shape {shape}: a minibatch is (batch_size, num_steps)")
    if Y is not None and _shape(Y) != shape:
        raise ValueError(f"Y has the shape {_shape(Y)}, but X has {shape}: Y is X one token later")
    expected = shape[0], model.num_hiddens
    for H in state:
        if _shape(H) != expected:
            raise ValueError(
                f"the state holds the shape {_shape(H)}, but X has {shape} and so takes a state "
                f"of {expected}, as begin_state({shape[0]}) gives it"
            )
    for name, indices in (("X", X), ("Y", Y)):
        if indices is not None:
            _check_range(name, indices, model.vocab_size)


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def _check_range(name: str, indices: Any, vocab_size: int) -> None:
    try:
        found = as_numpy(indices)
    except (TypeError, NotImplementedError):  # a symbol of JAX or TensorFlow: no values yet
        return
    outside = np.argwhere((found < 0) | (found >= vocab_size))
    if len(outside):
        row, column = outside[0]
        raise IndexError(
            f"{name}[{row}, {column}] is {found[row, column]}, but this model's vocabulary has the "
            f"indices 0 to {vocab_size - 1}"
        )


def checked_prefixes(
    prefixes: Iterable[str] | str | None, model: Any, train_iter: Any, vocab: Vocab
) -> list[str]:
    """The prefixes that a model continues while it trains, each fit to be continued.

    Args:
        prefixes: texts, or one text; None is the beginning of the text that is trained on.
        model: has a `vocab_size`.
        train_iter: the minibatches (X, Y); its first one is looked at where it has no `corpus`.
        vocab: of the text.

    Raises:
        RequestError: a prefix is empty or holds what the vocabulary does not.
        ValueError: model and vocabulary differ in size, or there is nothing to begin with.
    """
    if len(vocab) != model.vocab_size:
        raise ValueError(f"the model has {model.vocab_size} tokens, the vocabulary {len(vocab)}")
    if prefixes is None:
        prefixes = vocab.join(_corpus(train_iter)[:NUM_FIRST])
    prefixes = [prefixes] if isinstance(prefixes, str) else list(prefixes)
    if not prefixes:
        raise ValueError("no prefixes: give one at least, or None for the text's own beginning")
    for prefix in prefixes:
        vocab.check_prefix(prefix)
    return prefixes


def _corpus(train_iter: Any) -> Any:
    """The indices that minibatches were cut from, or the first row of the first of them."""
    if hasattr(train_iter, "corpus"):
        return train_iter.corpus
    if iter(train_iter) is train_iter:
        raise ValueError("train_iter can be gone through only once: give prefixes, or a loader")
    X, _ = next(iter(train_iter))
    return X[0]
