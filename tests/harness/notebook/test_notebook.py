"""``notebook`` writes what is valid, whole and the same every time, and refuses what it cannot."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import backends
from common.errors import RequestError, StorageError
from harness.notebook.build import (
    BLANKS,
    DOCUMENTS,
    FENCE,
    SOURCES,
    assemble,
    cell_file,
    chapter_nine,
    render,
)
from harness.notebook.command import notebook
from harness.notebook.write import write_notebook
from harness.page.rosetta import source_file

ROOT = Path(__file__).parents[3]
KINDS = ("markdown", "code")
EACH = [
    (document, backend)
    for document in DOCUMENTS
    for backend in backends.by_default()
    if document != "003" or cell_file(backend).exists()
]


@pytest.mark.parametrize(("document", "framework"), EACH)
def test_every_notebook_is_valid_and_the_same_every_time(tmp_path, document, framework):
    first, second = tmp_path / "first.ipynb", tmp_path / "second.ipynb"
    write_notebook(document, framework, first)
    write_notebook(document, framework, second)
    assert first.read_bytes() == second.read_bytes()
    made = nbformat.read(first, as_version=4)
    nbformat.validate(made)
    cells = {kind: [c for c in made.cells if c.cell_type == kind] for kind in KINDS}
    assert sum(map(len, cells.values())) == len(made.cells)
    assert len({cell.id for cell in made.cells}) == len(made.cells)
    assert min(map(len, cells.values())) > 10
    for cell in cells["code"]:
        assert cell.outputs == []
        assert cell.execution_count is None
        ast.parse(cell.source)
    for cell in made.cells:
        assert cell.source == cell.source.strip() != ""
        assert not re.search(r"<<|>>|<%|%>|<#|```", cell.source)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_notebook_speaks_of_its_own_framework_alone(document):
    names = {"torch": "torch", "jax": "jnp", "tensorflow": "tf", "mxnet-style": "nd"}
    for backend, own in names.items():
        if (document, backend) not in EACH:
            continue
        code = "\n".join(FENCE.findall(render(document, backend)))
        nodes = list(ast.walk(ast.parse(code)))
        used = {node.id for node in nodes if isinstance(node, ast.Name)}
        assert used & set(names.values()) == {own}
        imported = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
        assert {name.split(".")[0] for name in imported} & set(names) <= {backend}


@pytest.mark.parametrize("framework", [name for document, name in EACH if document == "003"])
def test_chapter_nine_has_all_its_cells_in_order(framework):
    cells = chapter_nine(framework)
    assert list(cells) == list(range(1, 50))
    fences = iter(FENCE.findall(render("003", framework)))
    assert [cell for cell in cells.values() if cell not in fences] == []


def test_a_framework_without_chapter_nine_says_so(tmp_path, monkeypatch):
    (tmp_path / "chapter_nine").mkdir()
    (tmp_path / "chapter_nine" / "jax.py").write_text("# cell 1\nx\n")
    monkeypatch.setattr("harness.notebook.build.SOURCES", tmp_path)
    with pytest.raises(RequestError, match=r"^[^\n]*not written in torch yet; it is in jax$"):
        chapter_nine("torch")


def test_whole_runs_are_the_recipes():
    text = render("000", "jax")
    assert "| `time-machine` | 32 | 35 | 512 | 1.0 | 1.0 | 500 | 1.0 to 1.2 after 500 |" in text
    assert "python -m harness --recipe time-machine --backend jax" in text
    assert "| 1024 | 32 | 32 |" in render("003", "torch")


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(("document", "framework"), EACH)
def test_the_first_cell_installs_the_project_where_it_is_not(
    monkeypatch, document, framework, there
):
    (first, *_) = FENCE.findall(render(document, framework))
    assert first.startswith('REPOSITORY = "https://')
    called = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: called.append(command))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there and name == "backends")
    exec(first.replace("OWNER", "somebody"), {})
    extra = "" if framework == "mxnet-style" else f"[{framework}]"
    wanted = f"rnn-rosetta{extra} @ git+https://github.com/somebody/rnn-rosetta"
    install = [sys.executable, "-m", "pip", "install", "--quiet", wanted]
    assert called == ([] if there else [install])


def test_prose_and_code_become_cells():
    made = nbformat.reads(
        assemble('# One\n"a" \\ b\n## Two\n\n```python\nprint("</script>\\u00e9é")\n```\n'),
        as_version=4,
    )
    assert [(cell.cell_type, cell.source) for cell in made.cells] == [
        ("markdown", '# One\n"a" \\ b'),
        ("markdown", "## Two"),
        ("code", 'print("</script>\\u00e9é")'),
    ]


@pytest.mark.parametrize("framework", backends.by_default())
def test_every_blank_has_its_check_and_its_solution(framework):
    """The solution is the framework's own source, and so never another than what is tested."""
    cells = nbformat.reads(assemble(render("000", framework)), as_version=4).cells
    page = read(source_file(framework, "scratch"))
    found = []
    for i, cell in enumerate(cells):
        if cell.source.startswith("<details>"):
            blank, check = cells[i - 2 : i]
            assert [blank.cell_type, check.cell_type] == ["code", "code"]
            assert re.search(r"\.\.\.(,|$|  # )", blank.source)
            assert re.match(r"(\w+(?:, \w+)?) = check\.\w+\(\1[,)]", check.source)
            (code,) = re.findall(r"^~~~python\n(.*)\n~~~$", cell.source, re.DOTALL | re.MULTILINE)
            ast.parse(code)
            if (name := check.source.split(" = ")[0]) in BLANKS:
                assert all(each in page for each in code.split("\n\n\n"))
                assert re.search(rf"^(def|class) {name}\b", code, re.MULTILINE)
                found.append(name)
    assert found == BLANKS


def test_every_source_is_used():
    included = set(re.findall(r'include "(.*?)"', "".join(map(read, SOURCES.rglob("*.md")))))
    assert included == {f"parts/{path.name}" for path in SOURCES.glob("parts/*.md")}
    assert sorted(path.stem for path in SOURCES.glob("*.md")) == sorted([*DOCUMENTS, "contract"])


def read(path):
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("document", "framework", "name", "message"),
    [
        ("004", "torch", "it.ipynb", "unknown seed document '004'"),
        ("000", "troch", "it.ipynb", "did you mean 'torch'"),
        ("000", "null", "it.ipynb", "unknown backend 'null'"),
        ("000", "torch", "it.py", "name a file that ends in .ipynb, or a folder that is there"),
        ("000,001", "torch", "it.ipynb", "a file takes one --seed-document and one --backend"),
        ("000", "torch,jax", "it.ipynb", "a file takes one --seed-document and one --backend"),
        ("000", "torch", "taken.ipynb", "exists already"),
        ("000", "torch", "dangling.ipynb", "exists already"),
        ("000", "torch", "absent/it.ipynb", "create it first"),
        ("000", "torch", "a\x1b\nb/it.ipynb", "a··b"),
        ("000", "torch", f"{'n' * 300}.ipynb", "cannot be written"),
    ],
)
def test_a_bad_request(tmp_path, document, framework, name, message):
    (tmp_path / "taken.ipynb").write_text("kept")
    (tmp_path / "dangling.ipynb").symlink_to("nowhere")
    before = sorted(tmp_path.iterdir())
    with pytest.raises((RequestError, StorageError)) as caught:
        notebook(tmp_path / name, document=[document], backend=[framework])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "taken.ipynb").read_text() == "kept"


def test_without_nbformat_it_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(RequestError, match=r"pip install .*\[notebook\]"):
        write_notebook("000", "torch", tmp_path / "it.ipynb")
    assert not list(tmp_path.iterdir())


def test_a_backend_that_is_not_installed_is_written_all_the_same(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "harness.workers.interpreters.missing", lambda name, given: "not installed: do"
    )
    assert notebook(tmp_path / "it.ipynb", document=["000"], backend=["jax"]) == 0
    assert (tmp_path / "it.ipynb").is_file()
    assert capsys.readouterr().out.endswith("to run it: not installed: do\n")


def test_the_command(tmp_path):
    def done(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "harness", "notebook", "--backend", "torch", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            timeout=120,
        )

    assert done("--seed-document", "000", "it.ipynb").returncode == 0
    again = done("--seed-document", "000", "it.ipynb")
    assert (again.returncode, again.stdout) == (2, "")
    assert (
        again.stderr
        == "error: it.ipynb: exists already; name another file, or --force to replace it\n"
    )
