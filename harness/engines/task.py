"""Tasks, their outcomes, and what an engine is."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.engines.request import CellRequest, Share

Ending = Literal["done", "refused", "lost", "failed"]
"""Ending of a cell on a node: it ran; the node is not the driver's like; the machine failed,
which another may not; or the request, or our own code did, as it would everywhere."""


class Header(BaseModel):
    """Word of a node on a cell, before the archive of its run folder.

    Attributes:
        ending: of the cell.
        reason: one line, where it is not ``done``.
        host: a hash of the node's name.
        seconds: that the run took.
        sha256: of the archive.
        key: of the request.
        stored: True if the archive is in the store, and so is not sent.
        killed: why a row of a cell that is ``done`` broke, where its machine did it.
    """

    model_config = ConfigDict(frozen=True)

    ending: Ending
    reason: str = ""
    host: str = ""
    seconds: float = 0.0
    sha256: str = ""
    key: str = ""
    stored: bool = False
    killed: str = ""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a task: what was said of it, and the archive of its run folder."""

    header: Header
    archive: bytes = b""

    def sent(self) -> bytes:
        """The outcome as bytes: a line of JSON, then the archive."""
        return self.header.model_dump_json().encode() + b"\n" + self.archive

    @classmethod
    def of(cls, sent: bytes) -> Outcome:
        """The outcome of such bytes; one that was damaged on the way is lost."""
        line, _, archive = sent.partition(b"\n")
        try:
            header = Header.model_validate_json(line)
        except ValidationError:
            return cls.ended("lost", "its answer was damaged on the way")
        whole = header.stored or hashlib.sha256(archive).hexdigest() == header.sha256
        if header.ending == "done" and not whole:
            return cls.ended("lost", "its archive was damaged on the way")
        return cls(header, archive)

    @classmethod
    def ended(cls, ending: Ending, reason: str, host: str = "") -> Outcome:
        """An outcome without an archive."""
        return cls(Header(ending=ending, reason=reason, host=host))


@dataclass(frozen=True)
class Task:
    """A cell to be run somewhere.

    Attributes:
        request: to the node.
        folder: where its run folder goes, on the driver's side.
        row: backend and variant of the row that is run again; None for a whole cell.
        text: the text, for nodes that do not have the driver's files; None if it comes with the
            project.
        spared: tries that do not count: a node refused which had refused nothing before.
    """

    request: CellRequest
    folder: Path
    row: tuple[str, str] | None = None
    text: Path | None = None
    spared: int = 0

    def again(self, spared: bool) -> Task:
        """The same task, tried once more."""
        request = self.request.model_copy(update={"attempt": self.request.attempt + 1})
        return replace(self, request=request, spared=self.spared + spared)


class Engine(Protocol):
    """Whatever runs tasks, in its own order and as many at once as it can.

    Attributes:
        name: by which it is chosen.
        share: of a machine, that each cell is to have.
    """

    name: str
    share: Share

    def outcomes(self, tasks: Iterator[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Every task with its outcome, as they come; closed before its end, it ends all work.

        Tasks are taken one by one, as there is room for them.
        """
        ...

    def close(self) -> None:
        """Let go of all that it holds."""
        ...
