"""Data of the chapter: downloads, the loader of tensors, The Time Machine from text to indices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common import sources, vocab
from common.array import Array
from common.batches import minibatch_places
from common.d2l.base import HyperParameters
from common.downloads import PublishedText
from common.preparation import letters

DATA_URL = sources.DATA_URL


def download(url: str, folder: str | Path | None = None, sha1_hash: str | None = None) -> str:
    """The path of a file: found in the folder, ``$RNN_ROSETTA_DATA`` or the cache, or downloaded.

    Args:
        url: its address.
        folder: looked into first, and downloaded into; None is the user's cache.
        sha1_hash: its SHA-1, which is checked wherever the file was found; None checks nothing.

    Raises:
        RequestError: the download failed, or this is another file.
    """
    asked = PublishedText(url.rpartition("/")[2], sha1_hash or "", url)
    known = (p for p in sources.PUBLISHED.values() if (p.url, p.sha1) == (url, sha1_hash))
    wanted = next(known, asked)
    return str(sources.fetch(wanted, Path(folder) if folder else None))


class Vocab(vocab.Vocab):
    """The vocabulary in the order of chapter 9: sorted, ``<unk>`` among the tokens."""

    default_order = "sorted"


class TensorLoader:
    """Minibatches of tensors that belong together; each iteration is the next epoch.

    Shuffled, its order is that of `common.batches.SeqDataLoader` with the same seed.

    Args:
        tensors: of the same length each.
        batch_size: of every minibatch but the last, which may be smaller.
        shuffle: True draws another order for each epoch.
        seed: decides these orders.
    """

    def __init__(self, tensors: Sequence[Any], batch_size: int, shuffle: bool, seed: int) -> None:
        lengths = {len(tensor) for tensor in tensors}
        if len(lengths) != 1:
            raise ValueError(f"tensors of {sorted(lengths)} rows do not belong together")
        self.tensors, self.batch_size, self.shuffle, self.seed = tensors, batch_size, shuffle, seed
        self.next_epoch = 0
        (self.num_examples,) = lengths

    def __len__(self) -> int:
        """Number of minibatches in an epoch."""
        return -(-self.num_examples // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The minibatches of the next epoch."""
        self.next_epoch += 1
        rng = np.random.default_rng([self.seed, self.next_epoch]) if self.shuffle else None
        for places in minibatch_places(self.num_examples, self.batch_size, rng):
            yield tuple(self.take(tensor, places) for tensor in self.tensors)

    def take(self, tensor: Any, places: Array) -> Any:
        """The rows of a tensor at these places (n,)."""
        return tensor[places]


class DataModule(HyperParameters):
    """Base of data (section 3.2): who inherits it says how to get a loader.

    Attributes:
        root: folder for downloads; None is the user's cache.
        seed: decides the order of the training part.
        Loader: class of the loaders that `get_tensorloader` makes.
    """

    root: str | None = None
    seed = 0
    batch_size: int
    Loader = TensorLoader

    def __init__(self, root: str | None = None) -> None:
        self.save_hyperparameters()

    def get_dataloader(self, train: bool) -> Any:
        """The minibatches to train on, or those to validate with."""
        raise NotImplementedError(f"{type(self).__name__} has no get_dataloader yet: add it")

    def train_dataloader(self) -> Any:
        """The minibatches to train on."""
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> Any:
        """The minibatches to validate with."""
        return self.get_dataloader(train=False)

    def get_tensorloader(
        self, tensors: Sequence[Any], train: bool, indices: slice = slice(None)
    ) -> TensorLoader:
        """The minibatches of a part of some tensors, shuffled to train."""
        part = [tensor[indices] for tensor in tensors]
        return self.Loader(part, self.batch_size, train, self.seed)


class TimeMachineText(DataModule):
    """The Time Machine from its file to windows (sections 9.2 and 9.3).

    A framework's `TimeMachine` is made of batch_size and num_steps, the shape of a minibatch, and
    the numbers of windows num_train, from the first one on, and num_val after these.

    Attributes:
        X: indices (windows, num_steps), in the framework's own integers.
        Y: the same, one token later.
        vocab: of the whole text.
    """

    num_train: int
    num_val: int
    X: Any
    Y: Any
    vocab: Any

    def _download(self) -> str:
        """The text as it is published."""
        published = sources.PUBLISHED["time-machine"]
        return Path(download(published.url, self.root, published.sha1)).read_text("utf-8")

    def _preprocess(self, text: str) -> str:
        """The text in lower-case letters, every run of anything else one space."""
        return "".join(letters([text]))

    def _tokenize(self, text: str) -> list[str]:
        """The characters of a text."""
        return list(text)

    def build(self, raw_text: str, vocab: Any = None) -> tuple[list[int], Any]:
        """The indices of a text, and their vocabulary, which is its own where none is given."""
        tokens = self._tokenize(self._preprocess(raw_text))
        if vocab is None:
            vocab = Vocab(tokens)
        return vocab[tokens], vocab

    def get_dataloader(self, train: bool) -> TensorLoader:
        """The minibatches (X, Y) to train on, or those to validate with."""
        end = self.num_train + self.num_val
        part = slice(0, self.num_train) if train else slice(self.num_train, end)
        return self.get_tensorloader([self.X, self.Y], train, part)


def windows(corpus: Sequence[int], num_steps: int) -> tuple[Array, Array]:
    """All windows X and Y of a corpus at stride 1: (len(corpus) - num_steps, num_steps) each.

    Raises:
        ValueError: the corpus is too short for one.
    """
    if len(corpus) <= num_steps:
        raise ValueError(f"num_steps={num_steps}: the text has {len(corpus)} tokens alone")
    found = np.lib.stride_tricks.sliding_window_view(np.array(corpus), num_steps + 1)
    return found[:, :-1], found[:, 1:]
