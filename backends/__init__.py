"""The registry of backends, and the reason why one is not available.

A backend is imported only when it is asked for: ``load`` is the one place that does so. A new
backend is a folder beside the others and a line in `BACKENDS`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from common.errors import RequestError, unknown

if TYPE_CHECKING:
    from types import ModuleType

    from common.interface import Backend


CHECKOUT = Path(__file__).parents[1] / "pyproject.toml"
"""A file that a checkout has, and what is installed has not."""


@dataclass(frozen=True)
class Entry:
    """A backend as it is known before its framework is imported.

    Attributes:
        module: keeps the contract `common.interface.Backend`.
        requires: the modules that must be installed.
        distributions: whose versions are shown for it.
        variants: of the network, those that are trained and compared.
        bench_variants: further variants, which are for benchmarks alone.
        products: the module whose `ways` multiply matrices for the floor; empty for none.
        environment: the variables that must be set before the module is imported.
        own_environment: True if it cannot be installed beside the others.
        devices: how several compute one model: in one process, in a process each, or never.
    """

    module: str
    requires: tuple[str, ...]
    distributions: tuple[str, ...]
    variants: tuple[str, ...] = ("scratch", "fused", "concise", "object")
    bench_variants: tuple[str, ...] = ("book",)
    products: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    own_environment: bool = False
    devices: Literal["one", "together", "processes"] = "one"


BACKENDS = {
    "mxnet-style": Entry(
        "backends.mxnet_style.backend",
        (),
        ("numpy",),
        products="backends.mxnet_style.products",
        environment={"RNN_ROSETTA_ENGINE": "embedded"},
    ),
    "mxnet": Entry(
        "backends.mxnet_style.backend",
        ("mxnet",),
        ("mxnet", "numpy"),
        environment={"RNN_ROSETTA_ENGINE": "mxnet"},
        own_environment=True,
        devices="together",
    ),
    "torch": Entry(
        "backends.torch.backend",
        ("torch",),
        ("torch",),
        products="backends.torch.products",
        devices="processes",
    ),
    "jax": Entry(
        "backends.jax.backend",
        ("jax", "flax", "optax"),
        ("jax", "flax"),
        products="backends.jax.products",
        devices="together",
    ),
    "tensorflow": Entry(
        "backends.tensorflow.backend",
        ("tensorflow",),
        ("tensorflow",),
        devices="together",
    ),
}

NULL = Entry("backends.null", (), (), variants=("harness",), bench_variants=())
"""The entry of ``null``, for benchmarks alone: it is no network."""


def entry(name: str) -> Entry:
    """The entry of a backend, or of ``null``.

    Raises:
        RequestError: there is no backend of that name.
    """
    if name == "null":
        return NULL
    if name not in BACKENDS:
        raise unknown("backend", name, BACKENDS)
    return BACKENDS[name]


def missing(name: str) -> str | None:
    """Modules that a backend lacks and the command that installs them, or None; imports none."""
    absent = [module for module in entry(name).requires if not importlib.util.find_spec(module)]
    if not absent:
        return None
    return f"{', '.join(absent)} not installed: {installs(name, entry(name).own_environment)}"


def installs(extra: str, own_environment: bool = False) -> str:
    """The command that installs an extra: with its pins in a checkout, else of the package."""
    here = CHECKOUT.is_file()
    pins = f"constraints-{extra}.txt" if own_environment else "constraints.txt"
    command = f"pip install -c {pins} -e '.[{extra}]'"
    if not here:
        command = f"pip install 'rnn-rosetta[{extra}]'"
    if not own_environment:
        return command
    command = f"python3 -m venv .venv-{extra} && .venv-{extra}/bin/{command}"
    return command if here else f"{command}, and --python {extra}=.venv-{extra}/bin/python"


def one_device(name: str, devices: int) -> str | None:
    """The reason why a backend cannot compute one model on so many devices, or None."""
    if devices == 1 or entry(name).devices != "one":
        return None
    others = ", ".join(each for each, found in BACKENDS.items() if found.devices != "one")
    return f"{name} has one device: --devices {devices} is for {others}"


def engine_conflict(name: str) -> str | None:
    """The reason why this process cannot serve a backend, or None: one module serves one engine."""
    module = sys.modules.get(entry(name).module)
    there = getattr(module, "ENVIRONMENT", entry(name).environment)
    if there == entry(name).environment:
        return None
    here = " ".join(f"{variable}={value}" for variable, value in there.items())
    return f"this process runs with {here} already: run {name} in a process of its own"


def load(name: str) -> Backend:
    """Import a backend and, with it, its framework.

    Raises:
        RequestError: there is no backend of that name.
        ImportError: its framework is missing or broken, or the process serves another engine.
    """
    os.environ.update(entry(name).environment)
    module = importlib.import_module(entry(name).module)
    if reason := engine_conflict(name):
        raise ImportError(reason)
    return module


def section(name: str, part: str) -> ModuleType:
    """A further section of the chapter in a backend's framework: ``backends/<folder>/<part>.py``.

    Raises:
        RequestError: the backend does not have that section.
        ImportError: as `load`.
    """
    load(name)
    package = entry(name).module.rpartition(".")[0]
    if not importlib.util.find_spec(f"{package}.{part}"):
        raise RequestError(f"{package} has no {part}.py")
    return importlib.import_module(f"{package}.{part}")
