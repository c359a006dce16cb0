"""Sources of a corpus: a name or a path becomes text, with its hash.

A published corpus is looked for in the given folder, then ``$RNN_ROSETTA_DATA``, then the user's
cache, and last at the book's download address. Its SHA-1 is checked wherever it was found: the
published figures are of that exact file.
"""

from __future__ import annotations

import codecs
import hashlib
import mmap
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np

from common.errors import RequestError, unknown

DATA_VARIABLE = "RNN_ROSETTA_DATA"
DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
"""Address below which the book keeps its data."""


@dataclass(frozen=True)
class PublishedText:
    """A corpus the book downloads."""

    filename: str
    sha1: str
    url: str


EMBEDDED = Path(__file__).parent / "data" / "embedded.txt"
PUBLISHED = {
    "time-machine": PublishedText(
        "timemachine.txt",
        "090b5e7e70c295757f55df93cb0a180b9691891a",
        DATA_URL + "timemachine.txt",
    ),
    "lyrics": PublishedText(
        "jaychou_lyrics.txt.zip",
        "9529987e701a4f37048ab778270a5dde9a762a0b",
        "https://raw.githubusercontent.com/d2l-ai/d2l-zh/"
        "89403b9792861d86a0f1735cdd4a3d60c423f5a2/data/jaychou_lyrics.txt.zip",
    ),
}
NAMES = ("embedded", *PUBLISHED)
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


@dataclass(frozen=True)
class Text:
    """A corpus: its file, and the UTF-8 text in it, which iterating decodes piece by piece."""

    name: str
    file: bytes | mmap.mmap
    content: bytes | mmap.mmap  # of the file, or of what it holds packed

    def __iter__(self) -> Iterator[str]:
        """The text in pieces of at most `PIECE` bytes, without a byte order mark."""
        start = len(codecs.BOM_UTF8) if self.content[:3] == codecs.BOM_UTF8 else 0
        while start < len(self.content):
            raw = self.content[start : start + PIECE]
            at_end = start + PIECE >= len(self.content)
            try:
                piece, used = codecs.utf_8_decode(raw, "strict", at_end)
            except UnicodeDecodeError as error:
                message = f"not UTF-8 at byte {start + error.start:,}; convert it: {CONVERT}"
                raise RequestError(f"corpus {self.name}: {message}") from error
            yield piece
            start += used

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file."""
        return hashlib.sha256(self.file).hexdigest()

    @cached_property
    def num_chars(self) -> int:
        """The length of the text in characters."""
        return sum(len(piece) for piece in self)


def read(name_or_path: str | Path, data_dir: str | Path | None = None) -> Text:
    """Read a corpus by name (`NAMES`) or by the path of a UTF-8 text file.

    Raises:
        RequestError: there is no such corpus, it cannot be had, or it is not text.
    """
    name = str(name_or_path)
    if name == "embedded":
        path = EMBEDDED
    elif name in PUBLISHED:
        path = _find(PUBLISHED[name], Path(data_dir) if data_dir else None)
    else:
        path = Path(os.path.expanduser(name_or_path))
        if not path.is_file():
            raise _no_such_corpus(name, path)
    try:
        file = _map(path)
    except OSError as error:
        raise RequestError(f"corpus {name}: cannot read {path}: {error.strerror}") from error
    text = Text(name, file, _unzip(file) if name == "lyrics" else file)
    _check(text)
    return text


def available(name: str, data_dir: Path | None = None) -> str | None:
    """None if a named corpus is on this machine, else how to get it."""
    if name == "embedded" or any(p.is_file() for p in _places(PUBLISHED[name], data_dir)):
        return None
    return f"not here yet: downloaded from {PUBLISHED[name].url} when first used"


def _no_such_corpus(name: str, path: Path) -> RequestError:
    if path.is_dir():
        return RequestError(f"corpus {name}: that is a folder; name a UTF-8 text file in it")
    if path.suffix or len(path.parts) > 1:
        return RequestError(f"corpus {name}: no such file; or name one of {', '.join(NAMES)}")
    return unknown("corpus", name, [*NAMES, "or the path of a UTF-8 text file"])


def _map(path: Path) -> bytes | mmap.mmap:
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return b""  # nothing cannot be mapped
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _unzip(file: bytes | mmap.mmap) -> bytes:
    with zipfile.ZipFile(BytesIO(file)) as archive:
        return archive.read(archive.namelist()[0])


def _check(text: Text) -> None:
    """See that a text is one: not empty, without zero bytes, and UTF-8 throughout."""
    if wide := _wide_encoding(bytes(text.content[:4096])):
        convert = CONVERT.replace("ENCODING", wide)
        raise RequestError(f"corpus {text.name}: this is {wide}, not UTF-8; convert it: {convert}")
    if not re.search(rb"\S", text.content):
        what = "holds nothing but blanks" if len(text.content) else "is empty"
        raise RequestError(f"corpus {text.name}: the file {what}; give one that holds text")
    octets = np.frombuffer(text.content, np.uint8)
    if not octets.min():
        raise RequestError(
            f"corpus {text.name}: a zero byte at {octets.argmin():,}: "
            "this is binary, not UTF-8 text"
        )
    if octets.max() >= 128:
        for _ in text:  # decoded, it says where it is not UTF-8
            pass


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


def _places(wanted: PublishedText, data_dir: Path | None) -> Iterator[Path]:
    if data_dir is not None:
        yield data_dir / wanted.filename
    if folder := os.environ.get(DATA_VARIABLE):
        yield Path(folder) / wanted.filename
    yield _cache() / wanted.filename


def _cache() -> Path:
    import platformdirs  # only when a published corpus is asked for

    return platformdirs.user_cache_path("rnn-rosetta")


def _find(wanted: PublishedText, data_dir: Path | None) -> Path:
    if data_dir is not None and not data_dir.is_dir():
        raise RequestError(f"--data-dir {data_dir}: no such folder; create it or name another")
    return fetch(wanted, data_dir, _cache())


def fetch(wanted: PublishedText, first: Path | None, into: Path | None = None) -> Path:
    """The path of a published file, whose SHA-1 is checked unless it is empty.

    Args:
        wanted: the file.
        first: folder that is looked into first, before ``$RNN_ROSETTA_DATA`` and the cache.
        into: folder that it is downloaded into if it is nowhere; None is the first, or the cache.

    Raises:
        RequestError: it cannot be had, or is another file.
    """
    for path in _places(wanted, first):
        if path.is_file():
            found = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
            if wanted.sha1 and found != wanted.sha1:
                raise RequestError(
                    f"{path}: SHA-1 is {found}, not {wanted.sha1}: this is another file; "
                    "replace or remove it"
                )
            return path
    return _download(wanted, into or first or _cache())


def _download(wanted: PublishedText, into: Path) -> Path:
    import pooch  # only when a download is due

    pooch.get_logger().setLevel("ERROR")
    known_hash = f"sha1:{wanted.sha1}" if wanted.sha1 else None
    try:
        return Path(pooch.retrieve(wanted.url, known_hash, wanted.filename, into))
    except Exception as error:  # pooch lets through whatever its transport raises
        hash_differs = isinstance(error, ValueError) and "hash" in str(error)
        reason = "what came has another hash" if hash_differs else type(error).__name__
        sha1 = f" (SHA-1 {wanted.sha1})" if wanted.sha1 else ""
        raise RequestError(
            f"cannot download {wanted.filename} from {wanted.url} ({reason}); put the file"
            f"{sha1} into {into}, --data-dir or ${DATA_VARIABLE}"
        ) from error
