"""The embedded engine against Apache MXNet 1.9.1 itself, operation by operation.

A case is a function of an engine `m`, which has `m.nd`, `m.autograd`, `m.gluon`, `m.init`,
`m.random` and `m.cpu`. Both engines must give the same values, gradients, dtypes and shapes, or
errors of the same class. What is known to differ stands in DIFFERENCES, with the reason and with
what each gives.
"""

import itertools
import operator
import re
from pathlib import Path

import numpy as np
import pytest

import backends
from backends.mxnet_style import mx as ours
from tests.backends.mxnet_style.cases_of_arrays import CREATION, DEVICES, PYTHON
from tests.backends.mxnet_style.cases_of_differences import DIFFERENCES
from tests.backends.mxnet_style.cases_of_layers import (
    FULLY_CONNECTED,
    FUNCTION,
    LAYERS,
    RECURRENT,
)
from tests.backends.mxnet_style.cases_of_loss_and_random import LOSS, NETWORK, RANDOM
from tests.backends.mxnet_style.cases_of_operations import (
    ASSIGNED,
    BINARY,
    FUNCTIONS,
    IN_PLACE,
    KEYS,
    NUMBERS,
    PRODUCTS,
    SIDES,
    VIEWS,
)
from tests.backends.mxnet_style.cases_of_tape import TAPE
from tests.backends.mxnet_style.comparing import (
    DTYPES,
    INTEGERS,
    ZEROS,
    A,
    differences,
    gradients,
    in_every_type,
    outcome,
)


@pytest.fixture
def theirs(only):
    only("mxnet")
    backends.load("mxnet")
    import mxnet

    return mxnet


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(theirs, name):
    cases = in_every_type(name, FUNCTIONS[name], A)
    cases |= in_every_type(f"{name} of zeros", FUNCTIONS[name], ZEROS)
    assert differences(cases, theirs) == {}


@pytest.mark.parametrize("name", [*BINARY, *IN_PLACE])
def test_two_operands(theirs, name):
    function, writes = getattr(operator, name), name in IN_PLACE
    cases = {}
    for number in NUMBERS:
        operate = {f"x {name} {number!r}": lambda m, x, n=number: function(x, n)}
        if not writes:
            operate[f"{number!r} {name} x"] = lambda m, x, n=number: function(n, x)
        for label, each in operate.items():
            found = in_every_type(label, each, A, differentiable=not writes)
            by_zero = "div" in name and not int(number)
            cases |= {n: c for n, c in found.items() if not (by_zero and n.endswith(INTEGERS))}
    for label, sides in SIDES.items():
        cases |= in_every_type(
            label, lambda m, x, y: function(x, y), *sides, differentiable=not writes
        )
    for one, other in itertools.permutations(DTYPES, 2):
        cases[f"{one} {other}"] = lambda m, one=one, other=other: function(
            m.nd.ones(2, dtype=one), m.nd.ones(2, dtype=other)
        )
    for stranger in (None, "x", [1, 2], (1,), np.ones(2), 1j):
        cases[f"x {name} {stranger!r}"] = lambda m, s=stranger: function(m.nd.ones(2), s)
    assert differences(cases, theirs) == {}


def test_dot(theirs):
    cases = {}
    for name, sides in PRODUCTS.items():
        cases |= in_every_type(name, lambda m, x, y: m.nd.dot(x, y), *sides)
    assert differences(cases, theirs) == {}


@pytest.mark.parametrize("key", KEYS)
def test_parts(theirs, key):
    where = KEYS[key]

    def write(m, new, dtype):
        x = m.nd.zeros((2, 3), dtype=dtype)
        x[where] = new(m) if callable(new) else new
        return x

    def shared(m):
        """Who sees what is written into a part, and into the whole."""
        x = m.nd.array(A)
        part = x[where]
        part[:] = 55
        before = x.copy()
        x[:] = 66
        return [before, part]

    cases = {"read": gradients(lambda m, x: x[where] * 1, A), "shared": shared}
    cases |= {
        f"{name} into {dtype}": lambda m, new=new, dtype=dtype: write(m, new, dtype)
        for name, new in ASSIGNED.items()
        for dtype in ("float32", "float64", "int32")
    }
    cases |= {
        f"{name} of {dtype}": lambda m, new=new, dtype=dtype: write(
            m, lambda m: m.nd.array(new, dtype=dtype), "float32"
        )
        for name, new in ASSIGNED.items()
        for dtype in ("float32", "float64", "int32")
        if isinstance(new, np.ndarray) and new.ndim
    }
    assert differences(cases, theirs) == {}


@pytest.mark.parametrize("name", VIEWS)
def test_views_and_copies(theirs, name):
    def written(m, into_view):
        x = m.nd.array(A)
        view = VIEWS[name](x)
        (view if into_view else x)[:] = 55
        return [x, view, view is x]

    cases = {str(side): lambda m, side=side: written(m, side) for side in (False, True)}
    assert differences(cases, theirs) == {}


GROUPS = {
    "tape": TAPE, "creation": CREATION, "Python": PYTHON, "devices": DEVICES, "loss": LOSS,
    "random": RANDOM, "network": NETWORK, "functions": FUNCTION, "RNN": RECURRENT,
    "FullyConnected": FULLY_CONNECTED, "layers": LAYERS,
}  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_both_engines_do_the_same(theirs, group):
    assert differences(GROUPS[group], theirs) == {}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_known_difference_is_still_there(theirs, name):
    _reason, case, here, there = DIFFERENCES[name]
    assert [listed(outcome(case, m)) for m in (ours, theirs)] == [here, there]


def listed(x):
    """An outcome without types, as DIFFERENCES has it."""
    if isinstance(x, list):
        return [listed(each) for each in x]
    return x.tolist() if isinstance(x, np.ndarray | np.generic) else x


def test_every_operation_is_compared():
    here = Path(__file__)
    files = [here, here.with_name("comparing.py"), *here.parent.glob("cases_of_*.py")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    internal = {"node", "on_tape", "values"}
    public = {name for name in dir(ours.nd.NDArray) if name[0] != "_"} - internal
    offered = {f"nd.{name}" for name in ours.nd.__all__} | {f".{name}" for name in public}
    recording = ("Function", "backward", "is_recording", "pause", "record")
    offered |= {f"autograd.{name}" for name in recording}
    offered |= {f"gluon.{name}" for name in ("Trainer", "nn.Block", "nn.Dense", "rnn.RNN")}
    offered |= {f"init.{name}" for name in ("Normal", "Uniform", "Zero")}
    offered |= {f"random.{name}" for name in ("normal", "randn", "seed", "uniform")}
    named = set(re.findall(r"\w+", text))  # in a table of names, without its module
    assert {n for n in offered if n not in text and n.split(".")[1] not in named} == set()
    methods = {n.strip("_") for n, each in vars(ours.nd.NDArray).items() if callable(each)} - public
    others = set("array bool getitem hash init iter len neg repr setitem".split())
    assert methods - {f"r{name}" for name in BINARY} - others == {*BINARY, *IN_PLACE}
