"""Message: what any line of the protocol between the harness and a worker is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A line of the protocol. Numbers that are not finite cross it as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
