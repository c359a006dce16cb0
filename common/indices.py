"""Indices of a text in a file: written piece by piece, and mapped into memory to be read.

The file is one of NumPy's own, ``.npy``. It is ours alone: written aside, renamed once it is whole,
and never changed.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np

from common.array import Array
from common.errors import RequestError
from common.tokens import Indices

ROOM = 4
"""A process whose address space is limited maps a file only if it takes no more than a part of it,
one in so many."""


class FileIndices:
    """Indices (N,) that are read where they are asked for: a file too large to be mapped.

    Args:
        path: of the file, which is open from now on.
        dtype: type of an index.
        length: number of indices, N.
        offset: bytes before the first.
    """

    def __init__(
        self, path: Path, dtype: np.dtype[np.unsignedinteger], length: int, offset: int
    ) -> None:
        self.path, self.dtype, self.offset = path, dtype, offset
        self._length, self._file = length, os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, places: slice) -> Indices:
        """The indices from one place to another, as an array."""
        start, stop, _ = places.indices(self._length)
        size = self.dtype.itemsize
        raw = os.pread(self._file, max(0, stop - start) * size, self.offset + start * size)
        found: Indices = np.frombuffer(raw, self.dtype)
        if len(found) < stop - start:
            raise RequestError(f"{self.path}: it was cut short while it was read; start again")
        return found


def row_reader(corpus: Array | FileIndices, length: int) -> Callable[[Array], Array]:
    """Function from places in a corpus to so many indices from each place on: (places, length)."""
    if isinstance(corpus, FileIndices):
        return lambda starts: np.stack([corpus[i : i + length] for i in starts.tolist()])
    windows = np.lib.stride_tricks.sliding_window_view(corpus, length)
    return lambda starts: windows[starts]


def write_indices(
    file: IO[bytes], pieces: Iterable[Indices], dtype: np.dtype[np.unsignedinteger], length: int
) -> str:
    """Write indices of a type and of a number into an empty file; return its SHA-256."""
    digest, header = hashlib.sha256(), BytesIO()
    facts = {"descr": dtype.str, "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(header, facts)
    file.write(header.getvalue())
    digest.update(header.getvalue())
    for piece in pieces:
        file.write(piece.data)
        digest.update(piece.data)
    file.flush()
    return digest.hexdigest()


def open_indices(path: Path) -> Indices | FileIndices:
    """The indices in a file, mapped if there is room for it.

    Raises:
        OSError, ValueError: it cannot be read, or holds something else.
    """
    with open(path, "rb") as file:
        np.lib.format.read_magic(file)
        (length,), _, dtype = np.lib.format.read_array_header_1_0(file)
        offset, size = file.tell(), os.fstat(file.fileno()).st_size
    if size != offset + length * dtype.itemsize:
        raise ValueError("it is not whole")
    if size * ROOM > _address_space():
        return FileIndices(path, dtype, length, offset)
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _address_space() -> float:
    """Bytes that this process may address."""
    try:
        import resource  # absent on Windows, where nothing limits it
    except ImportError:
        return float("inf")
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return float("inf") if limit == resource.RLIM_INFINITY else limit
