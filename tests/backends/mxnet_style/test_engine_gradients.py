"""The embedded engine's gradients against finite differences, and its arithmetic."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from backends.mxnet_style import mx
from backends.mxnet_style.mx import autograd, nd
from tests.backends.mxnet_style.checking import A, B, P, assert_is, softmax_loss, spread, variable


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


LABELS = nd.array([2, 0])


def recurrent(mode, use):
    """A head made of all states and of the last one, by a layer of two hidden units."""

    def case(data, parameters, state):
        outputs, last = nd.RNN(
            data, parameters, state, state_size=2, num_layers=1, mode=mode, state_outputs=True
        )
        return use(outputs, last)

    return case, spread(3, 2, 3), spread(14), spread(1, 2, 2)


class Product(autograd.Function):
    """x y and x + y, from NumPy."""

    def forward(self, x, y):
        self.sides = x.asnumpy(), y.asnumpy()
        return nd.array(self.sides[0] * self.sides[1], dtype=x.dtype), x + y

    def backward(self, d_product, d_sum):
        x, y = self.sides
        return [nd.array(d_product.asnumpy() * side, dtype="float64") + d_sum for side in (y, x)]


DIFFERENTIABLE = {
    "tanh": (nd.tanh, A),
    "sin": (nd.sin, A),
    "swapaxes": (lambda x: nd.swapaxes(x, 0, 2), spread(2, 3, 2)),
    "take": (lambda x: nd.take(x, nd.array([[1, 0], [1, 9]])), A),
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
    **{
        f"RNN, {mode}, {name}": recurrent(mode, use)
        for mode in ("rnn_tanh", "rnn_relu")
        for name, use in {
            "outputs": lambda outputs, last: outputs * outputs,
            "last": lambda outputs, last: last * last,
            "both": lambda outputs, last: outputs * last,
        }.items()
    },
    "FullyConnected": (
        lambda x, W, b: nd.FullyConnected(x, W, b, num_hidden=4) ** 2,
        spread(2, 2, 3),
        spread(4, 6),
        spread(4),
    ),
    "FullyConnected, not flat": (
        lambda x, W: nd.FullyConnected(x, W, num_hidden=4, no_bias=True, flatten=False) ** 2,
        spread(2, 2, 3),
        spread(4, 3),
    ),
    "Function": (lambda x, y: (lambda z, s: nd.concat(z, s * s))(*Product()(x * 2, y)), A, P),
    "Function, one output": (lambda x, y: Product()(x, y)[0] * 3, A, P),
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
