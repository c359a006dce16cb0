"""The code of the original chapter runs on both engines, with only its imports changed."""

import re
from pathlib import Path

import numpy as np
import pytest

import backends

SOURCE = Path(__file__).with_name("original_chapter.py")


@pytest.fixture(params=["mxnet-style", "mxnet"])
def cells(request, only):
    only(request.param)
    backends.load(request.param)
    text = SOURCE.read_text(encoding="utf-8")
    if request.param == "mxnet":
        text = text.replace("from backends.mxnet_style.mx", "from mxnet")
    found = re.split(r"# cell \d+\n", text)[1:]
    assert len(found) == 14
    return found


def run(cells, names, shown=()):
    """Execute cells as a notebook would; the values of the last lines of `shown` come back."""
    values = {}
    for number, cell in enumerate(cells, 1):
        exec(compile(cell, f"cell {number}", "exec"), names)
        if number in shown:
            values[number] = eval(cell.strip().splitlines()[-1], names)
    return values


def test_every_cell_but_the_long_runs(cells):
    names = {}
    values = run(cells[:7], names, shown=(3, 7))
    assert names["vocab_size"] == 1027
    assert values[3] == (5, (2, 1027))
    assert values[7] == (5, (2, 1027), (2, 256))
    np.testing.assert_array_equal(
        names["nd"].one_hot(names["nd"].array([0, 2]), 1027).asnumpy().argmax(axis=1), [0, 2]
    )
    run(cells[7:8], names)
    predicted = eval(cells[8], names)
    assert predicted.startswith("分开")
    assert len(predicted) == 12


@pytest.mark.parametrize("long_run", [12, 13])
def test_the_runs_for_two_epochs(cells, capsys, long_run):
    names = {}
    run(cells[:12], names)
    names |= {"num_epochs": 2, "pred_period": 1, "pred_len": 3}
    run([cells[long_run]], names)
    said = capsys.readouterr().out
    perplexities = [float(p) for p in re.findall(r"perplexity ([\d.]+)", said)]
    assert len(perplexities) == 2
    # Its weights are random and its steps large, so the second epoch may fall behind the first.
    assert 1500 > perplexities[0] > 300
    assert 1027 > perplexities[1] > 300  # less than by guessing
    assert said.count(" - 分开") == said.count(" - 不分开") == 2
