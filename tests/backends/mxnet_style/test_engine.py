"""The embedded engine behaves as Apache MXNet 1.9.1 does.

The expected numbers and error classes below were obtained by running the same lines on Apache
MXNet 1.9.1 (numpy 1.23.5, CPU), so that no MXNet is needed here; `test_engine_against_mxnet` holds
the engine against MXNet itself, and lists where the two differ.
"""

import operator
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from backends.mxnet_style import mx
from backends.mxnet_style.mx import autograd, nd
from backends.mxnet_style.mx.gluon import loss as gloss

softmax_loss = gloss.SoftmaxCrossEntropyLoss()


def variable(source, grad_req="write", dtype=None):
    x = nd.array(source, dtype=dtype)
    x.attach_grad(grad_req)
    return x


def assert_is(x, expected, dtype="float32"):
    """Check values, shape and dtype at once."""
    expected = np.array(expected, dtype=dtype)
    assert isinstance(x, nd.NDArray)
    assert (x.shape, x.dtype) == (expected.shape, expected.dtype.type)
    np.testing.assert_allclose(x.asnumpy(), expected, rtol=1e-6, atol=1e-7)


def matrix():
    return nd.arange(6).reshape((2, 3))


# Gradients against finite differences


def assert_gradients_match(function, *sources):
    """Compare every gradient in float64 with central differences, from a random start."""
    inputs = [variable(source, dtype="float64") for source in sources]
    with autograd.record():
        y = function(*inputs)
    start = np.random.default_rng(0).normal(size=y.shape)
    y.backward(nd.array(start, dtype="float64"))

    def value():
        return (function(*inputs).asnumpy() * start).sum()

    for x in inputs:
        assert x.grad.dtype is np.float64
        flat, slopes = x.reshape((-1,)), []
        for index in range(x.size):
            middle, sides = flat[index].asscalar(), []
            for step in (1e-6, -1e-6):
                flat[index] = middle + step
                sides.append(value())
            flat[index] = middle
            slopes.append((sides[0] - sides[1]) / 2e-6)
        np.testing.assert_allclose(x.grad.asnumpy().reshape(-1), slopes, rtol=1e-5, atol=1e-7)


def spread(*shape):
    """Numbers of both signs, away from 0 and from each other."""
    numbers = np.linspace(-1.7, 1.9, int(np.prod(shape)) + 2)[1:-1]
    return np.random.default_rng(1).permutation(numbers).reshape(shape)


A, B, P = spread(2, 3), spread(3, 4), abs(spread(2, 3)) + 0.3
LABELS = nd.array([2, 0])

DIFFERENTIABLE = {
    "tanh": (nd.tanh, A),
    "relu": (nd.relu, A),
    "exp": (nd.exp, A),
    "log": (nd.log, P),
    "sqrt": (nd.sqrt, P),
    "sqrt method": (lambda x: x.sqrt(), P),
    "dot of matrices": (nd.dot, A, B),
    "dot of a matrix and a vector": (nd.dot, A, spread(3)),
    "dot of a vector and a matrix": (nd.dot, spread(3), B),
    "dot of vectors": (nd.dot, spread(3), spread(3) + 1),
    "dot of three axes": (nd.dot, spread(2, 2, 3), spread(3, 2, 2)),
    "numbers on both sides": (lambda x: 2 - 3 / (x * 2 + 5) + 0.5**x - x / 4, A),
    "a number's power": (lambda x: x**3 + (x + 3) ** 0.5, A),
    "minus": (lambda x: -x * x, A),
    "sum": (lambda x: x.sum(), A),
    "sum over an axis": (lambda x: x.sum(axis=0) * x.sum(axis=-1, keepdims=True), A),
    "sum over two axes": (lambda x: x.sum(axis=(0, 2)), spread(2, 3, 2)),
    "mean": (lambda x: x.mean() + x.mean(1, keepdims=True), A),
    "reshape": (lambda x: x.reshape((3, -1)) * x.reshape(3, 2), A),
    "transpose": (lambda x: x.T * x.reshape((3, 2)), A),
    "copy": (lambda x: x.copy() * x.as_in_context(mx.cpu(1)) * nd.array(x), A),
    "concat": (lambda x, y: nd.concat(x, x * y, y, dim=0), A, P),
    "concat along the last axis": (lambda x, y: nd.concat(x, y, dim=-1) ** 2, A, P),
    "stack": (lambda x, y: nd.stack(x, y, x, axis=1) ** 2, A, P),
    "rows": (lambda x: sum(row * row * (k + 1) for k, row in enumerate(x)), A),
    "parts": (lambda x: x[1] * x[0, 2] + x[:, 1].sum() * x[-1, ::2].sum() + x[0:1].sum(), A),
    "loss": (lambda x: softmax_loss(x, LABELS), 3 * A),
    "loss of three axes": (
        lambda x: softmax_loss(x, nd.array([[0, 1], [2, 9]])),
        3 * spread(2, 2, 3),
    ),
    "one variable many times": (lambda x, y: nd.dot(nd.tanh(nd.dot(x, y)), y) + x, A, spread(3, 3)),
}


@pytest.mark.parametrize(("function", "sources"), [(f, s) for f, *s in DIFFERENTIABLE.values()],
                         ids=DIFFERENTIABLE)  # fmt: skip
def test_gradient_is_that_of_finite_differences(function, sources):
    assert_gradients_match(function, *sources)


@settings(max_examples=40, deadline=None)
@given(
    shapes=mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=3, max_side=3),
    name=st.sampled_from(["add", "sub", "mul", "truediv", "pow"]),
)
def test_gradients_are_summed_over_broadcast_axes(shapes, name):
    x, y = (abs(spread(*shape)) + 0.5 for shape in shapes.input_shapes)
    assert_gradients_match(getattr(operator, name), x, y)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
def test_arithmetic_takes_arrays_and_numbers_on_both_sides(name):
    function = getattr(operator, name)
    x, y, row = (abs(spread(*shape)).astype(np.float32) for shape in [(2, 3), (2, 3), (3,)])
    for left, right in [(x, y), (x, row), (row, x), (x, 3), (3, x), (x, 0.5), (0.5, x)]:
        wrapped = [nd.array(v) if isinstance(v, np.ndarray) else v for v in (left, right)]
        assert_is(function(*wrapped), function(left, right))


def test_recurrent_network_in_float64_matches_mxnet():
    def waves(*shape):
        return nd.array(np.sin(np.arange(np.prod(shape))).reshape(shape), dtype="float64")

    params = W_xh, W_hh, b_h, W_hq, b_q = waves(5, 3), waves(3, 3), waves(3), waves(3, 5), waves(5)
    for param in params:
        param.attach_grad()
    X, Y = nd.array([[0, 3, 1, 4], [2, 2, 0, 1]]), nd.array([[3, 1, 4, 0], [2, 0, 1, 3]])
    H, outputs = nd.zeros((2, 3), dtype="float64"), []
    with autograd.record():
        for x in X.T:
            H = nd.tanh(nd.dot(nd.one_hot(x, 5, dtype="float64"), W_xh) + nd.dot(H, W_hh) + b_h)
            outputs.append(nd.dot(H, W_hq) + b_q)
        l = softmax_loss(nd.concat(*outputs, dim=0), Y.T.reshape((-1,))).mean()
    l.backward()
    assert l.asscalar() == pytest.approx(2.2688063698554504, rel=1e-14)
    projections = [(param.grad * waves(*param.shape)).sum().asscalar() for param in params]
    assert projections == pytest.approx(
        [0.48348441393942876, 0.014363744527439798, -0.1577018154191251, 0.8693029386703797,
         0.05268494060256307], rel=1e-12)  # fmt: skip


# The tape


def test_backward_of_many_elements_starts_from_ones():
    x = variable([[1, 2], [3, 4]])
    with autograd.record():
        y = x * x
    y.backward()
    assert_is(x.grad, [[2, 4], [6, 8]])


@pytest.mark.parametrize(("grad_req", "expected"), [("write", [4, 6]), ("add", [12, 18])])
def test_grad_req_says_whether_gradients_are_replaced_or_added(grad_req, expected):
    x, idle = variable([2, 3], grad_req), variable([1])
    held = x.grad
    idle.grad[:] = 7
    for _ in range(3):
        with autograd.record():
            y = x * x
        y.backward()
    assert_is(held, expected)  # the same array is written, so what was taken earlier sees it
    assert_is(idle.grad, [7])  # a variable outside the graph is left alone


def test_grad_req_null_leaves_an_array_out():
    x, w = variable([2, 3], "null"), variable([5, 7])
    with autograd.record():
        y = x * w
    y.backward()
    assert_is(w.grad, [2, 3])
    assert x.grad is None
    with pytest.raises(KeyError, match="write, add, null"):
        x.attach_grad("foo")


def test_second_backward_raises_unless_the_graph_was_retained():
    x = variable([2])
    with autograd.record():
        y = x * x
        z = y * 3
    z.backward(retain_graph=True)
    assert_is(x.grad, [12])
    z.backward()
    assert_is(x.grad, [12])
    with pytest.raises(mx.MXNetError, match="retain_graph=True"):
        z.backward()
    with pytest.raises(mx.MXNetError, match="retain_graph=True"):
        y.backward()
    with autograd.record():
        later = y * x  # y is a constant by now: this is why a state need not be detached
    later.backward()
    assert_is(x.grad, [4])


def test_backward_frees_what_only_the_gradients_needed():
    x = variable([[2]])
    with autograd.record():
        hidden = nd.tanh(x)
        y = nd.dot(hidden, hidden)
    watched = weakref.ref(hidden.values)
    del hidden
    assert watched() is not None
    y.backward()
    assert watched() is None


def test_no_gradient_is_computed_for_a_constant_factor():
    W, one_hot = variable(np.ones((3, 2))), nd.one_hot(nd.array([0, 2]), 3)
    with autograd.record():
        y = nd.dot(one_hot, W)
        unrelated = one_hot * 2
    assert [node for node, _ in y.node.edges] == [W.node]
    assert unrelated.node is None


def test_detach_gives_a_new_array_that_shares_elements_but_no_gradient():
    x = variable([2, 3])
    with autograd.record():
        y = x * x
        z = y.detach() * x
    z.backward()
    assert_is(x.grad, [4, 9])
    x.detach()[:] = 5  # and detaching changes nothing in x itself
    assert_is(x, [5, 5])
    assert x.grad is not None
    assert x.detach().grad is None


def test_several_heads_add_up_and_may_have_gradients_of_their_own():
    x = variable([1, 2])
    with autograd.record():
        y = x * 2
        z = y * y
    autograd.backward([y, z], [None, nd.array([1, 10])])
    assert_is(x.grad, [2 + 8, 2 + 160])


def test_zero_gradients_are_written_too():
    x = variable([[1, 3, 2]])
    for function in (lambda x: x.argmax(axis=1), lambda x: nd.one_hot(x, 4), lambda x: x > 2):
        x.grad[:] = 5
        with autograd.record():
            y = function(x)
        y.backward()
        assert_is(x.grad, [[0, 0, 0]])


def test_attach_grad_cuts_what_came_before():
    x = variable([2, 3])
    with autograd.record():
        y = x * x
        y.attach_grad()
        z = y * x
    z.backward()
    assert_is(x.grad, [4, 9])
    assert_is(y.grad, [2, 3])


def test_recording_is_scoped_to_the_block_and_the_thread():
    seen = []
    with autograd.record():
        assert autograd.is_recording()
        with autograd.pause():
            assert not autograd.is_recording()
        assert autograd.is_recording()
        other = threading.Thread(target=lambda: seen.append(autograd.is_recording()))
        other.start()
        other.join()
    assert seen == [False]
    with pytest.raises(ZeroDivisionError), autograd.record():
        raise ZeroDivisionError
    assert not autograd.is_recording()


IN_PLACE = {
    "+=": lambda x, y: x.__iadd__(1),
    "-=": lambda x, y: x.__isub__(1),
    "*=": lambda x, y: y.__imul__(2),
    "/=": lambda x, y: y.__itruediv__(2),
    "[:]=": lambda x, y: x.__setitem__(slice(None), 1),
    "[0]=": lambda x, y: y.__setitem__(0, 1),
    "constant += recorded": lambda x, y: nd.ones(2).__iadd__(y),
    "constant[0:1] = recorded": lambda x, y: nd.ones(2).__setitem__(slice(0, 1), y[0:1]),
    "a recorded view": lambda x, y: x[0:1].__setitem__(slice(None), 7),
}


@pytest.mark.parametrize("write", IN_PLACE.values(), ids=IN_PLACE)
def test_writing_in_place_while_recording_raises(write):
    x = variable([2, 3])
    with autograd.record():
        y = x * x
        constant = nd.ones(2)
        constant += 1  # off the tape, it is allowed
        x.grad[:] = 5
        with pytest.raises(mx.MXNetError, match="in place"):
            write(x, y)
        with autograd.pause():
            write(x, y)
    assert_is(constant, [2, 2])


def test_writing_in_place_outside_keeps_the_gradient_and_rebinding_loses_it():
    p = variable([2, 3])
    alias, gradient = p, p.grad
    p[:] = p - 1
    p -= 1
    p *= 10
    p /= 5
    p += nd.array([1])
    assert_is(alias, [1, 3])
    assert p.grad is gradient  # in MXNet another object, of the same memory
    gradient[:] *= 3
    p.grad[:] = [4, 8]
    p.grad[:] *= 0.5
    assert_is(gradient, [2, 4])
    p = p - 1
    assert p.grad is None


# Arrays


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


# The loss


def test_loss_takes_logits_and_gives_one_number_an_example():
    pred = nd.array([[1, 2, 3], [0, 0, 5]])
    assert_is(softmax_loss(pred, nd.array([0, 2])), [2.407606, 0.01338598])
    assert_is(softmax_loss(pred, nd.array([[0], [2]])), [2.407606, 0.01338598])
    deeper = nd.arange(12).reshape((2, 2, 3))
    assert_is(softmax_loss(deeper, nd.array([[0, 1], [2, 2]])), [1.907606, 0.407606])
    assert_is(softmax_loss(nd.arange(3), nd.array([1])), [1.407606])


def test_loss_clips_labels_into_range_and_truncates_them():
    pred = nd.array([[1, 2, 3]] * 6)
    label = nd.array([-1, 7, 0.9, 1.9, float("nan"), 1e6])
    expected = softmax_loss(pred, nd.array([0, 2, 0, 1, 0, 2]))
    assert_is(softmax_loss(pred, label), expected.asnumpy())


def test_loss_is_stable_for_large_logits():
    pred = variable([[1e4, -1e4], [1e30, 1]])
    with autograd.record():
        l = softmax_loss(pred, nd.array([1, 0]))
    l.backward()
    assert_is(l, [2e4, 0])
    assert_is(pred.grad, [[1, -1], [0, 0]])


# Random numbers: each golden number was printed by MXNet 1.9.1

GOLDEN = {
    0: ([2.2122064, 0.7740038, -0.45481315, 0.30639967, 1.4612247],
        [0.0032510806, -0.0077169216, 0.009584059, 0.00038625664],
        [0.7434597, 2.9361689, 2.5676935],
        [1.7298554979171135, 1.56349781945823, 1.50876668407216],
        [-0.27175638, -0.7002489, -0.19671024, 0.16052121]),
    7: ([0.80283999, -0.83998173, -0.45700565, -0.68418652, -1.1006001],
        [0.0084158583, 0.01102459, 0.0092083588, 0.011782112],
        [2.971982, -0.052066922, -0.33806461],
        [0.5553859444022418, 0.6666509382488492, 1.8793634667244046],
        [0.80580318, 1.288245, -0.13751045, 0.61682045]),
    -3: ([-1.3351394, 1.1913199, -0.04816252, 0.079589806, -0.69296724],
         [0.010312309, 0.013481293, 0.0055450629, -0.0033271599],
         [1.3756418, 0.41687024, 0.69719803],
         [2.646665460506066, 1.7989626328128194, 1.1474383842839635],
         [-0.29198486, 0.08132346, -1.335059, 0.2283794]),
}  # fmt: skip


@pytest.mark.parametrize("seed", GOLDEN)
def test_random_numbers_are_those_of_mxnet(seed):
    """Later calls prove that earlier ones used up exactly the words that MXNet used."""
    mx.random.seed(seed)
    drawn = [
        nd.random.normal(shape=(100,)).asnumpy()[[0, 1, 49, 50, 99]],
        nd.random.normal(scale=0.01, shape=(256, 256)).asnumpy().reshape(-1)[[0, 63, 64, 65535]],
        nd.random.uniform(-1, 3, shape=(3,)).asnumpy(),
        nd.random.normal(1.3, 0.7, shape=(3,), dtype="float64").asnumpy(),
        nd.random.normal(shape=(1000,)).asnumpy()[[0, 62, 63, -1]],
    ]
    for numbers, golden in zip(drawn, GOLDEN[seed], strict=True):
        digits = 1e-7 if numbers.dtype == np.float32 else 1e-15
        np.testing.assert_allclose(numbers, golden, rtol=digits)


def test_book_draws_these_first_weights():
    mx.random.seed(0)
    weights = nd.random.normal(scale=0.01, shape=(3,))
    assert repr(weights).startswith("\n[0.02212206 0.00774004 0.0104344 ]")


# Errors: one line each, of MXNet's class

ERRORS = {
    "two dtypes": (lambda: nd.ones(2) + nd.ones(2, dtype="float64"), mx.MXNetError, "astype"),
    "two dtypes in place": (
        lambda: nd.ones(2).__iadd__(nd.ones(2, dtype="int32")), mx.MXNetError, "astype"),
    "shapes": (lambda: nd.ones((2, 3)) + nd.ones(2), mx.MXNetError, "reshape"),
    "shapes compared": (lambda: nd.ones((2, 3)) == nd.ones(2), mx.MXNetError, "reshape"),
    "growing": (lambda: nd.ones(1).__iadd__(nd.ones(2)), mx.MXNetError, "does not fit"),
    "a NumPy array": (lambda: nd.ones(2) + np.ones(2), TypeError, "not supported"),
    "a NumPy array first": (lambda: np.ones(2) * nd.ones(2), TypeError, "not supported"),
    "comparing with None": (lambda: nd.ones(2) == None, TypeError, "not supported"),  # noqa: E711
    "becoming NumPy": (lambda: np.asarray(nd.ones(2)), TypeError, "asnumpy"),  # MXNet: garbage
    "tanh of a number": (lambda: nd.tanh(1.0), AssertionError, "tanh takes NDArrays"),
    "one_hot of a list": (lambda: nd.one_hot([0, 2], 3), AssertionError, "nd.array"),
    "one_hot depth": (lambda: nd.one_hot(nd.ones(1), 3.0), mx.MXNetError, "positive integers"),
    "dot shapes": (lambda: nd.dot(matrix(), matrix()), mx.MXNetError, r"\(2, 3\) and \(2, 3\)"),
    "dot dtypes": (
        lambda: nd.dot(nd.ones(2), nd.ones(2, dtype="float64")), mx.MXNetError, "float64"),
    "dot of integers": (lambda: nd.dot(*[nd.ones(2, dtype="int32")] * 2), mx.MXNetError, "float32"),
    "concat of a list": (lambda: nd.concat([nd.ones(2)], dim=0), AssertionError, "NDArrays"),
    "concat of nothing": (lambda: nd.concat(dim=0), mx.MXNetError, "concatenate"),
    "concat axis": (lambda: nd.concat(matrix(), matrix(), dim=2), mx.MXNetError, "axis 2"),
    "concat shapes": (lambda: nd.concat(nd.ones((2, 3)), nd.ones((1, 3))), mx.MXNetError, "axis 1"),
    "reduction axis": (lambda: matrix().sum(axis=2), mx.MXNetError, "axis 2"),
    "reshape": (lambda: matrix().reshape((4, 2)), mx.MXNetError, r"does not become \(4, 2\)"),
    "reshape code": (lambda: matrix().reshape(-2), mx.MXNetError, "0 or -1"),  # MXNet: a code
    "scalar of many": (lambda: matrix().asscalar(), ValueError, "not a scalar"),
    "truth of many": (lambda: bool(matrix()), ValueError, "truth value"),
    "row outside": (lambda: matrix()[2], IndexError, "out of bounds"),
    "index type": (lambda: matrix()[1.0], ValueError, "integers, slices"),
    "assigned shape": (lambda: matrix().__setitem__(slice(None), nd.ones(2)), ValueError, "shape"),
    "assigned text": (lambda: matrix().__setitem__(0, "x"), TypeError, "numbers"),
    "text": (lambda: nd.array("x"), TypeError, "array like"),
    "an uneven nest": (lambda: nd.array([[1, 2], [3]]), TypeError, "evenly nested"),
    "arrays in a list": (lambda: nd.array([nd.ones(1)]), TypeError, "array like"),
    "empty shape": (lambda: nd.zeros(()), mx.MXNetError, "positive"),
    "empty axis": (lambda: nd.ones((2, 0)), mx.MXNetError, "positive"),
    "empty range": (lambda: nd.arange(0), mx.MXNetError, "widen"),
    "no such type": (lambda: nd.zeros(2, dtype="foo"), TypeError, "foo"),
    "unsupported type": (lambda: nd.zeros(2, dtype="complex64"), mx.MXNetError, "choose one of"),
    "no axis": (lambda: nd.array(3) + 1, mx.MXNetError, r"reshape it to \(1,\)"),
    "scale": (lambda: nd.random.normal(scale=0), mx.MXNetError, "positive"),
    "bounds": (lambda: nd.random.uniform(1, 0), mx.MXNetError, "exceed"),
    "random integers": (lambda: nd.random.normal(dtype="int32"), mx.MXNetError, "float64"),
    "seed": (lambda: mx.random.seed(1.5), ValueError, "integer"),
    "labels": (lambda: softmax_loss(matrix(), nd.ones(3)), mx.MXNetError, r"expected \(2,\)"),
    "labels on their side": (
        lambda: softmax_loss(matrix(), nd.ones((1, 2))), mx.MXNetError, "labels"),
    "logits": (
        lambda: softmax_loss(matrix().astype("int32"), nd.ones(2)), mx.MXNetError, "float32"),
    "no graph": (lambda: nd.ones(1).backward(), mx.MXNetError, "record"),
    "no record": (lambda: (variable([1]) * 2).backward(), mx.MXNetError, "record"),
    "head gradients": (
        lambda: autograd.backward([variable([1])], [None, None]), AssertionError, "one each"),
    "head gradient": (lambda: variable([1, 2]).backward(nd.ones(1)), mx.MXNetError, "alike"),
    "zeros on a GPU": (lambda: nd.zeros(1, ctx=mx.gpu()), mx.MXNetError, "mx.cpu"),
    "array on a GPU": (lambda: nd.array([1], ctx=mx.gpu(0)), mx.MXNetError, "mx.cpu"),
    "random on a GPU": (lambda: nd.random.normal(ctx=mx.gpu(1)), mx.MXNetError, r"gpu\(1\)"),
    "moving to a GPU": (lambda: nd.ones(1).as_in_context(mx.gpu()), mx.MXNetError, "mx.cpu"),
    "no context": (lambda: nd.zeros(1, ctx="cpu"), mx.MXNetError, "mx.cpu"),
}  # fmt: skip


@pytest.mark.parametrize(("action", "error", "message"), ERRORS.values(), ids=ERRORS)
def test_error_says_in_one_line_what_was_wrong(action, error, message):
    with pytest.raises(error, match=message) as caught:
        action()
    assert "\n" not in str(caught.value)


def test_contexts_are_compared_by_value_and_no_gpu_is_there():
    assert mx.cpu() == mx.cpu(0) == mx.Context("cpu", 0) != mx.cpu(1)
    assert nd.zeros(1, ctx=mx.cpu(3)).context == mx.cpu(3)
    assert (nd.arange(3, ctx=mx.cpu(1)) + 1).ctx == mx.cpu(1)
    assert mx.context.num_gpus() == 0
    nd.waitall()
    nd.ones(1).wait_to_read()
