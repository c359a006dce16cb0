"""Settings in TOML: read within bounds, and refused in one line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from common.errors import RequestError

LARGEST = 1 << 20
"""Bytes that a file of settings may have."""

DEEPEST = 8
PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
DEEP = re.compile(rf"(?<![A-Za-z0-9_-]){PART}(?:[ \t]*+\.[ \t]*+{PART}){{{DEEPEST},}}")
"""Dotted key of so many parts that reading it would take memory by the square of their number."""


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a file.

    Raises:
        RequestError: the file cannot be read, is not TOML, or too large or deep for settings.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise RequestError(f"{path}: over {LARGEST >> 10:,} kB: those are no settings")
        text = content.decode().replace("\r\n", "\n")
        if DEEP.search(text):
            raise RequestError(f"{path}: a key of over {DEEPEST} parts: no setting has so many")
        return tomllib.loads(text)
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path}: not UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{path}: not TOML: {error}") from error
    except RecursionError as error:
        raise RequestError(f"{path}: values within values, too deep to be settings") from error


def wrong_key(path: Path, error: ValidationError) -> RequestError:
    """The error for a file that says what it may not: the first place, and what is wrong there."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return RequestError(f"{path}: {where}: {first['msg'].lower()}")
