"""``notebook --execute`` keeps outputs that are the same every time, and says which cell failed."""

import re
import sys

import nbformat
import pytest

from common.errors import RequestError
from harness.notebook import write
from harness.notebook.build import assemble
from harness.notebook.command import notebook
from harness.notebook.execute import execute, same_but_for_time
from harness.workers.errors import WorkerError

GOOD = """# One

```python
import os
import time

from IPython.display import display

print(os.environ["OMP_NUM_THREADS"], flush=True)
print(f"{time.perf_counter_ns():,} tokens/s")
"x = 1"
```

```python
picture = display(None, display_id=True)
picture.update("the last one")
```
"""
BAD = "```python\nx = 1\n```\n\n```python\nraise ValueError('line one\\nline two')\n```\n"


@pytest.fixture
def sources(monkeypatch):
    """Cells in the place of the documents' own; an empty dict has none yet."""
    texts = {}
    monkeypatch.setattr(write, "render", lambda document, backend: texts[document])
    return texts


def made(folder, document="000"):
    return folder / f"{document}-{write.DOCUMENTS[document]}-mxnet-style.ipynb"


def test_a_notebook_that_was_run_is_the_same_every_time_but_for_speeds():
    first, second = execute(assemble(GOOD)), execute(assemble(GOOD))
    assert first != second
    assert same_but_for_time(first, second)
    kept = nbformat.reads(first, as_version=4)
    nbformat.validate(kept)
    assert kept.metadata == nbformat.reads(assemble(GOOD), as_version=4).metadata
    code = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2]
    assert [cell.metadata for cell in code] == [{}, {}]
    stream, result = code[0].outputs
    assert re.fullmatch(r"1\n[\d,]+ tokens/s\n", stream.text)
    assert result.data == {"text/plain": "'x = 1'"}
    (picture,) = code[1].outputs
    assert picture.data["text/plain"] == "'the last one'"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("perplexity 10.90, 98,794 tokens/s", "perplexity 10.90, 101,002 tokens/s", True),
        ("perplexity 10.90, 0.31 s", "perplexity 10.90, 12.00 s", True),
        ("epoch 2, time 5.71 sec", "epoch 2, time 0.1 sec", True),
        ("perplexity 10.90, 98,794 tokens/s", "perplexity 10.91, 98,794 tokens/s", False),
        ("4 steps", "16 steps", False),
    ],
)
def test_only_times_and_speeds_may_differ(old, new, same):
    assert same_but_for_time(old, new) is same


def test_one_that_comes_out_the_same_stays_as_it_is(tmp_path, sources, capsys):
    sources["000"] = GOOD
    asked = {"document": ["000"], "backend": ["mxnet-style"], "execute": True, "force": True}
    assert notebook(tmp_path, **asked) == 0
    before = made(tmp_path).read_bytes()
    assert notebook(tmp_path, **asked) == 0
    assert made(tmp_path).read_bytes() == before
    sources["000"] = GOOD.replace("the last one", "another")
    assert notebook(tmp_path, **asked) == 0
    assert made(tmp_path).read_bytes() != before
    said = [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()]
    assert said == ["written", "the same but for times", "written"]


def test_a_folder_takes_every_document_in_every_backend(tmp_path):
    assert notebook(tmp_path) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == 4 * 4
    assert {"000-functional-torch.ipynb", "003-chapter-9-mxnet-style.ipynb"} <= names
    with pytest.raises(RequestError, match=r"000-functional-\S*: exists already; .* --force"):
        notebook(tmp_path)
    assert notebook(tmp_path, document=["001,002"], backend=["mxnet"]) == 0
    assert {path.name for path in tmp_path.iterdir()} - names == {
        "001-lyrics-mxnet.ipynb",
        "002-he-normal-mxnet.ipynb",
    }


def test_a_cell_that_fails_is_named_and_the_old_file_stays(tmp_path, sources):
    sources["000"] = BAD
    made(tmp_path).write_text("kept")
    with pytest.raises(WorkerError) as caught:
        notebook(tmp_path, document=["000"], backend=["mxnet-style"], execute=True, force=True)
    assert str(caught.value) == f"{made(tmp_path)}: cell-002: ValueError: line one line two"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


def test_a_kernel_that_dies_is_said_in_one_line():
    with pytest.raises(WorkerError, match=r"^its kernel died: [^\n]+$"):
        execute(assemble("```python\nimport os\nos._exit(3)\n```\n"))


def test_a_framework_that_is_missing_is_said_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "missing", lambda name: "not installed: do" * (name == "jax"))
    with pytest.raises(RequestError, match=r"^--execute: not installed: do$"):
        notebook(tmp_path, execute=True)
    assert not list(tmp_path.iterdir())


def test_without_nbclient_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbclient", None)
    with pytest.raises(RequestError, match=r"^nbclient not installed: pip install .*\[notebook\]"):
        execute(assemble(GOOD))
