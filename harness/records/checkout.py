"""Git's word on the project's own tree; nothing that stands in a repository is run for it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

from harness.workers.loaded import PACKAGES

SAFE = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
NOTHING_RUN = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


def checkout(root: Path) -> tuple[str | None, bool]:
    """The revision of a source, and if the source differs from it.

    Files are compared by their hashes, without ``git status``, for that runs the filters that a
    repository's settings name.

    Args:
        root: the folder of the source.

    Returns:
        No revision, and no difference, where the folder is not the top of a working tree: inside
        another project's, say, whose revision says nothing about this source.
    """
    if not (root / ".git").exists():
        return None, False
    top, _, revision = _git(root, "rev-parse", "--show-toplevel", "HEAD").partition("\n")
    if not revision or not os.path.samefile(top, root):
        return None, False
    return revision, _differs(root, _git(root, "ls-tree", "-r", "-z", "--full-tree", "HEAD"))


def committed_at(root: Path, revision: str) -> str:
    """The time of a commit, ISO 8601; empty where it is not known here.

    Args:
        root: the folder of the source.
        revision: as a record tells it, so from anybody.
    """
    if not re.fullmatch("[0-9a-f]{40,64}", revision) or not (root / ".git").exists():
        return ""
    return _git(root, "show", "--no-patch", "--format=%cI", revision, "--")


def _differs(root: Path, listed: str) -> bool:
    """True if a file of the source is not as listed, is gone, or is new."""
    known = {}
    for line in filter(None, listed.split("\0")):
        about, _, name = line.partition("\t")
        if name.startswith(tuple(f"{folder}/" for folder in PACKAGES)):
            known[name] = about.split()[2]
    here = {
        path.relative_to(root).as_posix()
        for folder in PACKAGES
        for path in (root / folder).rglob("*.py")
    }
    return bool(here - known.keys()) or any(_hash(root / n, of) != of for n, of in known.items())


def _hash(path: Path, like: str) -> str:
    """The name that git gives to the content of a file, in the repository's kind of hash."""
    try:
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
    except OSError:
        return ""
    digest = hashlib.sha1(usedforsecurity=False) if len(like) == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % len(content) + content)
    return digest.hexdigest()


def _git(root: Path, *arguments: str) -> str:
    """Output of git on a folder itself, none above; empty where there is no git or no answer."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    variables |= SAFE | {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    command = ["git", "-C", str(root), *NOTHING_RUN, *arguments]
    try:
        said = subprocess.run(
            command, capture_output=True, check=True, timeout=10, env=variables
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.decode("utf-8", "surrogateescape").strip()
