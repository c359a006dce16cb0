"""Preprocessing of a text, as in the editions of the book, before it is cut into tokens.

A text comes and goes in pieces, so that no step holds all of it; where it is cut makes no
difference to what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from string import ascii_lowercase

import numpy as np

SPACE, LINE_BREAK = b" ", b"\n"
# tables for bytes.translate: the lower-case letter of each byte, or else what stands for it
LETTERS = bytes(b if chr(b) in ascii_lowercase else SPACE[0] for b in bytes(range(256)).lower())
LETTERS_AND_LINES = bytes(
    LINE_BREAK[0] if i in b"\n\r\v\f\x1c\x1d\x1e" else b for i, b in enumerate(LETTERS)
)


def letters(pieces: Iterable[str]) -> Iterator[str]:
    """A text in lower-case letters, every run of anything else one space (chapter 9)."""
    gap = b""  # what may go on in the next piece
    for piece in pieces:
        text = _one_space(gap + piece.encode("ascii", "replace").translate(LETTERS))
        words = text.rstrip(SPACE)
        gap = text[len(words) :]
        yield words.decode()
    yield gap.decode()


def letters_by_line(pieces: Iterable[str]) -> Iterator[str]:
    """`letters` of every line on its own, stripped, and nothing between (functional chapter)."""
    gap = LINE_BREAK  # as if a line had ended before the first
    for piece in pieces:
        if not piece.isascii():
            for other in "\x85\u2028\u2029":  # where str.splitlines cuts, too
                piece = piece.replace(other, "\n")
        text = _one_space(gap + piece.encode("ascii", "replace").translate(LETTERS_AND_LINES))
        gap = text[len(text.rstrip(SPACE + LINE_BREAK)) :]
        gap = LINE_BREAK if LINE_BREAK in gap else gap
        octets = np.frombuffer(text, np.uint8)
        letter = octets > SPACE[0]
        between = np.append(True, letter[:-1]) & np.append(letter[1:], False)
        kept = letter | (octets == SPACE[0]) & between
        yield bytes(octets[kept]).decode()


def newlines_to_spaces(pieces: Iterable[str]) -> Iterator[str]:
    """The text with every line break a space (original chapter)."""
    for piece in pieces:
        yield piece.replace("\n", " ").replace("\r", " ")


def _one_space(text: bytes) -> bytes:
    """An ASCII text with every run of spaces one space."""
    octets = np.frombuffer(text, np.uint8)
    kept = octets != SPACE[0]
    kept[1:] |= kept[:-1]  # the first space of a run stands behind something else
    kept[:1] = True
    return bytes(octets[kept])
