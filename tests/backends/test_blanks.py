"""Checks of the functional chapter's blanks: right code passes, and a mistake gets its hint."""

import numpy as np
import pytest

import backends
from common.verdicts import BLANK
from common.vocab import Vocab, as_numpy
from tests.backends import faults_of_blanks as faults

pytestmark = pytest.mark.usefixtures("hasty")

FUNCTIONS = """
    get_params init_rnn_state rnn predict_rnn grad_clipping train_epoch_rnn train_rnn
""".split()


@pytest.fixture
def page(backend):
    return backends.section(backend, "scratch")


@pytest.fixture
def check(backend):
    return backends.section(backend, "blanks").check


def verdict(check, name, *given):
    """The verdict of a check, once it is seen that it is printed and answered."""
    key = {"model": "RNNModelScratch", "data": "train_iter, vocab"}.get(name, name)
    back, (student, *_) = getattr(check, name)(*given), given
    told = check.verdicts[key]
    assert told == "right" or told.startswith("not yet: ")
    assert "\n" not in told
    if name not in ("data", "x_one_hot", "one_hot"):
        assert back is (student if told == "right" else getattr(check.page, key))
    return told


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_chapters_own_code_is_right(check, page, name, capsys):
    assert verdict(check, name, getattr(page, name)) == "right"
    assert capsys.readouterr().out == f"{name}: right\n"


def test_the_chapters_own_class_is_right(check, page):
    assert verdict(check, "model", page.RNNModelScratch) == "right"


def test_one_hot_vectors(check):
    X = np.arange(10).reshape(2, 5)
    right, wrong = np.eye(12)[X.T], np.eye(12)[X.T + 1]
    assert verdict(check, "one_hot", right, X, 12) == "right"
    assert check.one_hot(right, X, 12) is right
    assert "transpose X first" in verdict(check, "one_hot", np.eye(12)[X], X, 12)
    assert "off by" in verdict(check, "one_hot", wrong, X, 12)
    np.testing.assert_array_equal(as_numpy(check.one_hot(wrong, X, 12)), right)
    assert verdict(check, "x_one_hot", np.eye(12)[[0, 2]], [0, 2], 12) == "right"
    assert "off by" in verdict(check, "x_one_hot", np.eye(12)[[0, 3]], [0, 2], 12)


def test_minibatches(check, backend):
    load = backends.section(backend, "data").load_data
    given = "embedded", 4, 6

    def told(train_iter, vocab):
        return verdict(check, "data", train_iter, vocab, *given)

    train_iter, vocab = load(*given)
    assert told(train_iter, vocab) == "right"
    assert check.data(train_iter, vocab, *given) == (train_iter, vocab)
    assert "leave use_random_iter False" in told(load(*given, True)[0], vocab)
    assert "the shape of X is (4, 5), not (4, 6)" in told(load("embedded", 4, 5)[0], vocab)
    assert "one token later" in told([(X, X) for X, _ in train_iter], vocab)
    assert "ends after one epoch" in told(iter(train_iter), vocab)
    assert "not ndarray" in told(train_iter.loader, vocab)
    assert "its tokens are" in told(train_iter, Vocab("ab"))
    again, own = check.data(..., ..., *given)
    assert check.verdicts["train_iter, vocab"] == "not yet: write your code where the dots are"
    assert list(own) == list(vocab)
    assert len([*again]) == len(again)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_blank_is_not_yet(check, name):
    told = verdict(check, name, lambda *given, **named: ...)
    in_place = {"grad_clipping": "are not scaled", "train_rnn": "no epoch is trained"}
    assert BLANK in told or in_place[name] in told


def test_a_class_that_stops_leaves_the_next_checks_as_they_are(check, page):
    class Blank:
        def __init__(self, *given): ...

        def begin_state(self, batch_size):
            return ...

    class Stopped(page.RNNModelScratch):
        def __call__(self, X, state):
            return 1 / 0

    class Bare:
        def __init__(self, vocab_size, num_hiddens, get_params, init_state, forward):
            self.of = page.RNNModelScratch(vocab_size, num_hiddens, get_params, init_state, forward)
            self.begin_state = self.of.begin_state

        def __call__(self, X, state):
            return self.of(X, state)

    assert BLANK in verdict(check, "model", Blank)
    assert "it stops with ZeroDivisionError" in verdict(check, "model", Stopped)
    assert "the functions below need forward_fn, init_state, num_hiddens, params" in verdict(
        check, "model", Bare
    )
    for name in FUNCTIONS:
        assert verdict(check, name, getattr(page, name)) == "right"


@pytest.fixture
def torch_check(backend, check):
    if backend != "torch":
        pytest.skip("the mistakes are written in PyTorch")
    return check


@pytest.mark.parametrize(
    ("name", "wrong", "hint"), faults.MISTAKES, ids=[m[2] for m in faults.MISTAKES]
)
def test_a_mistake_gets_its_hint(torch_check, name, wrong, hint):
    assert hint in verdict(torch_check, name, wrong())


def test_without_a_mistake_each_of_them_is_right(torch_check):
    made = {
        "rnn": faults.rnn_with,
        "predict_rnn": faults.predict_with,
        "grad_clipping": faults.clipping_with,
        "train_epoch_rnn": faults.training_with,
        "train_rnn": faults.loop_with,
    }
    for name, with_mistake in made.items():
        assert verdict(torch_check, name, with_mistake("")) == "right"


def test_what_is_wrong_in_another_way_is_measured(check, page):
    def get_params(vocab_size, num_hiddens):
        return page.get_params(vocab_size, num_hiddens)[:4]

    assert "the shapes are" in verdict(check, "get_params", get_params)
    assert "a tuple, with a comma" in verdict(
        check, "init_rnn_state", lambda B, H: page.init_rnn_state(B, H)[0]
    )
    assert "it stops with ZeroDivisionError" in verdict(check, "rnn", lambda *_: 1 / 0)
    assert "is a return missing" in verdict(check, "rnn", lambda *_: None)
