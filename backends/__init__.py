"""The registry of backends, and the reason why one is not available.

A backend is imported only when it is asked for: ``load`` is the one place that does so. A new
backend is a folder beside the others and a line in `BACKENDS`, or a plug-in (`backends.plugins`).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backends import plugins
from backends.entry import Entry as Entry
from backends.entry import Section
from common.errors import RequestError, in_one_line, unknown

if TYPE_CHECKING:
    from types import ModuleType

    from common.experiment import Experiment
    from common.interface import Backend


CHECKOUT = Path(__file__).parents[1] / "pyproject.toml"
"""A file that a checkout has, and what is installed has not."""

ALL: tuple[Section, ...] = ("exercises", "sequence", "bptt")
COMPARED, TIMED = ("scratch", "fused", "concise", "object"), ("book",)

LABEL = re.compile("[A-Za-z0-9._-]+")
"""Label of a backend with a Python of its own, as in ``torch@2.13``: part of names of files."""

BACKENDS = {
    "mxnet-style": Entry(
        "backends.mxnet_style.backend",
        (),
        ("numpy",),
        COMPARED,
        TIMED,
        products="backends.mxnet_style.products",
        environment={"RNN_ROSETTA_ENGINE": "embedded"},
        sections=ALL,
        spins=True,
    ),
    "mxnet": Entry(
        "backends.mxnet_style.backend",
        ("mxnet",),
        ("mxnet", "numpy"),
        COMPARED,
        TIMED,
        environment={"RNN_ROSETTA_ENGINE": "mxnet"},
        own_environment=True,
        devices="together",
        sections=ALL,
        spins=True,
    ),
    "torch": Entry(
        "backends.torch.backend",
        ("torch",),
        ("torch",),
        COMPARED,
        TIMED,
        ("compiled", "compiled-concise"),
        products="backends.torch.products",
        devices="processes",
        sections=ALL,
        spins=True,
    ),
    "jax": Entry(
        "backends.jax.backend",
        ("jax", "flax", "optax"),
        ("jax", "jaxlib", "flax"),
        COMPARED,
        TIMED,
        ("compiled",),
        products="backends.jax.products",
        devices="together",
        sections=ALL,
    ),
    "tensorflow": Entry(
        "backends.tensorflow.backend",
        ("tensorflow",),
        ("tensorflow", "keras"),
        COMPARED,
        TIMED,
        ("compiled",),
        slow_start=True,
        devices="together",
        sections=ALL,
    ),
    "keras-torch": Entry(
        "backends.keras.backend",
        ("keras", "torch"),
        ("keras", "torch"),
        ("concise",),
        environment={"KERAS_BACKEND": "torch"},
        dtypes=("float32",),  # Keras makes float32 of float64 here
        title="Keras on PyTorch",
        colours=("#9b1c31", "#ff9aa8"),
        on_request=True,
        spins=True,
    ),
    "keras-jax": Entry(
        "backends.keras.backend",
        ("keras", "jax"),
        ("keras", "jax"),
        ("concise",),
        environment={"KERAS_BACKEND": "jax"},
        dtypes=("float32",),  # Keras makes float32 of float64 here
        title="Keras on JAX",
        colours=("#6d3b9e", "#cfa6f5"),
        on_request=True,
    ),
    "keras-tensorflow": Entry(
        "backends.keras.backend",
        ("keras", "tensorflow"),
        ("keras", "tensorflow"),
        ("concise",),
        environment={"KERAS_BACKEND": "tensorflow"},
        slow_start=True,
        title="Keras on TensorFlow",
        colours=("#5f6b00", "#cdd66a"),
        on_request=True,
    ),
}
"""Backends of the project itself."""

NULL = Entry("backends.null", variants=("harness",), sections=ALL)
"""The entry of ``null``, for benchmarks alone: it is no network."""

BROKEN = "its plug-in is broken: "


class PluginError(ImportError):
    """A plug-in's backend cannot be imported, or is none; the message is one line."""


def taken() -> set[str]:
    """Names that no plug-in can have: of backends of the project, and of rows of its tables."""
    return {*BACKENDS, "null", "floor", "reference"}


def registry() -> dict[str, Entry]:
    """All backends by name: those of the project, then those that plug-ins add."""
    return BACKENDS | plugins.found(taken())


def by_default() -> list[str]:
    """Names of the backends that take part where none is asked for."""
    return [name for name, found in registry().items() if not found.on_request]


def backend_of(name: str) -> str:
    """The backend without its label: of ``torch@2.13``, ``torch``.

    Raises:
        RequestError: the label cannot be part of a file's name.
    """
    backend, at, label = name.partition("@")
    if at and not LABEL.fullmatch(label):
        raise RequestError(f"--backend {name}: a label has letters, digits, dots and hyphens alone")
    return backend


def entry(name: str) -> Entry:
    """The entry of a backend, whatever its label, or of ``null``.

    Raises:
        RequestError: there is no backend of that name.
    """
    name = backend_of(name)
    if name == "null":
        return NULL
    if name in BACKENDS:  # no plug-in is looked for
        return BACKENDS[name]
    if name not in (known := registry()):
        raise unknown("backend", name, known)
    return known[name]


def missing(name: str) -> str | None:
    """Modules that a backend lacks and the command that installs them, or None; imports none."""
    found = entry(name)
    if found.broken:
        return BROKEN + found.broken
    absent = [module for module in found.requires if not _is_there(module)]
    if not absent:
        return None
    command = installs(backend_of(name), found.own_environment)
    if backend_of(name) not in BACKENDS:
        command = found.install or f"pip install {' '.join(found.requires)}"
    return f"{', '.join(absent)} not installed: {command}"


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


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # what it would lie in is not there, or is no package
        return False


def one_device(name: str, devices: int) -> str | None:
    """The reason why a backend cannot compute one model on so many devices, or None."""
    if devices == 1 or entry(name).devices != "one":
        return None
    others = ", ".join(each for each, found in registry().items() if found.devices != "one")
    return f"{name} has one device: --devices {devices} is for {others}"


def beyond(name: str, experiment: Experiment) -> str | None:
    """The reason why a backend cannot be the network of an experiment, or None."""
    found = entry(name)
    if experiment.dtype not in found.dtypes:
        return f"{name} computes in {found.dtypes[0]} alone, not in --dtype {experiment.dtype}"
    if experiment.exercises and "exercises" not in found.sections:
        return f"{name} is the chapter's network alone: it has no {' '.join(experiment.exercises)}"
    return one_device(name, experiment.devices)


def without(name: str, part: Section) -> str | None:
    """The reason why a backend has no part in a section, or None."""
    return None if part in entry(name).sections else f"{name} does not have the section {part}"


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
        PluginError: it is a plug-in's, and broken.
    """
    os.environ.update(entry(name).environment)
    module = _module(name)
    if reason := engine_conflict(name):
        raise ImportError(reason)
    return module


def _module(name: str) -> ModuleType:
    """The module of a backend; if a plug-in's, one that has what the contract asks for."""
    found = entry(name)
    if backend_of(name) in BACKENDS or name == "null":
        return importlib.import_module(found.module)
    if found.broken:
        raise PluginError(BROKEN + found.broken)
    try:
        module = importlib.import_module(found.module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ImportError):  # of the framework, as far as anybody can tell
            raise
        raise PluginError(BROKEN + in_one_line(error)) from error
    contract = "describe", "compilations", "build"
    if lacking := [each for each in contract if not callable(getattr(module, each, None))]:
        raise PluginError(f"{BROKEN}{found.module} has no {', '.join(lacking)}")
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
