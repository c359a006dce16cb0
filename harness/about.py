"""The project itself: its name and its version."""

from __future__ import annotations

from pathlib import Path

from harness.paths import ROOT

NAME = "rnn-rosetta"
"""Of the project, of its distribution, and of the program that an installation brings."""


def version(root: Path = ROOT) -> str:
    """The project's version, as `pyproject.toml` has it.

    Args:
        root: the folder of the source. A checkout is told by its own ``pyproject.toml``, whatever
            is installed beside it; an installation has none there, and is told by its metadata.
    """
    import tomllib
    from importlib.metadata import version as installed_version

    file = root / "pyproject.toml"
    if file.is_file():
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == NAME:
            return str(project["version"])
    return installed_version(NAME)
