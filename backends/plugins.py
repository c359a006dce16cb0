"""Backends that others add: by an entry point of what they install, or by a path.

A plug-in gives an `Entry`. It is looked for when backends are first asked for, and its backend is
imported in a worker alone. One that breaks is an entry that says why, and costs its own row alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from backends.entry import Entry
from common.errors import RequestError, in_one_line

GROUP = "rnn_rosetta.backends"
"""Group of entry points: the name is the backend's, the object its `Entry`."""

VARIABLE = "RNN_ROSETTA_PLUGINS"
"""Paths of plug-ins, which workers inherit: modules or packages whose ``ENTRY`` is an `Entry`."""

NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")

Load = Callable[[], tuple[object, str]]
"""Gives what should be an entry, and the module that it stands for if it names none."""


def add(given: Sequence[Path], taken: Collection[str]) -> None:
    """Add plug-ins by their paths, for this process and its workers.

    Raises:
        RequestError: there is no plug-in at a path, or its name is taken.
    """
    paths = _paths()
    for path in given:
        full = os.path.abspath(path)
        if not os.path.isfile(_file(full)) or not _file(full).endswith(".py"):
            raise RequestError(f"--plugin {path}: no module (.py) and no folder of a package there")
        if os.pathsep in full or not _module_name(full).isidentifier():
            raise RequestError(f"--plugin {path}: a module cannot have this name: rename it")
        if reason := _refusal(_backend_name(full), taken):
            raise RequestError(f"--plugin {path}: {reason}: rename it")
        paths = [*paths, *({full} - {*paths})]
    if paths:
        os.environ[VARIABLE] = os.pathsep.join(paths)


def path_of(name: str) -> str:
    """The path of the plug-in that adds a backend; empty where it is installed."""
    return next((path for path in _paths() if _backend_name(path) == name), "")


def found(taken: Collection[str]) -> dict[str, Entry]:
    """The entries of all plug-ins by name.

    Args:
        taken: names that none can have. One that wants to is entered, broken, as ``NAME-of-WHOSE``.
    """
    return _found(tuple(_paths()), frozenset(taken))


@cache
def _found(paths: tuple[str, ...], taken: frozenset[str]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for name, whose, load in [*_installed(), *_at(paths)]:
        if reason := _refusal(name, taken | entries.keys()):
            entries[_plain(f"{name}-of-{whose}")] = Entry(broken=reason)
        else:
            entries[name] = _entry(load)
    return entries


def _refusal(name: str, taken: Collection[str]) -> str:
    if not NAME.fullmatch(name):
        return f"a backend cannot have the name {name!r}: small letters, digits and single hyphens"
    return f"there is a backend of the name {name} already" if name in taken else ""


def _plain(text: str) -> str:
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def _entry(load: Load) -> Entry:
    """The entry of a plug-in, or one that says what is wrong with it."""
    try:
        with redirect_stdout(sys.stderr):  # what it prints is no output of ours
            entry, module = load()
        if not isinstance(entry, Entry):
            return Entry(broken=f"it gives a {type(entry).__name__} for an Entry")
        return entry if entry.module else replace(entry, module=module)
    except (Exception, SystemExit) as error:
        return Entry(broken=in_one_line(error))


def _installed() -> Iterator[tuple[str, str, Load]]:
    """Name, distribution and loader of the plug-ins that are installed."""

    def load(point: EntryPoint) -> tuple[object, str]:
        found = point.load()
        package = hasattr(importlib.import_module(point.module), "__path__")
        return found, f"{point.module}.backend" if package else point.module

    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        yield point.name, point.dist.name if point.dist else "unknown", partial(load, point)


def _at(paths: Sequence[str]) -> Iterator[tuple[str, str, Load]]:
    """Name, path and loader of the plug-ins at some paths."""

    def load(path: str) -> tuple[object, str]:
        name, file = _module_name(path), _file(path)
        there = importlib.util.find_spec(name)
        if there and (not there.origin or not os.path.samefile(there.origin, file)):
            raise ImportError(f"there is a module of the name {name} already: rename it")
        if not there:
            package = [path] if file != path else None
            spec = importlib.util.spec_from_file_location(
                name, file, submodule_search_locations=package
            )
            assert spec is not None  # its suffix is .py
            assert spec.loader is not None
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[name]
                raise
        module = importlib.import_module(name)
        return module.ENTRY, name if file == path else f"{name}.backend"

    for path in paths:
        yield _backend_name(path), path, partial(load, path)


def _paths() -> list[str]:
    return [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]


def _file(path: str) -> str:
    """The file that is executed for a plug-in at a path."""
    return os.path.join(path, "__init__.py") if os.path.isdir(path) else path


def _module_name(path: str) -> str:
    return os.path.basename(path).removesuffix(".py")


def _backend_name(path: str) -> str:
    return _module_name(path).lower().replace("_", "-")
