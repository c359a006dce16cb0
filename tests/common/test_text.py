"""Texts whose files change while they are read, and how much of a file is read."""

import os

import pytest

from common import sources
from common.errors import RequestError
from common.text import PIECE, Text


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes(b"some words\n" * PIECE)
    return path


def cut_short(path):
    os.truncate(path, PIECE)


def grow(path):
    with open(path, "ab") as file:
        file.write(b"more")


def rewrite(path):
    path.write_bytes(b"othr words\n" * PIECE)


@pytest.mark.parametrize("change", [cut_short, grow, rewrite])
@pytest.mark.parametrize("when", ["on the way", "between"])
def test_a_file_that_changes_while_it_is_read_is_refused_in_one_line(path, change, when):
    """Mapped, a file that was cut short ended the process by SIGBUS."""
    text = sources.read(path)
    pieces = iter(text)
    next(pieces)
    if when == "between":
        for _ in pieces:
            pass
        pieces = iter(text)
    change(path)
    with pytest.raises(RequestError, match="it changed while it was read; start again"):
        for _ in pieces:
            pass


def test_a_file_that_vanishes_or_cannot_be_read_is_one_line(path, tmp_path):
    text = sources.read(path)
    path.unlink()
    for read in (lambda: next(iter(text)), lambda: text.sha256, lambda: text.size):
        with pytest.raises(RequestError, match=r"cannot read .*No such file"):
            read()
    with pytest.raises(RequestError, match=r"cannot read .*Is a directory"):
        next(iter(Text("a folder", tmp_path)))


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 2100 + "y", "~nosuchuser/text.txt", "a\0b"])
def test_a_name_that_no_file_can_have_is_no_such_corpus(name):
    with pytest.raises(RequestError, match=r"no such file|unknown corpus") as refused:
        sources.read(name)
    assert "\n" not in str(refused.value)
