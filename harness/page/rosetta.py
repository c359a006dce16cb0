"""One function in every framework: cut out of each ``scratch.py``, as text, by ``ast``."""

from __future__ import annotations

import ast
import importlib.util
import io
import tokenize
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from backends import registry
from harness.paths import ROOT

TOPICS = {
    "get_params": "get_params",
    "init_rnn_state": "init_rnn_state",
    "rnn": "rnn",
    "predict_rnn": "predict_rnn",
    "grad_clipping": "grad_clipping",
    "training step": "train_step",
}
"""Topics that are shown, and the function that each begins with."""


@dataclass(frozen=True)
class Excerpt:
    """A function of one framework, with what it calls in its own file.

    Attributes:
        backend: name of its backend; for MXNet both engines run the same file.
        path: the file, from the project's root, or from the folder that a plug-in lies in.
        line: number of its first line in the file.
        code: its text.
    """

    backend: str
    path: str
    line: int
    code: str

    @property
    def html(self) -> str:
        """The code with its tokens marked, every character of it escaped."""
        marked: str = highlight(self.code, PythonLexer(), HtmlFormatter(nowrap=True))
        return marked


def source_file(backend: str, variant: str) -> Path | None:
    """The file that holds a variant of a backend, or None where there is none."""
    known = registry()
    if backend not in known or known[backend].broken:
        return None
    top, *parts = known[backend].module.split(".")
    folder, alone = _place(top)
    if not parts:  # the plug-in is one file, which holds the chapter's functions if it has any
        return alone if variant == "scratch" else None
    path = folder.joinpath(top, *parts[:-1], f"{variant}.py")
    return path if path.is_file() else None


def _place(top: str) -> tuple[Path, Path | None]:
    """The folder that a module or package lies in, and its file if it is one; imports nothing."""
    if top == "backends":
        return ROOT, None
    spec = importlib.util.find_spec(top)
    if spec is None:
        return ROOT, None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).parent, None
    return Path(str(spec.origin)).parent, Path(str(spec.origin))


def rosetta(name: str = "scratch", topics: dict[str, str] = TOPICS) -> dict[str, list[Excerpt]]:
    """The excerpts of each backend's ``name.py`` by topic: a framework each, and each file once."""
    files: dict[Path, str] = {}
    for backend in registry():
        if path := source_file(backend, name):
            files.setdefault(path, backend)
    sources = {path: path.read_text(encoding="utf-8") for path in files}
    return {
        topic: [
            Excerpt(backend, _shown(path), *cut)
            for path, backend in files.items()
            if (cut := _cut(sources[path], function, topics))
        ]
        for topic, function in topics.items()
    }


def _shown(path: Path) -> str:
    """A file as a reader finds it: from the project's root, or by its package."""
    inside = path.is_relative_to(ROOT / "backends")
    return (path.relative_to(ROOT) if inside else Path(*path.parts[-2:])).as_posix()


def excerpt(backend: str, function: str, topics: dict[str, str]) -> str:
    """The code of a function or class of a backend's ``scratch.py``, with what it calls there.

    Empty where a plug-in has no such file, or no such function in it.
    """
    path = source_file(backend, "scratch")
    cut = _cut(path.read_text(encoding="utf-8"), function, topics) if path else None
    return cut[1] if cut else ""


def _cut(source: str, name: str, topics: dict[str, str]) -> tuple[int, str] | None:
    """The line and text of a function and, in the file's order, of the functions it calls.

    A function that is a topic of its own is left to its topic. A class may be cut out, too.
    """
    functions = {
        node.name: node
        for node in _parsed(source).body
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.ClassDef) and node.name == name)
    }
    if name not in functions:
        return None
    wanted, found = [name], {name}
    while wanted:
        for node in ast.walk(functions[wanted.pop()]):
            called = node.id if isinstance(node, ast.Name) else ""
            if called in functions and called not in found | set(topics.values()):
                wanted.append(called)
                found.add(called)
    lines = source.splitlines()
    parts = [_lines(node) for each, node in functions.items() if each in found]
    return parts[0][0], "\n\n\n".join("\n".join(lines[a - 1 : b]) for a, b in parts) + "\n"


@cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def _lines(node: ast.FunctionDef | ast.ClassDef) -> tuple[int, int]:
    """The first line, decorators included, and the last."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    assert node.end_lineno is not None  # the parser always gives it
    return first, node.end_lineno


def lines_of_code(path: Path) -> int:
    """The lines of a Python file that hold code: not blank, comment or docstring."""
    return _lines_of_code(path.read_text(encoding="utf-8"))


@cache
def _lines_of_code(source: str) -> int:
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in quiet | {tokenize.ENDMARKER}:
            held.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            held -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(held)
