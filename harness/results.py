"""Where a command writes its result: a new folder, or over an old result when it is whole.

Nothing that is finished is touched before there is something better, and then only with
``--force``: the new result is written into a folder aside and takes the place of the old one at the
end. Whatever ends the command before leaves the old one as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from common.errors import RequestError
from common.files import writing

RUNS = Path("results") / "runs"

ASIDE = ".unfinished"


def new_folder(name: str) -> Path:
    """``results/runs/<time>-<name>``: where a result goes that was given no folder."""
    return RUNS / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}-{name}"


def refuse_to_overwrite(folder: Path, record: str, force: bool) -> None:
    """See that a folder holds no result of this kind, or that it may be replaced.

    Args:
        folder: as given with ``--out``.
        record: the file that every result of the kind has.
        force: whether an old one may be replaced.

    Raises:
        RequestError: it holds one.
    """
    if not force and os.path.lexists(folder / record):
        raise RequestError(
            f"{folder}: holds {record} already: give another --out, or --force to replace it "
            f"once the new result is whole"
        )


@contextmanager
def result_folder(folder: Path, record: str, force: bool) -> Iterator[Path]:
    """A folder to write a result into: `folder` itself, or one aside while it holds an old result.

    Args:
        folder, record, force: as of `refuse_to_overwrite`.

    Raises:
        RequestError: it holds a result that must not be replaced, or cannot be written.
    """
    refuse_to_overwrite(folder, record, force)
    place = folder / ASIDE if os.path.lexists(folder / record) else folder
    with writing(folder):
        shutil.rmtree(folder / ASIDE, ignore_errors=True)
        place.mkdir(parents=True, exist_ok=True)
    if place == folder:
        yield folder
        return
    try:
        yield place
        with writing(folder):
            take_places(place, folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def take_places(new: Path, old: Path) -> None:
    """Move what one folder holds into another, over what is there by the same names."""
    for path in sorted(new.iterdir()):
        target = old / path.name
        if path.is_dir() and target.is_dir():
            shutil.rmtree(target)
        os.replace(path, target)
