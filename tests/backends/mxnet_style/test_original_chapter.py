"""The code of the original chapter runs on both engines, with only its imports changed."""

import importlib
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


def test_the_seed_decides_the_order_of_random_minibatches(cells):
    names, starts = {}, []
    run(cells[:1], names)
    engine = importlib.import_module(names["autograd"].__name__.rpartition(".")[0])
    for seed in (1, 1, 2, None):
        if seed:
            engine.random.seed(seed)
        batches = names["gb"].data_iter_random(range(2101), 2, 3)
        starts.append([int(X[0, 0].asscalar()) for X, _ in batches])
    assert starts[0] == starts[1]
    assert len({tuple(each) for each in starts}) == 3


SAVED = "predict_rnn", "grad_clipping", "train_and_predict_rnn"


def test_what_the_chapter_says_it_saved_does_the_same(cells, capsys):
    names = {}
    run(cells[:12], names)
    gb, nd, said = names["gb"], names["nd"], []
    first = [param.asnumpy() for param in names["get_params"]()]
    for saved in (False, True):
        if saved:
            names |= {name: getattr(gb, name) for name in SAVED}
        params = [nd.array(values) for values in first]
        for param in params:
            param.attach_grad()
        names |= {
            "params": params,
            "get_params": lambda params=params: params,
            "corpus_indices": names["corpus_indices"][:3000],
        }
        capsys.readouterr()
        exec(cells[13].replace("num_epochs", "2").replace("pred_period, pred_len", "1, 4"), names)
        printed = re.sub(r", time [\d.]+ sec", "", capsys.readouterr().out)
        text = eval(cells[8], names)
        for param in params:
            param.grad[:] = param
        names["grad_clipping"](params, 0.5, names["ctx"])
        norm = np.sqrt(sum((param.grad.asnumpy() ** 2).sum() for param in params))
        said.append((printed, text, norm, [param.asnumpy() for param in params]))
    (printed, text, norm, weights), (ours, our_text, our_norm, our_weights) = said
    assert printed.count("perplexity") == 2
    shown = [float(number) for number in re.findall(r"perplexity ([\d.]+)", printed + ours)]
    assert shown[:2] == pytest.approx(shown[2:], rel=1e-5)
    without = [re.sub(r"perplexity [\d.]+", "", each) for each in (printed, ours)]
    assert without[0] == without[1]
    assert text == our_text
    assert norm == pytest.approx(0.5, rel=1e-5)
    assert our_norm == pytest.approx(0.5, rel=1e-5)
    for old, new in zip(weights, our_weights, strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-6)
