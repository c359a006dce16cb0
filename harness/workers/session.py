"""Session of a worker: its backend, and what one request leaves for the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import backends
from common.interface import Backend


@dataclass
class Session:
    """A worker's memory between requests.

    Attributes:
        name: of the backend.
        following: True for a rank that does what another does: it writes no file.
        timed: the network of a benchmark between its turns, a `harness.bench.worker.Timed`.
    """

    name: str
    following: bool = False
    timed: Any = None

    @cached_property
    def backend(self) -> Backend:
        """The backend's module, imported at the first request.

        Raises:
            ImportError: its framework cannot be imported.
        """
        return backends.load(self.name)
