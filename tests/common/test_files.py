"""Files that are whole or not there, whatever the system refuses."""

import errno
import os
import re

import pytest

from common.errors import RequestError, StorageError
from common.files import append, flush_to_disk, sweep, write_aside, writing

OPERATIONS = {
    write_aside: ("open", "write", "fsync", "close", "replace"),
    append: ("open", "write", "close"),
}
SAID = {
    errno.ENOSPC: "disk full",
    errno.EACCES: "Permission denied",
    errno.EIO: "Input/output error",
}


def refusing(monkeypatch, name, code):
    """Let an operation, and all that would clean up after it, fail."""
    real = os.close if name == "close" else os.fstat

    def refuse(*arguments, **named):
        if isinstance(arguments[0], int):
            real(arguments[0])
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(os, "unlink", refuse)


@pytest.mark.parametrize("code", SAID)
@pytest.mark.parametrize(("write", "name"), [(w, n) for w, ns in OPERATIONS.items() for n in ns])
def test_a_refusal_is_one_line_and_the_old_content_stays(tmp_path, monkeypatch, write, name, code):
    path = tmp_path / "table.csv"
    path.write_text("old\n", encoding="utf-8")
    with monkeypatch.context() as faulty:
        refusing(faulty, name, code)
        with pytest.raises(StorageError, match=rf"{path}: cannot be written: {SAID[code]}$"):
            write(path, "new\n")
    written = {append: "old\nnew\n"}.get(write, "old\n") if name == "close" else "old\n"
    assert path.read_text("utf-8") == written
    sweep(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["table.csv"]


def test_half_a_line_is_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("old\n", encoding="utf-8")
    write, sizes = os.write, iter([2])

    def full(file, content):
        if left := next(sizes, 0):
            return write(file, content[:left])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError, match="disk full"):
        append(path, "a new line\n")
    assert path.read_text("utf-8") == "old\n"


def test_only_what_is_there_grows(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        append(tmp_path / "removed.csv", "line\n")
    (tmp_path / "other").write_text("theirs\n", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(tmp_path / "other")
    for change in (lambda path: append(path, "line\n"), flush_to_disk):
        with pytest.raises(StorageError):
            change(tmp_path / "link.csv")
    write_aside(tmp_path / "link.csv", "mine\n")
    assert (tmp_path / "other").read_text("utf-8") == "theirs\n"


def test_a_link_planted_where_we_write_aside_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "other").write_text("theirs", encoding="utf-8")
    for name in (f".table.csv.{os.getpid()}.part", ".rnn-rosetta-00.part"):
        (tmp_path / name).symlink_to(tmp_path / "other")
    monkeypatch.setattr("secrets.token_hex", lambda _: "00")  # even if the name were known
    with pytest.raises(StorageError, match="File exists"):
        write_aside(tmp_path / "table.csv", "new")
    assert (tmp_path / "other").read_text("utf-8") == "theirs"


def test_a_long_name_has_a_file_aside_too(tmp_path):
    write_aside(tmp_path / ("n" * 255), "new")
    assert (tmp_path / ("n" * 255)).read_text("utf-8") == "new"


def test_leftovers_alone_are_swept(tmp_path):
    (tmp_path / ".rnn-rosetta-0123456789abcdef.part").write_text("left", encoding="utf-8")
    (tmp_path / ".theirs.part").write_text("theirs", encoding="utf-8")
    sweep(tmp_path, seconds=60)
    assert len(list(tmp_path.iterdir())) == 2  # somebody may still write it
    sweep(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [".theirs.part"]


def test_a_limit_is_named(tmp_path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        told = re.escape(f"--out {tmp_path}: cannot be written: the limit of a file's size is 4 kB")
        with pytest.raises(RequestError, match=told), writing(tmp_path):
            write_aside(tmp_path / "large", "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
