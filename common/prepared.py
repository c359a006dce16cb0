"""A text prepared for training: its indices and vocabulary, from the text or from the cache.

A text is read once a command: it is numbered, counted and hashed in one pass. The indices of a
large one are kept in a file of the user's cache, with its vocabulary beside it. Workers open them
instead of the text, and the next command has nothing to do but hash the text.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict

from common.corpus import EDITION_OF, Cut, number, vocabulary
from common.errors import RequestError, reason_of
from common.files import STALE, aside_of, sweep
from common.indices import FileIndices, open_indices, write_indices
from common.sources import cache
from common.text import Text
from common.tokens import Indices
from common.vocab import Vocab

SMALL = 8 << 20
"""Bytes of a text that is not worth a file: to read it again takes a tenth of a second."""

FORMAT = 1
"""Version of the files; those of another are not found."""

SECONDS_KEPT = 30 * 86_400
"""Age at which a file that nobody has used is removed."""


@dataclass(frozen=True)
class Prepared:
    """A text, cut into indices.

    Attributes:
        name: of the corpus.
        sha256: of its file.
        num_chars: characters of the text.
        num_tokens: tokens of the text, prepared, whether they are kept or not.
        indices: of the tokens that are kept (N,).
        vocab: the vocabulary.
        path: file of the indices; None if they are in memory alone.
    """

    name: str
    sha256: str
    num_chars: int
    num_tokens: int
    indices: Indices | FileIndices
    vocab: Vocab
    path: Path | None


class Kept(BaseModel):
    """Kept beside a file of indices: of what they are, and what their vocabulary is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    num_chars: int
    num_tokens: int
    counts: dict[str, int]
    indices_sha256: str


def prepare(text: Text, how: Cut) -> Prepared:
    """Turn a text into indices and a vocabulary, or find them in the cache.

    Raises:
        RequestError: it is not text, has too few symbols, or its indices cannot be kept.
    """
    if text.size <= SMALL:
        with BytesIO() as file:
            numbered = number(text, how, file)
            indices, vocab = numbered.indices(), numbered.vocab
        facts = text.sha256, text.num_chars, numbered.num_tokens
        return Prepared(text.name, *facts, indices, vocab, None)
    folder = cache() / "texts"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept, path = _find(text, how, folder) or _keep(text, how, folder)
        stored = open_indices(path)
    except OSError as error:
        raise RequestError(
            f"corpus {text.name}: its indices cannot be kept in {folder}: {reason_of(error)}; "
            "make room there, or set XDG_CACHE_HOME to a folder that has it"
        ) from error
    vocab = vocabulary(text.name, kept.counts, how)
    facts = kept.sha256, kept.num_chars, kept.num_tokens
    return Prepared(text.name, *facts, stored, vocab, path)


def open_prepared(path: Path, name: str, how: Cut) -> tuple[Indices | FileIndices, Vocab]:
    """The indices and the vocabulary of a `Prepared` that another process has in a file.

    Args:
        path: the file of the indices.
        name: of the corpus.
        how: how it was cut.

    Raises:
        RequestError: they are not there any more.
    """
    try:
        facts = _read_facts(path.with_suffix(".json"))
        return open_indices(path), vocabulary(name, facts.counts, how)
    except (OSError, ValueError) as error:
        message = f"corpus {name}: {path} is not there any more, or not whole: start again"
        raise RequestError(message) from error


def _find(text: Text, how: Cut, folder: Path) -> tuple[Kept, Path] | None:
    """The files of a text, if they are there, and whole; they are used, and so stay."""
    name = _name(text, how)
    if not any(folder.glob(f"{name}-*.json")):
        return None  # none of this length: it is not read for its hash alone
    path = folder / f"{name}-{text.sha256[:32]}.npy"
    try:
        facts = _read_facts(path.with_suffix(".json"))
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
    if found != facts.indices_sha256 or facts.sha256 != text.sha256:
        return None
    for each in (path, path.with_suffix(".json")):
        os.utime(each)
    return facts, path


def _keep(text: Text, how: Cut, folder: Path) -> tuple[Kept, Path]:
    """Go through a text and write its files, the facts last."""
    _sweep(folder)
    with tempfile.TemporaryFile(dir=folder) as spool:
        numbered = number(text, how, spool)
        path = folder / f"{_name(text, how)}-{text.sha256[:32]}.npy"
        with _aside(path) as file:
            index_of = numbered.index_of
            pieces = numbered.spool.looked_up(index_of)
            sha256 = write_indices(file, pieces, index_of.dtype, len(numbered.spool))
    facts = Kept(
        sha256=text.sha256,
        num_chars=text.num_chars,
        num_tokens=numbered.num_tokens,
        counts=numbered.counts,
        indices_sha256=sha256,
    )
    content = facts.model_dump_json().encode()
    with _aside(path.with_suffix(".json")) as file:
        file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    return facts, path


def _read_facts(path: Path) -> Kept:
    seal, _, content = path.read_bytes().partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != seal:
        raise ValueError("it is damaged")
    return Kept.model_validate_json(content)


def _name(text: Text, how: Cut) -> str:
    """Name of the files of texts of this length that are cut in this way, without their hash."""
    rules = how.edition or EDITION_OF.get(text.name, "plain")
    key = repr((FORMAT, text.size, how.token, how.max_tokens, rules, how.min_freq))
    return hashlib.sha256(key.encode()).hexdigest()[:16]


@contextmanager
def _aside(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes its name once it is whole.

    It is not flushed to disk: what a power cut spoils has another hash, and is made anew.
    """
    aside = aside_of(path)
    try:
        with open(aside, "xb") as file:
            yield file
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what a killed process left, and what nobody has used for long."""
    sweep(folder, STALE)
    for path in folder.iterdir():
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > SECONDS_KEPT:
                path.unlink()
