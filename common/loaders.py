"""The book's two loaders for a framework: minibatches and indices are its own tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from common import corpus
from common.array import Array
from common.batches import SeqDataLoader
from common.vocab import Vocab


class TensorLoader:
    """Minibatches of a `SeqDataLoader` as tensors; every iteration is its next epoch.

    Args:
        loader: cuts the minibatches, in NumPy.
        tensor: makes a framework's tensor of an array.

    Attributes:
        corpus: indices (N,) that the minibatches are cut from, in NumPy.
    """

    def __init__(self, loader: SeqDataLoader, tensor: Callable[[Array], Any]) -> None:
        self.loader, self.tensor, self.corpus = loader, tensor, loader.corpus

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """The minibatches (X, Y) of the next epoch, each (batch_size, num_steps)."""
        return ((self.tensor(X), self.tensor(Y)) for X, Y in self.loader)

    def __len__(self) -> int:
        """Number of minibatches in an epoch, as the loader counts them."""
        return len(self.loader)


class Loaders:
    """Functions of `common.corpus` that load data, for a framework.

    Args:
        tensor: makes a tensor of integers, on the framework's default device, of an array.
    """

    def __init__(self, tensor: Callable[[Array], Any]) -> None:
        self.tensor = tensor

    def load_data(
        self,
        name: str,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = 10_000,
        seed: int = 0,
    ) -> tuple[TensorLoader, Vocab]:
        """Minibatches and vocabulary of a corpus, prepared as in the functional chapter."""
        given = name, batch_size, num_steps, use_random_iter, max_tokens, seed
        loader, vocab = corpus.load_data(*given)
        return TensorLoader(loader, self.tensor), vocab

    def load_data_time_machine(
        self,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = 10_000,
        seed: int = 0,
    ) -> tuple[TensorLoader, Vocab]:
        """The Time Machine's minibatches and vocabulary (functional chapter)."""
        given = batch_size, num_steps, use_random_iter, max_tokens, seed
        return self.load_data("time-machine", *given)

    def load_data_jay_lyrics(self) -> tuple[Any, dict[str, int], list[str], int]:
        """The first 10,000 characters of the lyrics (original chapter).

        Returns:
            corpus_indices, char_to_idx, idx_to_char, vocab_size.
        """
        indices, *rest = corpus.load_data_jay_lyrics()
        return self.tensor(indices), *rest
