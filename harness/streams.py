"""Standard output and error that last: they take every character, whatever becomes of them."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys

NEAR = {"·": ".", "␣": "_", "↵": "\\n"}
"""Stands for the marks of this program; any other character becomes its escape: ``\\u5206``."""

ANOTHER_WAY = "rnn-rosetta"
"""The error handler of `NEAR`, by the name under which codecs know it."""


def _another_way(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    escaped = (char.encode("ascii", "backslashreplace").decode() for char in lacking)
    written = [NEAR.get(*pair) or "" for pair in zip(lacking, escaped, strict=True)]
    return "".join(written), error.end


codecs.register_error(ANOTHER_WAY, _another_way)


class Lasting(io.TextIOWrapper):
    """A stream that takes every character, and goes on when nothing can be written any more.

    Attributes:
        lost: reason why not; empty while all is well, or where the reader went of its own will.
    """

    lost = ""

    def write(self, text: str, /) -> int:
        """Write a text, or let it go."""
        try:
            return super().write(text)
        except OSError as error:
            self._let_go(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or let go what was written."""
        try:
            super().flush()
        except OSError as error:
            self._let_go(error)

    def _let_go(self, error: OSError) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)  # takes what the buffer still holds, too
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        if error.errno != errno.EPIPE:
            self.lost = error.strerror or type(error).__name__


def make_streams_last() -> None:
    """Make standard output and error `Lasting`, in the encoding that they have."""
    for number in range(3):  # a file opened by the number of a closed one would be taken for it
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__"):
            continue  # somebody has taken it over, and decides what becomes of it
        if stream is None:  # it was closed when we were started
            nowhere, encoding, errors = open(os.devnull, "wb"), "utf-8", ANOTHER_WAY  # noqa: SIM115
            setattr(sys, name, Lasting(nowhere, encoding, errors))
            continue
        errors = ANOTHER_WAY if stream.errors in BY_DEFAULT else stream.errors
        by_line = name == "stderr" or stream.isatty()
        encoding = stream.encoding
        setattr(sys, name, Lasting(stream.detach(), encoding, errors, line_buffering=by_line))


BY_DEFAULT = ("strict", "surrogateescape", "backslashreplace")
"""Python's own ways with a character that an encoding lacks; any other was asked for."""


def output_was_lost() -> bool:
    """Say whether standard output could not be written, and why; True if so."""
    sys.stdout.flush()
    lost = getattr(sys.stdout, "lost", "")
    if lost:
        print(f"error: standard output cannot be written: {lost}", file=sys.stderr)
    return bool(lost)
