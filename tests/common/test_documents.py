"""The pages beside the code: what they name is there, and they agree on the version."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "docs/porting.md", "docs/ci.md", "docs/history.md"]
PAGES += ["backends/README.md", "examples/README.md", "notebooks/README.md"]
NAMED = re.compile(r"`([\w./-]+\.(?:py|toml|cff)|\w+/[\w/-]+/)`")
FOLDERS = ["", "common", "backends", "harness"]
"""Where a path may begin that a page names."""


def there(path):
    """Whether a path, or a file of that name, is in the project."""
    if any((ROOT / folder / path).exists() for folder in FOLDERS):
        return True
    folders = [ROOT / name for name in ("common", "backends", "harness", "tests")]
    return "/" not in path and any(True for folder in folders for _ in folder.rglob(path))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {*NAMED.findall(text)}
    assert named
    assert [path for path in named if not there(path)] == []
    linked = re.findall(r"\]\(([^):#]+)\)", text)
    assert [path for path in linked if not (ROOT / page).parent.joinpath(path).exists()] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 255


def test_the_citation_is_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f"version: {project['version']}" in citation
    assert f"license: {project['license']}" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {project['version']}" in changes


def pins(name):
    """Versions by package, as pip normalizes names."""
    found = re.findall(r"(?m)^([\w.-]+)==([^\s;\\]+)", (ROOT / name).read_text(encoding="utf-8"))
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


def test_an_extra_that_pins_a_version_pins_that_of_the_constraints():
    wanted = pins("constraints.txt")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    every = [
        each
        for name, of in extras["optional-dependencies"].items()
        if name != "mxnet"
        for each in of
    ]
    pinned = dict(each.split("==") for each in every if "==" in each and ";" not in each)
    assert {*pinned} == {"ray", "submitit"}
    assert {name: wanted[name] for name in pinned} == pinned


def test_the_lock_is_of_the_constraints_and_has_a_hash_for_each():
    lock, wanted = pins("requirements.lock"), pins("constraints.txt")
    assert wanted == {package: lock.get(package) for package in wanted}
    # beyond them, what pip's own build of PyTorch brings along, and what packages are built with
    allowed = re.compile(r"nvidia-.*|cuda-.*|triton|setuptools|wheel|wcwidth")
    others = [package for package in lock if package not in wanted]
    assert [package for package in others if not allowed.fullmatch(package)] == []
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"(?m)^(?=\w)", text)[1:]
    assert len(blocks) == len(lock)
    for block in blocks:
        assert re.fullmatch(r"\S+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+\n", block), block
    assert "://" not in text
