"""Provenance: git speaks for the project's own tree alone, and nobody's home is told."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.records import provenance
from harness.records.checkout import checkout
from harness.records.provenance import from_home


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path):
    """A repository whose settings run a program wherever git lets them."""
    root = tmp_path / "tree"
    for package in ("common", "backends", "harness"):
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").write_text(f'"""{package}."""\n')
    (root / "README.md").write_text("a text\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'was-run'}\ncat\n")
    program.chmod(0o755)
    (root / ".git" / "info" / "attributes").write_text("* filter=own diff=own\n")
    for name in ("core.fsmonitor", "filter.own.clean", "filter.own.process", "diff.own.command"):
        git(root, "config", name, str(program))
    return root


def test_the_revision_of_the_own_tree_and_if_the_source_differs(tree, tmp_path):
    revision, modified = checkout(tree)
    assert len(revision) == 40
    assert not modified
    (tree / "README.md").write_text("another text\n")
    assert checkout(tree) == (revision, False)  # no part of the source
    (tree / "common" / "new.py").write_text("")
    assert checkout(tree) == (revision, True)
    (tree / "common" / "new.py").unlink()
    (tree / "harness" / "__init__.py").write_text('"""Another."""\n')
    assert checkout(tree) == (revision, True)
    os.utime(tree / "common" / "__init__.py")  # git would look at its content, through the filter
    checkout(tree)
    assert not (tmp_path / "was-run").exists()


def test_inside_another_project_there_is_no_revision(tree, monkeypatch):
    inside = tree / "lib" / "site-packages"
    inside.mkdir(parents=True)
    assert checkout(inside) == (None, False)
    monkeypatch.setenv("GIT_DIR", str(tree / ".git"))  # as within a hook of another project
    monkeypatch.setenv("GIT_WORK_TREE", str(inside))
    assert checkout(inside) == (None, False)
    assert checkout(tree)[0]
    (inside / ".git").write_text(f"gitdir: {tree / '.git'}\n")
    assert checkout(tree / "common") == (None, False)


def test_paths_are_told_from_here_or_from_home(tmp_path, monkeypatch):
    home, here = tmp_path / "me", tmp_path / "me" / "work"
    here.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.chdir(here)
    told = {
        f"{here}/text.txt": "text.txt",
        f"{here}": ".",
        f"{home}/texts/a b.txt": "~/texts/a b.txt",
        f"--out={home}/run": "--out=~/run",
        f"torch={home}/env/bin/python": "torch=~/env/bin/python",
        f"{home}": "~",
        f"{home}-of-another/x": f"{home}-of-another/x",
        f"a text with {home}/x": f"a text with {home}/x",
        "/data/text.txt": "/data/text.txt",
        "--num-epochs": "--num-epochs",
    }
    assert {word: from_home(word) for word in told} == told
    monkeypatch.setattr("sys.argv", ["harness", "--corpus", f"{home}/texts/a.txt"])
    about = provenance.provenance()
    assert about["command"] == ["--corpus", "~/texts/a.txt"]
    assert str(home) not in str(about)


def test_a_hosts_own_build_of_its_kernel_is_not_told(monkeypatch):
    monkeypatch.setattr("platform.release", lambda: "6.1.0-my-company-7")
    monkeypatch.setattr("platform.version", lambda: "#1 SMP by me@host")
    assert "6.1.0" in provenance.machine()["os"]
    assert "company" not in str(provenance.machine())
