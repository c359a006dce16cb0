"""A docstring begins with a noun or verb of the field."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VAGUE = re.compile(r"(?:`+\w+`+:\s*)?(?:What|Whether|Those|How)\b", re.IGNORECASE)
HOLDERS = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef


def docstrings(tree):
    """Line and text of each docstring: of modules, classes and functions, and below a constant."""
    for holder in ast.walk(tree):
        for each in holder.body if isinstance(holder, HOLDERS) else ():
            match each:
                case ast.Expr(ast.Constant(str(text))):
                    yield each.lineno, text.strip()


def vague(source):
    """Line and first line of every docstring that begins with one of the words."""
    found = docstrings(ast.parse(source))
    return [(line, text.splitlines()[0]) for line, text in found if VAGUE.match(text)]


@pytest.mark.parametrize("folder", ["common", "backends", "harness"])
def test_none_begins_with_what_whether_those_or_how(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in files
        for line, text in vague(path.read_text(encoding="utf-8"))
    ]
    assert files
    assert found == []


def test_a_vague_docstring_is_found_wherever_it_stands():
    source = '''
"""``run``: what it does."""
SIZE = 3
"""How large it is."""
class Result:
    """Those of a run."""
    size: int
    """Number of rows, however many."""
    def good(self):
        """
        Whether it is good.
        """
        async def later():
            """Whatever comes."""
'''
    assert [line for line, _ in vague(source)] == [2, 4, 6, 10]
