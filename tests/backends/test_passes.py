"""The passes of the floor, in every library: over all rows, and to the right numbers."""

import numpy as np
import pytest

import backends
import common.floor
from common.floor import PASSES, SOFTMAX, TANH, TANH_GRADIENT, Pass, passes

ROWS, COLUMNS = 12, 9


def expected(name, A, B, Y):
    """The pass in float64."""
    A, B, Y = np.float64(A), np.float64(B), np.ravel(Y)
    if name == TANH:
        return np.tanh(A)
    if name == TANH_GRADIENT:
        return A * (1 - B**2)
    exp = np.exp(A)
    return exp / exp.sum(1, keepdims=True) - (Y[:, None] == np.arange(A.shape[1]))


@pytest.fixture
def library(request, only, monkeypatch):
    """The module of a library, on two cores whose caches hold three rows."""
    only(request.param)
    backends.load(request.param)
    monkeypatch.setattr(common.floor, "CACHE", 3 * 12 * COLUMNS)
    return __import__(backends.entry(request.param).products, fromlist=["ways_of_pass"])


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("library", ["mxnet-style", "torch"], indirect=True)
def test_a_pass_is_over_all_rows_at_once_or_in_blocks(library, name):
    found = [*library.ways_of_pass(Pass(name, ROWS, COLUMNS), "cpu").values()]
    for way in found:
        way()
        _, blocks = way.args
        *operands, out = (
            np.concatenate([*map(np.asarray, of)]) for of in zip(*blocks, strict=True)
        )
        assert out.shape == (ROWS, COLUMNS)
        np.testing.assert_allclose(out, expected(name, *operands), rtol=1e-4, atol=1e-5)
    assert len(blocks) == 4  # the last way's


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("library", ["jax"], indirect=True)
def test_xla_passes_over_all_rows_those_of_each_core_apart(library, name, monkeypatch):
    done, pass_over = [], library.pass_over

    def recorded(operands, results, compute, blocks):
        found = pass_over(operands, results, compute, blocks)
        right = expected(name, *map(np.asarray, operands))
        np.testing.assert_allclose(np.asarray(found), right, rtol=1e-4, atol=1e-5)
        done.append((len(found), blocks))
        return found

    monkeypatch.setattr(library, "cores", lambda: 2)
    monkeypatch.setattr(library, "pass_over", recorded)
    ways = library.ways_of_pass(Pass(name, ROWS, COLUMNS), "cpu")
    done.clear()
    for way in ways.values():
        way()
    assert sorted(done) == [(6, 1), (6, 1), (6, 2), (6, 2)]


def test_a_step_passes_over_every_number_once():
    sizes = {each.name: each.rows * each.columns for each in passes(2, 3, 5, 7)}
    assert sizes == {TANH: 2 * 3 * 5, TANH_GRADIENT: 2 * 3 * 5, SOFTMAX: 2 * 3 * 7}
    assert [Pass(TANH, 1120, 256).blocks, Pass(SOFTMAX, 1120, 1027).blocks] == [4, 14]
    assert Pass(TANH, 7, 10**6).blocks == 7  # a row that no cache holds is a block
