"""Session of a worker: its backend, and what one request leaves for the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import backends
from common.interface import Backend
from harness.workers.loaded import loaded_files
from harness.workers.protocol import Loaded


@dataclass
class Session:
    """A worker's memory between requests.

    Attributes:
        name: of the backend.
        following: True for a rank that does what another does: it writes no file.
        timed: the network of a benchmark between its turns, a `harness.bench.worker.Timed`.
        told: hashes of the files that the harness was told of, by path.
    """

    name: str
    following: bool = False
    timed: Any = None
    told: dict[str, str] = field(default_factory=dict)

    @cached_property
    def backend(self) -> Backend:
        """The backend's module, imported at the first request.

        Raises:
            ImportError: its framework cannot be imported.
        """
        return backends.load(self.name)

    def newly_loaded(self) -> Iterator[Loaded]:
        """Tell the files of the project that were imported since this was last asked, if any."""
        if files := loaded_files(self.told):
            yield Loaded(files=files)
