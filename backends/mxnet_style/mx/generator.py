"""MXNet's random numbers on the CPU, bit for bit.

MXNet 1.9.1 keeps 1024 Mersenne twisters, the i-th seeded with 127 * seed + i. A call for n numbers
cuts them into equal chunks, one for every 64 numbers but at most 1024; the i-th chunk comes from
the i-th twister, through the distributions of the GNU C++ library.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable

import numpy as np

STREAMS = 1024
CHUNK = 64


def _logarithms() -> dict[str, Callable[[float], float]]:
    """The C library's logarithms by dtype: those MXNet calls. NumPy's differ in the last bit."""
    try:
        logf = ctypes.CDLL(None).logf
    except (AttributeError, OSError, TypeError):  # it cannot be looked up; one bit may be lost
        return {"float32": math.log, "float64": math.log}
    logf.argtypes, logf.restype = [ctypes.c_float], ctypes.c_float
    return {"float32": logf, "float64": math.log}


LOG = _logarithms()


class Stream:
    """One Mersenne twister, whose words can be seen before it is settled how many are used."""

    def __init__(self, seed: int) -> None:
        self._twister = np.random.RandomState(seed % 2**32)
        self._ahead = np.empty(0, np.uint32)

    def peek(self, count: int) -> np.ndarray:
        """The next `count` words, of 32 bits each."""
        missing = count - len(self._ahead)
        if missing > 0:
            fresh = self._twister.randint(0, 2**32, missing, dtype=np.uint32)
            self._ahead = np.concatenate([self._ahead, fresh])
        return self._ahead[:count]

    def skip(self, count: int) -> None:
        """Use up `count` words."""
        self._ahead = self._ahead[count:]


def fractions(words: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Numbers in [0, 1) as std::generate_canonical makes them.

    A float32 takes one word, a float64 two, the lower half first.
    """
    if dtype == np.float32:
        scaled: np.ndarray = words.astype(dtype) / dtype.type(2.0**32)
    else:
        low, high = words.reshape(-1, 2).T.astype(dtype)
        scaled = (low + high * 2.0**32) / 2.0**64
    np.minimum(scaled, np.nextafter(dtype.type(1), dtype.type(0)), out=scaled)
    return scaled


def uniform(stream: Stream, count: int, dtype: np.dtype) -> np.ndarray:
    """`count` numbers in [0, 1) from one stream."""
    words = count * dtype.itemsize // 4
    numbers = fractions(stream.peek(words), dtype)
    stream.skip(words)
    return numbers


def normal(stream: Stream, count: int, dtype: np.dtype) -> np.ndarray:
    """`count` standard normal numbers from one stream, by Marsaglia's polar method.

    Points of a square are drawn until one lies in the unit disc. Each number takes a point of its
    own: MXNet makes a new std::normal_distribution for each, which drops the second of its pair.
    """
    words = 2 * dtype.itemsize // 4
    points = 4 * count // 3 + 16  # 4 / pi of them for each number, and some to spare
    while True:
        x, y = (2 * fractions(stream.peek(words * points), dtype) - 1).reshape(-1, 2).T
        squares = x * x + y * y
        inside = np.flatnonzero((squares <= 1) & (squares != 0))[:count]
        if len(inside) == count:
            break
        points *= 2
    stream.skip(words * (int(inside[-1]) + 1))
    square = squares[inside]
    log = np.fromiter(map(LOG[dtype.name], square.tolist()), dtype, count)
    numbers: np.ndarray = y[inside] * np.sqrt(-2 * log / square)
    return numbers


class Generator:
    """The 1024 streams, each started when it is first needed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: list[Stream] = []

    def draw(
        self,
        law: Callable[[Stream, int, np.dtype], np.ndarray],
        size: int,
        dtype: np.dtype,
    ) -> np.ndarray:
        """`size` numbers that follow `law`, which is `uniform` or `normal`."""
        chunks = min(-(-size // CHUNK), STREAMS)
        length = -(-size // chunks)
        while len(self._streams) < chunks:
            self._streams.append(Stream(self._seed * 127 + len(self._streams)))
        pieces = [
            law(self._streams[index], min(length, size - start), dtype)
            for index, start in enumerate(range(0, size, length))
        ]
        return np.concatenate(pieces)
