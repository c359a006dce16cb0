"""Where a corpus comes from: a name or a path becomes text, with its hash.

A published corpus is looked for in the given folder, then ``$RNN_ROSETTA_DATA``, then the user's
cache, and last at the book's download address. Its SHA-1 is checked wherever it was found: the
published figures are of that exact file.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from common.errors import RequestError, unknown

DATA_VARIABLE = "RNN_ROSETTA_DATA"


@dataclass(frozen=True)
class Published:
    """A corpus the book downloads."""

    filename: str
    sha1: str
    url: str


EMBEDDED = Path(__file__).parent / "data" / "embedded.txt"
PUBLISHED = {
    "time-machine": Published(
        "timemachine.txt",
        "090b5e7e70c295757f55df93cb0a180b9691891a",
        "http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",
    ),
    "lyrics": Published(
        "jaychou_lyrics.txt.zip",
        "9529987e701a4f37048ab778270a5dde9a762a0b",
        "https://raw.githubusercontent.com/d2l-ai/d2l-zh/"
        "89403b9792861d86a0f1735cdd4a3d60c423f5a2/data/jaychou_lyrics.txt.zip",
    ),
}
NAMES = ("embedded", *PUBLISHED)


@dataclass(frozen=True)
class Text:
    """A corpus as it was read: its name, its text and the SHA-256 of its file."""

    name: str
    text: str
    sha256: str


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
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            raise _no_such_corpus(name, path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RequestError(f"corpus {name}: cannot read {path}: {error.strerror}") from error
    return Text(name, _decode(name, raw), hashlib.sha256(raw).hexdigest())


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


def _decode(name: str, raw: bytes) -> str:
    if name == "lyrics":
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            raw = archive.read(archive.namelist()[0])
    if not raw.strip():
        raise RequestError(f"corpus {name}: the file is empty; give one that holds text")
    if b"\0" in raw:
        raise RequestError(
            f"corpus {name}: a zero byte at {raw.index(0):,}: this is binary, not UTF-8 text"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"corpus {name}: not UTF-8 at byte {error.start:,}; convert it, "
            f"for example with: iconv -f ENCODING -t UTF-8"
        ) from error


def _places(wanted: Published, data_dir: Path | None) -> Iterator[Path]:
    if data_dir is not None:
        yield data_dir / wanted.filename
    if folder := os.environ.get(DATA_VARIABLE):
        yield Path(folder) / wanted.filename
    yield _cache() / wanted.filename


def _cache() -> Path:
    import platformdirs  # only when a published corpus is asked for

    return platformdirs.user_cache_path("rnn-rosetta")


def _find(wanted: Published, data_dir: Path | None) -> Path:
    if data_dir is not None and not data_dir.is_dir():
        raise RequestError(f"--data-dir {data_dir}: no such folder; create it or name another")
    for path in _places(wanted, data_dir):
        if path.is_file():
            found = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
            if found != wanted.sha1:
                raise RequestError(
                    f"{path}: SHA-1 is {found}, not {wanted.sha1}: this is another file; "
                    "replace or remove it"
                )
            return path
    return _download(wanted)


def _download(wanted: Published) -> Path:
    import pooch  # only when a download is due

    pooch.get_logger().setLevel("ERROR")
    try:
        return Path(pooch.retrieve(wanted.url, f"sha1:{wanted.sha1}", wanted.filename, _cache()))
    except Exception as error:  # pooch lets through whatever its transport raises
        hash_differs = isinstance(error, ValueError) and "hash" in str(error)
        reason = "what came has another hash" if hash_differs else type(error).__name__
        raise RequestError(
            f"cannot download {wanted.filename} from {wanted.url} ({reason}); put the file "
            f"(SHA-1 {wanted.sha1}) into {_cache()}, --data-dir or ${DATA_VARIABLE}"
        ) from error
