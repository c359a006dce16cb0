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
from common.files import writing
from harness.console import note
from harness.lock import locked

ROOT = Path(__file__).resolve().parents[1]
"""The source: a worker in another environment runs this one too, whatever is installed there."""

RUNS = Path("results") / "runs"

UNFINISHED, FINISHED = ".unfinished", ".finished"
"""The folder aside, while it is written and once it is whole."""


@dataclass
class Place:
    """A folder to write a result into; whoever finds the result failed says so."""

    path: Path
    failed: bool = False


def new_folder(name: str) -> Path:
    """``results/runs/<time>-<name>``: where a result goes that was given no folder."""
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
    except (OSError, ValueError, KeyError, TypeError):
        return True  # whatever it is, it is not for us to replace


@contextmanager
def result_folder(folder: Path, record: str, force: bool) -> Iterator[Place]:
    """A place to write a result: `folder` itself, or one aside while it holds a finished result.

    A result that failed does not replace one; it goes into a new folder.

    Args:
        folder, record, force: as of `refuse_to_overwrite`.

    Raises:
        RequestError: the folder has a result that must not be replaced, or cannot be written.
    """
    with locked(folder):
        with writing(folder):
            if (folder / FINISHED).is_dir():
                take_places(folder / FINISHED, folder)
            shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
        refuse_to_overwrite(folder, record, force)
        aside = folder / UNFINISHED if _is_finished(folder / record) else None
        place = Place(aside or folder)
        with writing(folder):
            place.path.mkdir(parents=True, exist_ok=True)
        if not aside:
            yield place
            return
        try:
            yield place
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        with writing(folder):
            if place.failed:
                failed = new_folder(f"{folder.name}-failed")
                failed.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(aside, failed)
                note(f"it failed, so what {folder} held stays; the new result: {failed}")
                return
            os.replace(aside, folder / FINISHED)
            take_places(folder / FINISHED, folder)


def take_places(new: Path, old: Path) -> None:
    """Move what one folder holds into another, over what is there by the same names."""
    for path in sorted(new.iterdir()):
        target = old / path.name
        if path.is_dir() and target.is_dir():
            shutil.rmtree(target)
        os.replace(path, target)
    new.rmdir()
