"""A text in its file: read block by block, checked and hashed on the way, and never held whole."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from common.errors import RequestError, reason_of

MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
CONVERT = (
    'iconv -f ENCODING -t UTF-8 OLD > NEW, or python -c "from pathlib import Path as P; '
    "P('NEW').write_text(P('OLD').read_text('ENCODING'), 'UTF-8')\""
)
PIECE = 1 << 16  # bytes of a text decoded at a time: they and what is made of them fit a cache


class Text:
    """A corpus: a name, and UTF-8 text in a file or in memory.

    The file is read and not mapped, for a mapped file that is cut short ends the process. Whoever
    goes through the text has it checked and hashed on the way; a second time it must be the same.

    Args:
        name: of the corpus, as it was given.
        source: the path of the file, or its content.
        packed: the file that the content was packed in, whose hash is the corpus's; None if none.
    """

    def __init__(self, name: str, source: Path | bytes, packed: bytes | None = None) -> None:
        self.name, self.source = name, source
        self._sha256 = None if packed is None else hashlib.sha256(packed).hexdigest()
        self._is_packed = packed is not None
        self._num_chars: int | None = None

    def __iter__(self) -> Iterator[str]:
        """The text in pieces of about `PIECE` bytes, without a byte order mark.

        Raises:
            RequestError: it is no text, or has changed.
        """
        digest, rest, start, num_chars, blank = hashlib.sha256(), b"", 0, 0, True
        for block in self._blocks():
            if not start and not rest:
                self._check_encoding(block[:4096])
                start = len(codecs.BOM_UTF8) if block.startswith(codecs.BOM_UTF8) else 0
                rest = block[start:]
            else:
                rest += block
            digest.update(block)
            blank = blank and block.isspace()
            piece, used = self._decode(rest, start, final=False)
            start, rest = start + used, rest[used:]
            num_chars += len(piece)
            yield piece
        self._decode(rest, start, final=True)
        if blank:
            what = "holds nothing but blanks" if start else "is empty"
            raise RequestError(f"corpus {self.name}: the file {what}; give one that holds text")
        self._num_chars = num_chars
        self._settle(digest.hexdigest())

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file."""
        if self._sha256 is None:
            digest = hashlib.sha256()
            for block in self._blocks():
                digest.update(block)
            self._settle(digest.hexdigest())
        assert self._sha256 is not None
        return self._sha256

    @property
    def num_chars(self) -> int:
        """The length of the text in characters."""
        if self._num_chars is None:
            for _ in self:
                pass
        assert self._num_chars is not None
        return self._num_chars

    @property
    def size(self) -> int:
        """The length of the text in bytes."""
        if isinstance(self.source, bytes):
            return len(self.source)
        try:
            return self.source.stat().st_size
        except OSError as error:
            raise self._unreadable(error) from error

    def _settle(self, sha256: str) -> None:
        if self._is_packed:
            return
        if self._sha256 not in (None, sha256):
            raise self._changed()
        self._sha256 = sha256

    def _blocks(self) -> Iterator[bytes]:
        if isinstance(self.source, bytes):
            for start in range(0, len(self.source), PIECE):
                yield self.source[start : start + PIECE]
            return
        try:
            with open(self.source, "rb") as file:
                before, read = os.fstat(file.fileno()), 0
                while read <= before.st_size and (block := file.read(PIECE)):
                    read += len(block)
                    yield block
                after = os.fstat(file.fileno())
        except OSError as error:
            raise self._unreadable(error) from error
        if read != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
            raise self._changed()

    def _decode(self, raw: bytes, start: int, final: bool) -> tuple[str, int]:
        """As much text as some bytes give, and how many they are; `start` is their place."""
        zero, wrong = raw.find(0), None
        try:
            piece, used = codecs.utf_8_decode(raw, "strict", final)
        except UnicodeDecodeError as error:
            piece, used, wrong = "", 0, error.start
        if zero >= 0 and (wrong is None or zero < wrong):
            raise RequestError(
                f"corpus {self.name}: a zero byte at {start + zero:,}: "
                "this is binary, not UTF-8 text"
            )
        if wrong is not None:
            message = f"not UTF-8 at byte {start + wrong:,}; convert it: {CONVERT}"
            raise RequestError(f"corpus {self.name}: {message}")
        return piece, used

    def _check_encoding(self, start: bytes) -> None:
        if wide := _wide_encoding(start):
            convert = CONVERT.replace("ENCODING", wide)
            message = f"this is {wide}, not UTF-8; convert it: {convert}"
            raise RequestError(f"corpus {self.name}: {message}")

    def _unreadable(self, error: OSError) -> RequestError:
        return RequestError(f"corpus {self.name}: cannot read {self.source!s}: {reason_of(error)}")

    def _changed(self) -> RequestError:
        return RequestError(
            f"corpus {self.name}: it changed while it was read; "
            "start again once nothing writes to it"
        )


def _wide_encoding(start: bytes) -> str:
    """The encoding of two or four bytes a letter that a file begins in; empty if none.

    Told by its byte order mark, or by zeros in every second or fourth byte alone.
    """
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    for width, name in ((4, "UTF-32"), (2, "UTF-16")):
        whole = start[: len(start) // width * width]
        if len(whole) < 4 * width:  # too few letters to tell
            continue
        zeros = [whole[i::width].count(0) * width / max(1, len(whole)) for i in range(width)]
        if min(zeros) == 0 and sorted(zeros)[1] > 0.5:
            return f"{name}-{'LE' if zeros[0] == 0 else 'BE'}"
    return ""
