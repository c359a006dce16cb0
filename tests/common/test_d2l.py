"""Chapter 9's helper package, as far as it is the same in every framework."""

import numpy as np
import pytest

from common import sources
from common.batches import SeqDataLoader
from common.d2l import plotting
from common.d2l.base import HyperParameters, add_to_class
from common.d2l.checks import check_inputs, check_len, check_prefix, check_shape, verdict
from common.d2l.data import DataModule, TensorLoader, TimeMachineText, Vocab, download, windows
from common.d2l.plotting import Axes, Curve, ProgressBoard, curves, mean, picture, plot
from common.d2l.training import Trainer
from common.errors import RequestError
from common.vocab import UNK
from common.vocab import Vocab as FunctionalVocab


class Kept(HyperParameters):
    def __init__(self, a, b=2, *, c=3):
        _private = 4
        self.save_hyperparameters(ignore=["b"])


def test_arguments_are_kept_but_for_those_left_out():
    kept = Kept(1)
    assert kept.hparams == {"a": 1, "c": 3}
    assert (kept.a, kept.c) == (1, 3)
    assert not hasattr(kept, "b")


def test_a_method_that_is_added_later_reaches_objects_made_before():
    kept = Kept(5)

    @add_to_class(Kept)
    def double(self):
        return 2 * self.a

    assert kept.double() == 10
    assert double(kept) == 10


def test_each_editions_vocabulary_by_where_it_is_imported_from():
    tokens = list("banana<")
    assert Vocab(tokens).idx_to_token == ["<", UNK, "a", "b", "n"]
    assert FunctionalVocab(tokens).idx_to_token == [UNK, "a", "n", "b", "<"]
    assert isinstance(Vocab(tokens), FunctionalVocab)
    assert Vocab(tokens, min_freq=2, reserved_tokens=["<pad>"]).idx_to_token == [
        "<pad>", UNK, "a", "n",
    ]  # fmt: skip
    assert Vocab(tokens, order="frequency").idx_to_token == FunctionalVocab(tokens).idx_to_token


def test_the_loaders_order_is_that_of_the_recipes():
    corpus = np.arange(31)
    X, Y = windows(corpus, 5)
    assert X.shape == Y.shape == (26, 5)
    recipe = SeqDataLoader(corpus, 4, 5, "sliding", seed=0)
    loader = TensorLoader([X[:17], Y[:17]], 4, shuffle=True, seed=0)
    assert len(loader) == len(recipe) == 5
    for _ in range(2):
        for mine, theirs in zip(loader, recipe, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    validation = TensorLoader([X[17:], Y[17:]], 4, shuffle=False, seed=0)
    for mine, theirs in zip(validation, recipe.validation(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_tensors_that_do_not_belong_together_and_texts_too_short_are_refused():
    with pytest.raises(ValueError, match="rows do not belong together"):
        TensorLoader([np.zeros(3), np.zeros(4)], 2, shuffle=False, seed=0)
    with pytest.raises(ValueError, match="num_steps=5: the text has 5 tokens alone"):
        windows(range(5), 5)
    with pytest.raises(NotImplementedError, match="DataModule has no get_dataloader yet"):
        DataModule().train_dataloader()


def test_the_steps_of_the_time_machine():
    data = TimeMachineText()
    assert data._preprocess("It's [so],\n\n  H. G.\n") == "it s so h g "
    assert data._tokenize("a b") == ["a", " ", "b"]
    corpus, vocab = data.build("Ab, a!")
    assert vocab.idx_to_token == [" ", UNK, "a", "b"]
    assert corpus == [2, 3, 0, 2, 0]
    assert data.build("b c", vocab) == ([3, 0, 1], vocab)


def test_a_file_is_found_in_its_folder_and_is_that_very_file(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    url = "http://127.0.0.1:1/a.txt"
    assert download(url, tmp_path) == str(tmp_path / "a.txt")
    with pytest.raises(RequestError, match="this is another file"):
        download(url, tmp_path, "0" * 40)


def test_a_failed_download_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")
    with pytest.raises(RequestError, match=r"^cannot download gone\.txt from http") as failed:
        download("http://127.0.0.1:1/gone.txt", tmp_path / "folder")
    assert f"put the file into {tmp_path / 'folder'}" in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        (lambda x: ([x, 2 * x], x), "right"),
        (lambda x: ([x, 2 * x + 1e-6], x), "right"),
        (lambda x: None, "not yet: nothing is returned"),
        (lambda x: x.size(), "not yet: TypeError: 'int' object is not callable"),
        (lambda x: [x, x], "not yet: 2 tensors, not 3"),
        (lambda x: ([x, x[0]], x), "not yet: tensor 2 has the shape (2,), not (3, 2)"),
        (lambda x: ([x, 2 * x], 0 * x), "not yet: tensor 3 is off by 1, of 1 at most"),
        (lambda x: ([x, np.nan * x], x), "not yet: tensor 2 is off by nan, of 2 at most"),
    ],
)
def test_verdicts(mine, said):
    assert verdict(mine, lambda x: ([x, 2 * x], x), np.ones((3, 2))) == said


def test_verdicts_on_a_text():
    assert verdict(str.lower, str.casefold, "A") == "right"
    assert verdict(str.upper, str.lower, "a") == "not yet: 'A', not 'a'"


def test_checks_of_the_chapter():
    check_len([1, 2], 2)
    check_shape(np.zeros((2, 3)), [2, 3])
    with pytest.raises(AssertionError, match="2 elements, not 3"):
        check_len([1, 2], 3)
    with pytest.raises(AssertionError, match=r"shape \(2, 3\), not \(3, 2\)"):
        check_shape(np.zeros((2, 3)), (3, 2))


@pytest.mark.parametrize(
    ("inputs", "H", "said"),
    [
        ((5, 2), None, r"inputs have the shape \(5, 2\).*\(num_steps, batch_size, 3\)"),
        ((5, 2, 4), None, r"inputs have the shape \(5, 2, 4\)"),
        ((5, 2, 3), (2, 6), r"the state has the shape \(2, 6\).*\(2, 7\)"),
    ],
)
def test_shapes_that_do_not_fit_a_layer(inputs, H, said):
    with pytest.raises(ValueError, match=said):
        check_inputs(np.zeros(inputs), None if H is None else np.zeros(H), 3, 7)


def test_prefixes_that_cannot_be_continued():
    vocab = Vocab("it has")
    check_prefix("it has", vocab)
    with pytest.raises(RequestError, match="'Üt' holds what this corpus never shows: 'Ü'"):
        check_prefix("Üt", vocab)
    with pytest.raises(RequestError, match="holds no character"):
        check_prefix("", vocab)


def test_a_mean_of_perplexities_is_the_perplexity_of_all_tokens():
    losses, tokens = np.array([1.0, 2.0, 4.0]), [10, 10, 5]
    assert mean("train_ppl", np.exp(losses), tokens) == pytest.approx(np.exp(50 / 25))
    assert mean("train_loss", losses, tokens) == pytest.approx(2)


def test_curves_as_the_chapter_gives_them():
    assert [(c.x.tolist(), c.y.tolist()) for c in curves([5, 6, 7])] == [([0, 1, 2], [5, 6, 7])]
    two = curves(np.arange(2), [np.array([[1], [2]]), [3, 4]], ["a", "b"])
    assert [(c.x.tolist(), c.y.tolist(), c.label) for c in two] == [
        ([0, 1], [1, 2], "a"),
        ([0, 1], [3, 4], "b"),
    ]
    assert [len(c.x) for c in curves([[1, 2], [3]], [[5, 6], [7]])] == [2, 1]
    with pytest.raises(ValueError, match="curve 2 has 2 x, but 1 y"):
        curves([1, 2], [[3, 4], [5]])
    with pytest.raises(ValueError, match="3 curves by their x, but 2 by their y"):
        curves([[1]] * 3, [[1]] * 2)
    with pytest.raises(TypeError, match="fmts"):
        plot([1], fmts="-")


def test_a_picture_holds_what_can_be_drawn_in_few_points():
    many = Curve(np.arange(50_000), np.arange(50_000.0), "many")
    log = plotting._points(many, Axes(xscale="log", yscale="log"))
    assert len(log) < 1_000
    assert log[0] == (1, 1)
    assert log[-1] == (49_999, 49_999)
    holes = Curve(np.arange(3), np.array([1, np.nan, np.inf]))
    assert plotting._points(holes, Axes()) == [(0, 1)]
    png = picture([many, holes], Axes("x", "y", [1, 10], xscale="log", figsize=(2, 1)))
    assert png.startswith(b"\x89PNG")


@pytest.fixture
def shown(monkeypatch):
    """The pictures that a notebook would show, and whether each replaces an earlier one."""
    found = []
    monkeypatch.setattr(plotting, "in_notebook", lambda: True)
    monkeypatch.setattr(plotting, "picture", lambda drawn, axes: [c.label for c in drawn])
    monkeypatch.setattr(
        plotting, "_display", lambda png, handle=None: found.append((png, handle)) or 7
    )
    return found


def test_nothing_is_drawn_without_a_notebook(monkeypatch):
    monkeypatch.setattr(plotting, "picture", lambda *_: pytest.fail("drawn"))
    assert not plotting.in_notebook()
    plot([1, 2])
    board = ProgressBoard()
    board.draw(0, 1, "a")
    board.show()
    assert board.curves == {"a": [(0, 1)]}


def test_a_board_draws_the_mean_of_every_n_in_one_picture(shown):
    board = ProgressBoard()
    for x in range(4):
        board.draw(x, 10 * x, "a", every_n=2, weight=x)
    assert board.curves == {"a": [(0.5, 10), (2.5, pytest.approx(26))]}
    board.show()
    assert shown == [(["a"], None), (["a"], 7)]
    plot([1, 2], [[1, 2], [2, 1]], legend=["up", "down"])
    assert shown[-1] == (["up", "down"], None)
    quiet = ProgressBoard(display=False)
    quiet.draw(0, 1, "a")
    quiet.show()
    assert len(shown) == 3


@pytest.mark.parametrize(
    ("there", "asked", "said"),
    [
        ([], 1, "num_gpus=1, but this machine has none: training on the CPU\n"),
        (["gpu"], 2, "num_gpus=2, but this machine has 1 alone: it is used\n"),
        (["gpu"], 1, ""),
        ([], 0, ""),
    ],
)
def test_gpus_that_are_not_there_are_said_in_a_line(there, asked, said, capsys):
    class OfSome(Trainer):
        def all_gpus(self):
            return there

    assert OfSome(1, num_gpus=asked).gpus == there[:asked]
    assert capsys.readouterr().out == said
