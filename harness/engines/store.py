"""Store of finished cells, at an address that fsspec knows: a folder, or an object store.

Nodes keep there what they have finished, so that a driver that dies loses nothing. A cell lies
under the hash of its request, its source and its versions: what is found is what was asked for.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from common.errors import RequestError, in_one_line
from harness.engines.task import Outcome


class Store:
    """A store.

    Args:
        address: as fsspec takes it: a path, ``s3://bucket/folder``, ``memory://``.

    Attributes:
        address: the same from wherever it is asked: of a path, all of it.

    Raises:
        RequestError: there is no such store, or what it needs is not installed.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        try:
            from fsspec.core import url_to_fs

            self.files, self.root = url_to_fs(address)
            self.files.makedirs(self.root, exist_ok=True)
            if "file" in self.files.protocol:
                self.address = self.files.unstrip_protocol(self.root)
        except ImportError as error:
            told = "install the extra ray or slurm, which bring fsspec"
            missing = str(error) if "fsspec" not in str(error) else told
            raise RequestError(f"--store {address}: {missing}") from error
        except Exception as error:
            raise RequestError(f"--store {address}: {in_one_line(error)}") from error

    def check_writable(self) -> None:
        """See that something can be written and read.

        Raises:
            RequestError: it cannot.
        """
        name = f"{self.root}/.{secrets.token_hex(8)}"
        try:
            self.files.pipe_file(name, b"ours")
            self.files.rm_file(name)
        except Exception as error:
            raise RequestError(
                f"--store {self.address}: cannot be written: {in_one_line(error)}"
            ) from error

    def get(self, key: str) -> Outcome | None:
        """A finished cell; None if there is none, or it is damaged or another one's."""
        sent: Any = None
        with suppress(Exception):  # each store has errors of its own for what is not there
            sent = self.files.cat_file(self._place(key))
        outcome = Outcome.of(sent) if sent else None
        header = outcome and outcome.header
        is_it = header and header.ending == "done" and header.key == key and not header.stored
        return outcome if is_it else None

    def put(self, key: str, outcome: Outcome) -> bool:
        """Keep a finished cell: written aside, then moved; who finds it finds all of it.

        Returns:
            False if the store refused it, which is no reason to lose it.
        """
        aside = f"{self.root}/.{key}-{secrets.token_hex(8)}"
        try:
            self.files.pipe_file(aside, outcome.sent())
            self.files.mv(aside, self._place(key))
        except Exception:
            return False
        return True

    def _place(self, key: str) -> str:
        return f"{self.root}/{key}.cell"
