"""Sources of a corpus: a name or a path becomes text, with its hash.

A published corpus is looked for in the given folder, then ``$RNN_ROSETTA_DATA``, then the user's
cache, and last at the book's download address. Its SHA-1 is checked wherever it was found: the
published figures are of that exact file.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from common.downloads import DownloadError, PublishedText, download
from common.errors import RequestError, unknown
from common.limits import reason_of
from common.text import Text

DATA_VARIABLE = "RNN_ROSETTA_DATA"
DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
"""Address below which the book keeps its data."""

EMBEDDED = Path(__file__).parent / "data" / "embedded.txt"
PUBLISHED = {
    "time-machine": PublishedText(
        "timemachine.txt",
        "090b5e7e70c295757f55df93cb0a180b9691891a",
        DATA_URL + "timemachine.txt",
        "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516",
        178_979,
    ),
    "lyrics": PublishedText(
        "jaychou_lyrics.txt.zip",
        "9529987e701a4f37048ab778270a5dde9a762a0b",
        "https://raw.githubusercontent.com/d2l-ai/d2l-zh/"
        "89403b9792861d86a0f1735cdd4a3d60c423f5a2/data/jaychou_lyrics.txt.zip",
        "3cfedd7d174111cdad5a27eaffaa6a2432a2842cf2590a03dd8a97610ea07043",
        52_607,
    ),
}
NAMES = ("embedded", *PUBLISHED)


def read(name_or_path: str | Path, data_dir: str | Path | None = None) -> Text:
    """Read a corpus by name (`NAMES`) or by the path of a UTF-8 text file.

    A path that is not there, as on a node of a cluster, is looked for by its last part in the given
    folder.

    Raises:
        RequestError: there is no such corpus, or it cannot be had. That it is text shows to whoever
            goes through it.
    """
    name = str(name_or_path)
    path = locate(name, data_dir)
    if name != "lyrics":
        return Text(name, path)
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise RequestError(f"corpus {name}: cannot read {path}: {reason_of(error)}") from error
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        return Text(name, archive.read(archive.namelist()[0]), packed)


def locate(name: str, data_dir: str | Path | None = None) -> Path:
    """The file of a corpus, by its name or path; see `read`.

    Raises:
        RequestError: there is no such corpus, or it cannot be had.
    """
    if name == "embedded":
        return EMBEDDED
    if name in PUBLISHED:
        return _find(PUBLISHED[name], Path(data_dir) if data_dir else None)
    path = Path(os.path.expanduser(name))
    if os.path.isfile(path):  # false of a name that is too long, too
        return path
    sent = Path(data_dir or "") / path.name
    if data_dir is None or not os.path.isfile(sent):
        raise _no_such_corpus(name, path)
    return sent


def file_name(name: str) -> str:
    """The name by which the file of a corpus is looked for in a folder of texts."""
    return PUBLISHED[name].filename if name in PUBLISHED else Path(name).name


def available(name: str, data_dir: Path | None = None) -> str | None:
    """None if a named corpus is on this machine, else how to get it."""
    if name == "embedded" or any(p.is_file() for p in _places(PUBLISHED[name], data_dir)):
        return None
    return f"not here yet: downloaded from {PUBLISHED[name].url} when first used"


def _no_such_corpus(name: str, path: Path) -> RequestError:
    if os.path.isdir(path):
        return RequestError(f"corpus {name}: that is a folder; name a UTF-8 text file in it")
    if path.suffix or len(path.parts) > 1:
        return RequestError(f"corpus {name}: no such file; or name one of {', '.join(NAMES)}")
    return unknown("corpus", name, [*NAMES, "or the path of a UTF-8 text file"])


def _places(wanted: PublishedText, data_dir: Path | None) -> Iterator[Path]:
    if data_dir is not None:
        yield data_dir / wanted.filename
    if folder := os.environ.get(DATA_VARIABLE):
        yield Path(folder) / wanted.filename
    yield cache() / wanted.filename


def cache() -> Path:
    """Folder of the user's cache."""
    import platformdirs  # only when a published corpus is asked for

    return platformdirs.user_cache_path("rnn-rosetta")


def _find(wanted: PublishedText, data_dir: Path | None) -> Path:
    if data_dir is not None and not data_dir.is_dir():
        raise RequestError(f"--data-dir {data_dir}: no such folder; create it or name another")
    return fetch(wanted, data_dir, cache())


def fetch(wanted: PublishedText, first: Path | None, into: Path | None = None) -> Path:
    """The path of a published file, whose hashes are checked as far as they are known.

    Args:
        wanted: the file.
        first: folder that is looked into first, before ``$RNN_ROSETTA_DATA`` and the cache.
        into: folder that it is downloaded into if it is nowhere; None is the first, or the cache.

    Raises:
        RequestError: it cannot be had, or is another file.
    """
    if wanted.filename in ("", ".", ".."):
        raise RequestError(f"{wanted.url}: names no file: give the address of one")
    for path in _places(wanted, first):
        if path.is_file():
            return _checked(path, wanted)
    into = into or first or cache()
    try:
        return download(wanted, into)
    except (DownloadError, OSError) as error:
        reason = str(error) if isinstance(error, DownloadError) else reason_of(error)
        sha1 = f" (SHA-1 {wanted.sha1})" if wanted.sha1 else ""
        raise RequestError(
            f"cannot download {wanted.filename} from {wanted.url} ({reason}); put the file"
            f"{sha1} into {into}, --data-dir or ${DATA_VARIABLE}"
        ) from error


def _checked(path: Path, wanted: PublishedText) -> Path:
    try:
        content = path.read_bytes() if wanted.sha1 else b""
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {reason_of(error)}") from error
    found = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if wanted.sha1 and found != wanted.sha1:
        raise RequestError(
            f"{path}: SHA-1 is {found}, not {wanted.sha1}: this is another file; "
            "replace or remove it"
        )
    return path
