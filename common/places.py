"""Places: the device that a setting means, among those that a framework sees."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pydantic_core import PydanticCustomError

from common.errors import DeviceError

DETERMINISTIC = "RNN_ROSETTA_DETERMINISTIC"
"""Variable that asks a backend, before it is imported, for the same bits each time."""


def device(setting: str) -> str:
    """A setting of ``--device`` that can be, or the error for one that cannot."""
    if not re.fullmatch(r"auto|mixed|cpu|gpu(:\d{1,2})?|tpu", setting):
        raise PydanticCustomError(
            "device",
            "input should be {expected} or a GPU's number, as gpu:1",
            {"expected": "'auto', 'mixed', 'cpu', 'gpu', 'tpu'"},
        )
    return setting


def place(setting: str, who: str, seen: Mapping[str, int]) -> tuple[str, int]:
    """The kind and the number of the device that a framework takes.

    Args:
        setting: of ``--device``; auto and mixed are an accelerator, if there is one.
        who: the framework, in an error.
        seen: numbers of its devices beside the CPU, by kind: ``{"gpu": 2}``.

    Raises:
        DeviceError: it sees no such device.
    """
    kind, _, number = setting.partition(":")
    if kind in ("auto", "mixed"):
        return next((found for found, count in seen.items() if count), "cpu"), 0
    if kind == "cpu":
        return kind, 0
    count, index = seen.get(kind, 0), int(number or 0)
    if index < count:
        return kind, index
    there = f"{count} {kind.upper()}{'s' if count > 1 else ''}" if count else f"no {kind.upper()}"
    mend = f"use gpu:{count - 1}" if count else "use cpu or auto"
    raise DeviceError(f"--device {setting}: {who} sees {there} here; {mend}")


def deterministic() -> bool:
    """True if this process was asked for the same bits each time."""
    return os.environ.get(DETERMINISTIC) == "1"
