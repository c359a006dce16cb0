"""The cells of chapter 9 in object style run, all of them in order, and show what it prints."""

import ast
import importlib
import sys

import numpy as np
import pytest

import backends
from common.d2l import data as common_data
from common.vocab import as_numpy
from harness.notebook.build import cell_file, chapter_nine
from rnn_rosetta_suite.haste import in_haste

NUM_CELLS = 49


def run(cells, names):
    """Execute cells as a notebook would: the values of those that end in an expression."""
    shown = {}
    for number, cell in cells.items():
        tree = ast.parse(cell)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"cell {number}", "exec"), names)
        if last is not None:
            shown[number] = eval(
                compile(ast.Expression(last.value), f"cell {number}", "eval"), names
            )
    return shown


def shorter(cells):
    """The cells with windows of 8, for which a framework compiles sooner than for 32."""
    assert sum("num_steps=32" in cell for cell in cells.values()) == 2
    return {number: cell.replace("num_steps=32", "num_steps=8") for number, cell in cells.items()}


@pytest.fixture(params=[name for name in backends.BACKENDS if cell_file(name).exists()])
def chapter(request, only):
    """The cells in a framework, whose d2l is as it was afterwards: they add to its classes."""
    only(request.param)
    d2l = backends.section(request.param, "d2l")
    with in_haste(request.param, compiled=True):
        yield chapter_nine(request.param)
    importlib.reload(sys.modules[d2l.__name__])


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_every_cell(chapter, capsys):
    assert list(chapter) == list(range(1, NUM_CELLS + 1))
    names = {"max_epochs": 1}
    shown = run(shorter(chapter), names)
    assert shown[12].startswith(
        "The Time Machine, by H. G. Wells [1898]\n\n\n\n\nI\n\n\nThe Time Tra"
    )
    assert shown[13] == "the time machine by h g wells i the time traveller for so it"
    assert shown[14] == "t,h,e, ,t,i,m,e, ,m,a,c,h,i,n,e, ,b,y, ,h, ,g, ,w,e,l,l,s, "
    indices, tokens, ours = shown[16]
    assert indices == ours == [21, 9, 6, 0, 21, 10, 14, 6, 0, 14]
    assert tokens == ["t", "h", "e", " ", "t", "i", "m", "e", " ", "m"]
    assert shown[17] == (173_428, 28)
    assert shown[18][:3] == [("the", 2261), ("i", 1267), ("and", 1245)]
    assert shown[20][:3] == [("of--the", 309), ("in--the", 169), ("i--had", 130)]
    assert shown[21][:2] == [("the--time--traveller", 59), ("the--time--machine", 30)]
    X, Y = (as_numpy(a) for a in shown[26])
    assert X.shape == Y.shape == (2, 10)
    np.testing.assert_array_equal(X[:, 1:], Y[:, :-1])
    np.testing.assert_allclose(as_numpy(shown[28]), as_numpy(shown[29]), rtol=1e-4, atol=1e-5)
    assert as_numpy(shown[36]).argmax(axis=1).tolist() == [0, 2]
    for cell in (43, 47, 49):
        assert shown[cell].startswith("it has")
        assert len(shown[cell].replace("<unk>", "?")) == len("it has") + 20
    (row,) = names["trainer"].history
    assert 10 < row["val_ppl"] < row["train_ppl"] < 27  # 27.99 untrained
    if not names["trainer"].gpus:
        said = capsys.readouterr().out.splitlines()
        assert said == ["num_gpus=1, but this machine has none: training on the CPU"] * 2


def test_a_text_that_does_not_come_is_said_in_one_line(chapter, monkeypatch, tmp_path):
    monkeypatch.delenv("RNN_ROSETTA_DATA", raising=False)
    monkeypatch.setattr(common_data.sources, "cache", lambda: tmp_path)
    names = {}
    run({1: chapter[1]}, names)
    names["d2l"].DATA_URL = "http://127.0.0.1:1/"
    run({11: chapter[11]}, names)
    with pytest.raises(
        common_data.sources.RequestError, match=r"^cannot download timemachine\.txt"
    ):
        run({12: chapter[12]}, names)
