"""The registry: which backends there are, and why one is not available.

A backend is imported only when it is asked for: ``load`` is the one place that does so. A new
backend is a folder beside the others and a line in `BACKENDS`.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import unknown

if TYPE_CHECKING:
    from common.interface import Backend


@dataclass(frozen=True)
class Entry:
    """What is known of a backend before its framework is imported.

    Attributes:
        module: keeps the contract `common.interface.Backend`.
        requires: the modules that must be installed.
        distributions: whose versions are shown for it.
        variants: the forms of the network it has.
    """

    module: str
    requires: tuple[str, ...]
    distributions: tuple[str, ...]
    variants: tuple[str, ...] = ("scratch",)


BACKENDS = {
    "mxnet-style": Entry("backends.mxnet_style.backend", (), ("numpy",)),
    "torch": Entry("backends.torch.backend", ("torch",), ("torch",)),
    "jax": Entry("backends.jax.backend", ("jax", "flax", "optax"), ("jax", "flax")),
    "tensorflow": Entry("backends.tensorflow.backend", ("tensorflow",), ("tensorflow",)),
}


def entry(name: str) -> Entry:
    """The entry of a backend.

    Raises:
        RequestError: there is no backend of that name.
    """
    if name not in BACKENDS:
        raise unknown("backend", name, BACKENDS)
    return BACKENDS[name]


def missing(name: str) -> str | None:
    """None if all that a backend requires is installed, else what to do. Imports nothing."""
    absent = [module for module in entry(name).requires if not importlib.util.find_spec(module)]
    if not absent:
        return None
    return f"{', '.join(absent)} not installed: pip install -c constraints.txt -e '.[{name}]'"


def load(name: str) -> Backend:
    """Import a backend and, with it, its framework.

    Raises:
        RequestError: there is no backend of that name.
        ImportError: its framework is missing or broken.
    """
    return importlib.import_module(entry(name).module)  # type: ignore[return-value]
