"""The embedded engine's arrays: types, shapes, parts, comparisons and devices."""

import numpy as np

from backends.mxnet_style import mx
from backends.mxnet_style.mx import autograd, nd
from tests.backends.mxnet_style.checking import P, assert_is, matrix, softmax_loss, variable


def test_everything_is_float32_unless_told_otherwise():
    made = [nd.array([1]), nd.array(np.ones(2)), nd.array(np.arange(2)), nd.array([True]),
            nd.arange(3), nd.zeros(2), nd.ones((1, 2)), nd.one_hot(nd.array([1], dtype="int32"), 2),
            nd.one_hot(nd.array([1], dtype="float64"), 2), nd.arange(3).argmax(axis=0),
            nd.array([1, 2]) > 1, nd.array([1]) * np.float64(2), np.float64(2) * nd.array([1]),
            nd.random.normal(), nd.random.uniform(shape=2)]  # fmt: skip
    assert {x.dtype for x in made} == {np.float32}


def test_float64_is_kept_by_every_operation():
    x = variable(P, dtype="float64")
    with autograd.record():
        y = nd.concat(nd.tanh(x), nd.relu(x), nd.exp(x), nd.log(x), x.sqrt(), 1 / x, 2**x, dim=0)
        z = nd.dot(y, nd.ones((3, 2), dtype="float64"))[1:] * 2 - 1
        l = softmax_loss(z, nd.array([0] * 13)).mean()
    l.backward()
    kept = [y, z, l, x.grad, x.sum(), x.mean(axis=0), x.argmax(axis=1), x > 1, x.T, x.reshape(6),
            x[0], nd.stack(x, x), nd.array(x), x.copy(), x.astype("float32").astype("float64"),
            nd.one_hot(x, 3, dtype="float64"), nd.random.normal(dtype="float64")]  # fmt: skip
    assert {each.dtype for each in kept} == {np.float64}


def test_astype_carries_gradients_across_types():
    x = variable([2, 3], dtype="float64")
    with autograd.record():
        y = (x * x).astype("float32") * 2
    y.backward()
    assert y.dtype is np.float32
    assert_is(x.grad, [8, 12], "float64")
    with autograd.record():
        ((_, pullback),) = x.astype("float32").node.edges
    assert pullback(np.ones(2, np.float32)).dtype == np.float64


def test_integers_stay_integers_and_are_truncated():
    i = nd.array([1, 3], dtype="int32")
    for y, expected in [(i + 1.5, [2, 4]), (i * 1.9, [1, 3]), (1.9 - i, [0, -2]), (i / 2, [0, 1]),
                        (i**-1, [1, 0]), (i > 1.5, [0, 1]), (i.mean(), [2]), (i.sqrt(), [1, 1]),
                        (nd.log(i), [0, 1]), (i.argmax(), [1])]:  # fmt: skip
        assert_is(y, expected, "int32")
    assert_is(nd.tanh(nd.array([5], dtype="int8")), [0], "int8")  # not 1, as in float16
    assert_is(nd.array([1.7, -1.7]).astype("int32"), [1, -1], "int32")
    assert_is(nd.arange(2, 10, 2, dtype="int32"), [2, 4, 6, 8], "int32")


def test_overflow_and_division_by_zero_are_silent():
    x = variable([0, 1e38])
    with autograd.record():
        y = nd.exp(x) + x * 10 + 1 / x + nd.log(x)
    y.backward()
    assert np.isinf(y.asnumpy()).any()
    assert np.isinf((x * 1e300).asnumpy()[1])


def test_a_single_number_has_shape_one():
    x = matrix()
    for y, expected in [(x.sum(), [15]), (x.mean(), [2.5]), (x.argmax(), [5]), (x[1, 2], [5]),
                        (x[1][2], [5]), (x.sum(axis=(0, 1)), [15]), (x.sum(axis=()), [15]),
                        (x[1].sum(axis=0), [12]), (nd.dot(x[0], x[1]), [14])]:  # fmt: skip
        assert_is(y, expected)
    assert type(x.sum().asscalar()) is np.float32
    assert x.sum().asscalar() == 15


def test_reductions_and_shapes():
    x = matrix()
    assert_is(x.sum(axis=0), [3, 5, 7])
    assert_is(x.mean(axis=1, keepdims=True), [[1], [4]])
    assert_is(nd.array([[1, 5, 5], [9, 0, 9]]).argmax(axis=1), [1, 0])
    assert_is(x.T, [[0, 3], [1, 4], [2, 5]])
    for y in (x.reshape((3, -1)), x.reshape(3, 2), x.reshape((-1, 2)), x.T.reshape((0, 2))):
        assert y.shape == (3, 2)
    assert x.reshape((-1,)).shape == x.reshape(-1).shape == x.reshape(6).shape == (6,)
    assert_is(x.T.reshape((-1,)), [0, 3, 1, 4, 2, 5])
    assert_is(nd.concat(x, nd.zeros((2, 1))), [[0, 1, 2, 0], [3, 4, 5, 0]])  # dim=1 by default
    assert_is(nd.stack(nd.ones(2), nd.zeros(2)), [[1, 1], [0, 0]])
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
    assert x.asnumpy() is not x.asnumpy()


def test_iterating_gives_rows():
    assert [row.shape for row in matrix()] == [(3,), (3,)]
    assert [row.asscalar() for row in matrix()[1]] == [3, 4, 5]
    assert [row.shape for row in nd.arange(3)] == [(1,), (1,), (1,)]


def test_views_share_elements_and_copies_do_not():
    x = nd.zeros((2, 2))
    x[0][:] = 9
    x.reshape((4,))[3] = 1
    x[1, 0][:] = 4
    for copy in (x.T, x[:, 1], x.copy(), nd.array(x), x.astype("float32")):
        copy[:] = 77
    assert_is(x, [[9, 9], [4, 1]])
    assert x[:] is x
    assert x.as_in_context(mx.cpu()) is x
    assert x.as_in_context(mx.cpu(1)).context == x.as_in_context(mx.cpu(1)).ctx == mx.cpu(1)


def test_assignment_broadcasts_and_converts():
    x = nd.zeros((2, 3))
    x[:] = nd.array([1, 2, 3], dtype="float64")
    x[1, 0:2] = [8, 9]
    x[:, 2] = np.array([5, 6])
    assert_is(x, [[1, 2, 5], [8, 9, 6]])


def test_comparisons_are_ones_and_zeros_and_arrays_stay_hashable():
    x = nd.array([1, 2, 3])
    for y, expected in [(x > 2, [0, 0, 1]), (x >= 2, [0, 1, 1]), (x < 2, [1, 0, 0]),
                        (x <= 2, [1, 1, 0]), (x == nd.array([1, 0, 3]), [1, 0, 1]),
                        (x != 1, [0, 1, 1])]:  # fmt: skip
        assert_is(y, expected)
    assert bool(x[1] == 2)
    assert len({x, x.copy()}) == 2


def test_text_form_is_that_of_mxnet():
    assert repr(matrix()) == "\n[[0. 1. 2.]\n [3. 4. 5.]]\n<NDArray 2x3 @cpu(0)>"
    assert str(mx.gpu(1)) == "gpu(1)"


def test_one_hot_truncates_and_leaves_rows_of_zeros_outside():
    rows = nd.one_hot(nd.array([0, 1.7, -0.5, -1, 3, 1e20, float("nan")]), 3)
    zeros = [0, 0, 0]
    assert_is(rows, [[1, 0, 0], [0, 1, 0], [1, 0, 0], zeros, zeros, zeros, zeros])
    assert nd.one_hot(nd.zeros((2, 5)), 7).shape == (2, 5, 7)


def test_take_truncates_and_stays_inside():
    assert_is(nd.take(matrix(), nd.array([1.7, -4, 9])), [[3, 4, 5], [0, 1, 2], [3, 4, 5]])
    assert_is(nd.take(nd.arange(3), nd.array([2], dtype="int64")), [2])


def test_contexts_are_compared_by_value_and_no_gpu_is_there():
    assert mx.cpu() == mx.cpu(0) == mx.Context("cpu", 0) != mx.cpu(1)
    assert nd.zeros(1, ctx=mx.cpu(3)).context == mx.cpu(3)
    assert (nd.arange(3, ctx=mx.cpu(1)) + 1).ctx == mx.cpu(1)
    assert mx.context.num_gpus() == 0
    nd.waitall()
    nd.ones(1).wait_to_read()
