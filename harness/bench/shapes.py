"""Shapes that are timed."""

from __future__ import annotations

from common.errors import RequestError

SHAPES = ("32x35x256x28", "32x35x512x28", "32x35x256x1027", "1024x32x32x28", "64x64x1024x96")
"""batch_size x num_steps x num_hiddens x vocab_size."""


def dimensions(shape: str) -> tuple[int, int, int, int]:
    """The four numbers of a shape.

    Raises:
        RequestError: the text is not BxTxHxV.
    """
    parts = shape.split("x")
    if len(parts) != 4 or not all(part.isdecimal() and 0 < int(part) < 65_536 for part in parts):
        raise RequestError(
            f"--shape {shape}: give batch x steps x hiddens x vocabulary, as in {SHAPES[0]}"
        )
    B, T, H, V = map(int, parts)
    return B, T, H, V
