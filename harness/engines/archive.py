"""Folder as an archive, a ZIP of its files, and back: a run is checked before it is anybody's."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from common.errors import RequestError
from common.files import storing, write_aside
from harness.records.facts import hashes
from harness.records.json_schemas import RunFacts
from harness.records.reading import record


def pack(folder: Path) -> bytes:
    """The archive of a folder, without what is hidden in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                archive.write(path, name.as_posix())
    return packed.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Make a folder of an archive.

    Args:
        packed: the archive.
        folder: that is not there yet.

    Raises:
        RequestError: it is no archive, or has a file that lies outside or is hidden.
        StorageError: the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            for entry in archive.infolist():
                name = PurePosixPath(entry.filename)
                if name.is_absolute() or any(part.startswith(".") for part in name.parts):
                    raise RequestError(f"an archive with a file {entry.filename!r}")
                path = folder / name
                with storing(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                write_aside(path, archive.read(entry))
    except zipfile.BadZipFile as error:
        raise RequestError(f"an archive that is none: {error}") from error


def unpack_run(packed: bytes, folder: Path, experiment: dict[str, Any]) -> None:
    """Make the run folder of an archive.

    Args:
        packed, folder: as of `unpack`.
        experiment: settings that the run must have.

    Raises:
        RequestError: it is not the archive of such a run, whole and finished.
        StorageError: the folder cannot be written.
    """
    unpack(packed, folder)
    facts = record(folder, "run.json", RunFacts)
    if facts["status"] != "finished" or facts["experiment"] != experiment:
        raise RequestError("an archive of another run, or of one that has not ended")
    if hashes(folder, facts["files"]) != facts["files"]:
        raise RequestError("an archive whose files are not those that its run.json vouches for")
