"""Log of a worker: its standard error, in a file that does not grow without end."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

LIMIT = 16 << 20
"""Bytes of a log; of a longer one, the first part and what came last are kept."""

LAST = 1 << 14
"""Bytes from the end in which a last line is looked for."""

CUT = b"\n[... cut out here, for the log grew beyond all use]\n"


class Log:
    """A worker's log.

    Args:
        path: the file, which is continued; None for one without a name, that ends with us.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self.file: BinaryIO = open(path, "a+b") if path else tempfile.TemporaryFile()  # noqa: SIM115
        with suppress(ImportError):  # Windows has none; there, `_last` goes back to the end
            import fcntl

            flags = fcntl.fcntl(self.file, fcntl.F_GETFL)
            fcntl.fcntl(self.file, fcntl.F_SETFL, flags | os.O_APPEND)  # it goes on where we cut it
        self.start = self._size()

    def bound(self) -> None:
        """Cut a log that has grown too long; its beginning tells most, and its end."""
        if self._size() - self.start > LIMIT:
            last = self._last()
            os.ftruncate(self.file.fileno(), self.start + LIMIT // 16)
            os.write(self.file.fileno(), CUT + last)

    def last_line(self) -> str:
        """The last line of this worker, at most 200 characters; empty if it said nothing."""
        said = self._last().decode("utf-8", "replace").split("\n")
        lines = [line for line in map(str.strip, said) if line]
        return lines[-1][:200] if lines else ""

    def close(self) -> None:
        """Close it, cut to its bounds."""
        self.bound()
        self.file.close()

    def _last(self) -> bytes:
        file = self.file.fileno()
        os.lseek(file, max(self.start, self._size() - LAST), os.SEEK_SET)
        last = os.read(file, LAST)
        os.lseek(file, 0, os.SEEK_END)
        return last

    def _size(self) -> int:
        return os.fstat(self.file.fileno()).st_size
