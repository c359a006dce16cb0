"""A port of anybody's against the reference: what goes wrong first, and the true cause."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from common.causes import NAMED, are_those, parity_of
from common.errors import RequestError
from common.faults import CAUSES, faulty
from common.faulty import Step
from common.port import QUANTITIES, minibatches, numbers_of, reference_step
from harness import parity_of as of_the_harness
from tests.harness.parity.faults_of_ports import PLANTED

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def port(replacements=(), dtype="float64"):
    """The step of a new port in PyTorch, with pieces of its text replaced."""
    torch = pytest.importorskip("torch")
    text = (HERE / "right_port.py").read_text(encoding="utf-8")
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    names = {}
    exec(text, names)
    return names["Port"](getattr(torch, dtype)).step


def only(step, *names):
    """The step, giving these alone."""
    return lambda *args: {name: each for name, each in step(*args).items() if name in names}


def test_the_step_in_pieces_is_that_of_the_reference():
    result = parity_of(Step())
    assert result.equal
    assert [quantity.name for quantity in result.quantities] == list(QUANTITIES)
    assert max(quantity.error for quantity in result.quantities) < 1e-12
    assert result.causes == ()


def test_every_fault_is_told_from_every_other_by_its_numbers():
    calls = list(minibatches(None))
    numbers = {cause: numbers_of(faulty(cause), calls) for cause in CAUSES}
    for cause, found in numbers.items():
        alike = [c for c, each in numbers.items() if are_those(each, found, calls, "float64")]
        assert alike == [cause]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_port_is_equal(dtype):
    result = of_the_harness(port(dtype=dtype))
    assert result.equal, result.first
    assert result.dtype == dtype
    assert result.not_given == result.causes == ()


@cache
def numbers_of_a_fault(cause):
    """In the four small minibatches, which are the same for every port."""
    return numbers_of(faulty(cause), list(minibatches(None)))


@pytest.fixture
def faults_computed_once(monkeypatch):
    monkeypatch.setattr("common.causes.faulty", lambda cause: cause)
    monkeypatch.setattr(
        "common.causes.numbers_of",
        lambda step, calls: (
            numbers_of_a_fault(step) if isinstance(step, str) else numbers_of(step, calls)
        ),
    )


@pytest.mark.parametrize("fault", PLANTED)
def test_the_true_cause_of_a_planted_fault_is_among_the_first_three_named(
    fault, faults_computed_once
):
    replacements, words = PLANTED[fault]
    result = parity_of(port(replacements))
    assert not result.equal
    causes = [cause.cause for cause in result.causes[:NAMED]]
    assert any(words in cause for cause in causes), causes


def test_of_what_is_not_given_nothing_is_said():
    doubled = only(faulty("the learning rate is halved"), "weights", "loss")
    result = parity_of(doubled)
    assert result.first.name == "update W_xh"
    assert result.first.ratio == pytest.approx(0.5)
    assert {"logits", "state", "gradient W_hh"} < {*result.not_given}
    assert [c.cause for c in result.causes if c.explains] == ["the learning rate is halved"]
    assert parity_of(only(Step(), "logits")).equal


def test_the_first_is_what_is_wrong_in_the_earliest_minibatch():
    calls = []

    def step(*args):
        calls.append(1)
        found = faulty("the learning rate is halved")(*args)
        return found | {"state": found["state"] + (len(calls) == 3)}

    result = parity_of(step)
    assert (result.first.name, result.first.minibatch) == ("update W_xh", 1)
    assert {q.name: q.minibatch for q in result.quantities if q.wrong}["state"] == 3


def test_of_two_functions_the_one_that_is_wrong_is_named():
    cause = "W_hh is transposed: H W_hh, not H W_hh^T"
    for functions, of in (((faulty(cause), Step()), "first"), ((Step(), faulty(cause)), "second")):
        result = parity_of(*functions)
        assert not result.equal
        assert [(c.cause, c.of) for c in result.causes if c.explains] == [(cause, of)]
    assert parity_of(faulty(cause), faulty(cause)).equal


def test_it_compares_on_batches_of_ones_own():
    rng = np.random.default_rng(1)
    batches = [(Z[:, :-1], Z[:, 1:]) for Z in rng.integers(20, size=(5, 3, 9), dtype=np.uint8)]
    assert parity_of(reference_step, batches=batches).equal
    batches.append((batches[0][0][:2], batches[0][1][:2]))  # the last batch may be smaller
    cause = "the loss is a sum over all tokens: take the mean"
    assert parity_of(faulty(cause), batches=batches).causes[0].cause == cause
    for shape in ((1, 2), (3, 6)):
        batches.append((np.zeros(shape, int), np.ones(shape, int)))
    calls = list(minibatches(batches))
    for cause in CAUSES:  # whatever the shapes, none of them stops
        numbers_of(faulty(cause), calls)
    X = np.ones((2, 3), int)
    for wrong in (
        [],
        [X],
        [(X, X[:1])],
        [(X, X / 2)],
        [(X, -X)],
        [(X[:0], X[:0])],
        [([[1], []], X)],
    ):
        with pytest.raises(RequestError, match="batches: pairs of X and Y"):
            parity_of(Step(), batches=wrong)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def step(weights, X, Y, state, lr): pass", "raises in minibatch 1: TypeError"),
        ("def step(*all):\n    return 1 / 0", "minibatch 1, line 2: ZeroDivisionError: division"),
        ("def step(*all): raise RuntimeError('backward a second time')", "detach it"),
        (
            "def step(*all): pass",
            "it gives NoneType where a dict is meant, of any of state, logits",
        ),
        ("step = lambda *all: {'grads': 1}", "unknown quantity 'grads'"),
        (
            "step = lambda *all: {'logits': all[0]['W_hh']}",
            "logits: its shape is (16, 16), not (24",
        ),
        ("step = lambda *all: {'state': all[3].T}", "(4, 16): are its axes exchanged?"),
        ("step = lambda *all: {'loss': 'low'}", "loss: no array of numbers"),
        ("step = lambda *all: {'gradients': [1, 2]}", "or the five in order: W_xh, W_hh"),
        ("step = lambda *all: {'weights': {'W_hx': 1}}", "did you mean 'W_xh'"),
        ("step = lambda *all: {'loss': None, 'gradients': [None] * 5}", "nothing is given that"),
        ("step = 3", "unknown function 'step'"),
        ("def stop(): pass", "unknown function 'step': did you mean 'stop'"),
        ("import absent_framework", "it does not import: ModuleNotFoundError: No module named"),
        ("import sys; sys.exit(3)", "it does not import: SystemExit"),
        ("def step(", "it does not import: SyntaxError"),
    ],
)
def test_what_is_no_port_is_a_line(code, said, here, tmp_path):
    (tmp_path / "port.py").write_text(code, encoding="utf-8")
    done = here("parity", "--model", "port.py:step")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --model port.py:step: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--model absent.py:step", "no such file of Python: absent.py"),
        ("--model .:step", "no such file of Python"),
        ("--model port", "PATH:FUNCTION is meant, such as port.py:step"),
        *(
            (f"--model port.py:step {other}", "it is compared alone: give --json")
            for other in ("--backend torch", "--out x", "--force", "--device cpu", "--devices 1")
        ),
    ],
)
def test_a_request_that_is_wrong_is_a_line(words, said, here):
    done = here("parity", *words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


BROKEN = """
import json, sibling
from common.faults import faulty
print("loading")
step = faulty("b_h is left out")
right = faulty.__globals__["Step"]()
"""


def test_the_command_says_it_in_words_and_as_json(here, tmp_path):
    (tmp_path / "port.py").write_text(BROKEN)
    (tmp_path / "sibling.py").write_text("")
    done = here("parity", "--model", "port.py:step")
    assert done.returncode == 1
    assert "first wrong: state, in minibatch 1" in done.stdout
    assert "1. b_h is left out (explains all that was given)" in done.stdout
    assert "loading" in done.stderr
    found = json.loads(here("parity", "--model", "port.py:step", "--json").stdout)
    assert (found["equal"], found["first"]) == (False, "state")
    assert found["causes"] == [{"cause": "b_h is left out", "likeness": 1, "of": ""}]
    assert len(found["quantities"]) == len(QUANTITIES)
    done = here("parity", "--model", "port.py:right")
    assert done.returncode == 0
    assert "equal to the reference in all that was given" in done.stdout


def test_the_how_to_shows_what_the_command_prints(here, tmp_path):
    pytest.importorskip("torch")
    text = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
    for page in (text, (ROOT / "README.md").read_text(encoding="utf-8")):
        assert f"{len(CAUSES)} faults" in page
    code, *_ = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    mended = code.replace(*re.search(r"`(.+?)` for `(.+?)`", text).group(2, 1))
    assert mended != code
    shown = re.findall(r"```\n\$ (.*?)\n(.*?)```", text, re.DOTALL)
    for source, (command, printed), status in zip((code, mended), shown, (1, 0), strict=True):
        (tmp_path / "port.py").write_text(source, encoding="utf-8")
        done = here(*command.split()[3:])
        assert done.returncode == status
        assert sure(done.stdout) == sure(printed)


def sure(printed):
    """Text without rounding, which says also in which minibatch an update is farthest off."""
    printed = re.sub(r" +$", "", printed, flags=re.MULTILINE)
    printed = re.sub(r"(update .*)\d\.\de-1[4-9] +\de-\d\d", r"\1rounding", printed)
    return re.sub(r"\d\.\de-1[4-9]", "rounding", printed)
