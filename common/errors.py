"""The one error a user can mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RequestError(ValueError):
    """The request was wrong. The message is one line: what, where, and how to mend it."""


def unknown(kind: str, name: str, known: Iterable[str]) -> RequestError:
    """The error for a name that does not exist, with the nearest one that does.

    >>> str(unknown("backend", "troch", ["torch", "jax"]))
    "unknown backend 'troch': did you mean 'torch'? (known: torch, jax)"
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return RequestError(f"unknown {kind} {name!r}: {hint}(known: {', '.join(known)})")
