"""Place of a command's result: a new folder, or over an old one when there is a better.

Nothing that is finished is touched before the new result is whole and sound, and then only with
``--force``: the new one is written into a folder aside, and takes the place of the old one at the
end. Whatever ends the command before leaves the old one as it was; what ends it while the files
change places is made up for when the folder is used again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from common.errors import RequestError
from common.files import storing, writing
from harness.console import note
from harness.lock import locked

ROOT = Path(__file__).resolve().parents[1]
"""The source: a worker in another environment runs this one too, whatever is installed there."""

RUNS = Path("runs")
"""Results that were given no folder, in the working folder; git ignores it in the project's own."""

RESULTS = ROOT / "results"
"""The project's own results: no command writes there unless its options name a folder in it."""

UNFINISHED, FINISHED = ".unfinished", ".finished"
"""The folder aside, while it is written and once it is whole."""


def beside(folder: Path, name: str) -> Path:
    """A hidden folder beside another."""
    return folder.with_name(f".{folder.name}.{name}")


@dataclass
class Place:
    """A folder to write a result into; whoever finds the result failed says so."""

    path: Path
    failed: bool = False


def new_folder(name: str) -> Path:
    """``runs/<time>-<name>``: where a result goes that was given no folder."""
    return RUNS / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}-{name}"


def refuse_to_overwrite(folder: Path, record: str, force: bool) -> None:
    """See that a folder holds no finished result of this kind, or that it may be replaced.

    Args:
        folder: as given with ``--out``.
        record: the file that every result of the kind has; JSON says by its status if it is whole.
        force: True if an old one may be replaced.

    Raises:
        RequestError: the folder holds one.
    """
    if not force and _is_finished(folder / record):
        raise RequestError(
            f"{folder}: holds {record} already: give another --out, or --force to replace it "
            f"once the new result is whole"
        )


def _is_finished(record: Path) -> bool:
    if record.suffix != ".json" or not record.is_file():
        return os.path.lexists(record)
    try:
        return bool(json.loads(record.read_text(encoding="utf-8"))["status"] != "running")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return True  # whatever it is, it is not for us to replace


@contextmanager
def result_folder(folder: Path, record: str, force: bool) -> Iterator[Place]:
    """A place to write a result: `folder` itself, or one aside while it holds a finished result.

    The folder is locked meanwhile. A result that failed does not replace one; it goes into a new
    folder. Of its files the record is written last.

    Args:
        folder, record, force: as of `refuse_to_overwrite`.

    Raises:
        RequestError: the folder has a result that must not be replaced, or is being written by
            somebody else, or cannot be written.
        StorageError: it can no longer be written.
    """
    with locked(folder):
        make_up(folder)
        refuse_to_overwrite(folder, record, force)
        if not _is_finished(folder / record):
            yield Place(folder)
            return
        with _aside(folder) as aside:
            place = Place(aside)
            yield place
            if place.failed:
                failed = new_folder(f"{folder.name}-failed")
                with storing(failed):
                    failed.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(aside, failed)
                note(f"it failed, so what {folder} held stays; the new result: {failed}")


@contextmanager
def all_at_once(folder: Path) -> Iterator[Path]:
    """A folder aside to write several files into, which take their places together at the end.

    Raises:
        RequestError: somebody else is writing into `folder`, or it cannot be written.
        StorageError: it can no longer be written.
    """
    with locked(folder):
        make_up(folder)
        with _aside(folder) as aside:
            yield aside


def make_up(folder: Path) -> None:
    """Put an end to what a killed command left in a folder: whole, it takes its place.

    Raises:
        RequestError: somebody else is writing there, or the folder cannot be written.
    """
    finished, unfinished = folder / FINISHED, folder / UNFINISHED
    if not os.path.isdir(finished) and not os.path.lexists(unfinished):
        return
    with locked(folder), writing(folder):
        if finished.is_dir() and not finished.is_symlink():
            take_places(finished, folder)
        if os.path.lexists(unfinished):
            shutil.rmtree(unfinished)


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    aside, finished = folder / UNFINISHED, folder / FINISHED
    with writing(folder):
        aside.mkdir()
    try:
        yield aside
        if aside.is_dir():
            with storing(folder):
                os.replace(aside, finished)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    if finished.is_dir():
        with storing(folder):
            take_places(finished, folder)


def take_places(new: Path, old: Path) -> None:
    """Move what one folder holds into another, over what is there by the same names.

    A record leaves before what it vouches for, and comes after it.
    """
    paths = sorted(new.iterdir(), key=lambda path: (path.suffix == ".json", path.name))
    for path in paths:
        if path.suffix == ".json":
            (old / path.name).unlink(missing_ok=True)
    for path in paths:
        target = old / path.name
        if path.is_dir() and target.is_dir():
            take_places(path, target)
        else:
            os.replace(path, target)
    new.rmdir()
