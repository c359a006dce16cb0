"""Shards: the rows of a minibatch that each of several devices computes, and what they count.

The loss is the mean over all tokens, and so is each gradient. Device d computes the mean over its
own rows, and all that is left to do is to add them, weighted by tokens:

    loss = sum over d of (rows_d / rows) loss_d

Then the sum is clipped, once, and every device takes the same step: the numbers do not depend on
how many devices there are. A plain mean over devices is another network's, wherever rows do not
divide evenly.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from common.errors import DeviceError

SIMULATED = "simulated"
"""Word in the name of devices that share a CPU: what they do is no speed."""

MIXED = "rows on different devices: each is compared with those on its own device alone"
"""Word on figures that are of several devices."""


def mixes(devices: Iterable[str]) -> bool:
    """True if rows on these devices are not to be ranked in one list.

    Args:
        devices: their names, as `named` gives them: several of a kind are of one kind.
    """
    return len({re.sub(r"^\d+ x |, as .*", "", device) for device in devices}) > 1


class Shard(NamedTuple):
    """Rows of one device, and the share of all rows that they are."""

    rows: slice
    share: float


def split(batch_size: int, devices: int) -> list[Shard]:
    """The shard of every device: as even as rows go, the larger ones first.

    A device for which no row is left, one of the last, computes the first row, with a share of 0.
    """
    even, more = divmod(batch_size, devices)
    shards, start = [], 0
    for device in range(devices):
        rows = even + (device < more)
        mine = slice(start, start + rows) if rows else slice(0, 1)
        shards.append(Shard(mine, share(rows, batch_size, devices)))
        start += rows
    return shards


def share(rows: int, batch_size: int, devices: int) -> float:
    """The weight of a device's mean in that of all devices: its share of the rows."""
    return rows / batch_size


class SplitState(tuple[Any, ...]):
    """A state that is split by rows, a value a layer; `gather` makes such a value whole."""

    gather: Callable[[Any], Any]

    def __new__(cls, H: Iterable[Any], gather: Callable[[Any], Any]) -> SplitState:
        """Put the two together."""
        state = super().__new__(cls, H)
        state.gather = gather
        return state


def whole(state: tuple[Any, ...]) -> tuple[Any, ...]:
    """The state of all rows: as it is given, unless it is split."""
    return tuple(map(state.gather, state)) if isinstance(state, SplitState) else state


def named(device: str, devices: int) -> str:
    """The name of so many devices of a kind: those that share a CPU are simulated."""
    if devices == 1:
        return device
    if device == "cpu":
        return f"cpu, as {devices} {SIMULATED} devices"
    return f"{devices} x {device}"


def rank() -> int:
    """The number of this process among those that compute one model together: RANK, or 0."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Number of processes that compute one model together: WORLD_SIZE, or 1."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def meeting_point() -> str:
    """The address where those processes find each other: MASTER_ADDR and MASTER_PORT."""
    return f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"


def too_few(devices: int, found: int, who: str, kind: str) -> DeviceError:
    """The error for more devices than there are."""
    there = f"{found} {kind}{'s' if found != 1 else ''}"
    return DeviceError(f"--devices {devices}: {who} sees {there} here; give --devices {found}")
