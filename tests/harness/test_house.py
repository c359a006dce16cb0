"""The house: small files, no room that swallows the others, and a line a package."""

import ast
import subprocess
import sys
import tomllib

from harness.paths import ROOT


def lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


CELLS = ROOT / "harness" / "notebook" / "sources"  # text of notebooks, which nobody imports
FILES = sorted(p for p in (ROOT / "harness").rglob("*.py") if CELLS not in p.parents)


def test_no_file_is_too_long_to_read_in_one_sitting():
    assert len(FILES) > 100
    assert {str(path): lines(path) for path in FILES if lines(path) > 260} == {}


def test_no_folder_is_more_than_a_seventh_of_the_harness():
    rooms = {}
    for path in FILES:
        rooms[path.parent.name] = rooms.get(path.parent.name, 0) + lines(path)
    assert max(rooms.values()) < 0.15 * sum(rooms.values()), rooms


def test_a_package_is_one_line_so_that_a_worker_imports_what_it_needs_alone():
    packages = [path for path in FILES if path.name == "__init__.py" and path.parent.parent != ROOT]
    assert len(packages) > 12
    for path in packages:
        (docstring,) = ast.parse(path.read_text(encoding="utf-8")).body
        assert isinstance(docstring, ast.Expr)
        assert lines(path) == 1


def test_a_worker_imports_neither_tables_nor_charts_nor_a_terminal():
    code = "import sys, harness.worker; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stdout.split())
    assert "harness.worker" in loaded
    assert not loaded & {"pandas", "altair", "rich", "cyclopts", "jinja2"}


def test_a_wheel_takes_every_file_that_is_read():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = told["tool"]["setuptools"]["package-data"]
    for package in ("common", "backends", "harness"):
        patterns = packed.get(package, [])
        taken = {path for pattern in patterns for path in (ROOT / package).glob(pattern)}
        read = {path for path in (ROOT / package).rglob("*") if path.is_file()}
        left = {path for path in read - taken if path.suffix not in {".py", ".pyc", ".md"}}
        assert left == set()
