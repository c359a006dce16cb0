"""Events of contests: a network that is ready, and what was timed of it."""

from __future__ import annotations

from typing import Literal

from harness.workers.fields import Amount, Duration, Line
from harness.workers.message import Message

Seconds = dict[str, dict[str, Duration]]
"""Seconds by product and by the way of computing it."""


class Conditions(Message):
    """Settings that must be the same for every worker, as a worker finds them."""

    cpus: list[int] | None
    environment: dict[str, str | None]
    versions: dict[str, str]
    devices: tuple[str, ...]
    threads: int | None
    tf32: bool
    places: tuple[str, ...] = ("cpu",)
    build: str = "cpu"
    deterministic: bool = False
    note: str = ""


class Prepared(Message):
    """A network that is ready to be timed, and what is in force around it."""

    event: Literal["prepared"] = "prepared"
    device: Line
    compile_seconds: Amount
    conditions: Conditions


class Turn(Message):
    """A timed turn: seconds of a step, CPU seconds used in a second; of a text, of its start."""

    event: Literal["turn"] = "turn"
    seconds: Duration
    cores_busy: Amount
    first_token: Duration | None = None


class TextTimed(Message):
    """Time of a text: seconds until its first token is written, and until all are."""

    event: Literal["text"] = "text"
    first_token: Duration
    seconds: Duration


class Products(Message):
    """Time of a shape's matrix products."""

    event: Literal["products"] = "products"
    seconds: Seconds
