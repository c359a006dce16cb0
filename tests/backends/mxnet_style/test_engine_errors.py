"""The embedded engine's errors: one line each, of MXNet's class."""

import numpy as np
import pytest

from backends.mxnet_style import mx
from backends.mxnet_style.mx import autograd, gluon, nd
from tests.backends.mxnet_style.checking import matrix, softmax_loss, variable


def recurrent(data=None, state=None, mode="rnn_tanh", num_layers=1):
    data = nd.ones((3, 2, 3)) if data is None else data
    state = nd.ones((1, 2, 2)) if state is None else state
    return nd.RNN(data, nd.ones(14), state, state_size=2, num_layers=num_layers, mode=mode)


class Same(autograd.Function):
    def forward(self, x):
        return x * 1

    def backward(self, dy):
        return dy, dy


def same():
    x = variable([1])
    with autograd.record():
        return Same()(x)


def dense():
    layer = gluon.nn.Dense(2)
    layer.initialize()
    return layer


def frozen():
    bias = dense().bias
    bias.grad_req = "null"
    return bias


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
    "swapaxes axis": (lambda: nd.swapaxes(matrix(), 0, 2), mx.MXNetError, r"of \(2, 3\)"),
    "take by a list": (lambda: nd.take(matrix(), [0]), AssertionError, "take takes NDArrays"),
    "randn of no shape": (lambda: nd.random.randn(), mx.MXNetError, "at least one axis"),
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
    "memory in parts": (
        lambda: nd.from_numpy(np.ones((2, 3))[:, :2]), ValueError, r"use nd.array\(\)"),
    "memory of another type": (
        lambda: nd.from_numpy(np.ones(1, "complex64")), mx.MXNetError, "choose one of"),
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
    "RNN mode": (lambda: recurrent(mode="lstm"), mx.MXNetError, "rnn_relu, rnn_tanh"),
    "RNN layers": (lambda: recurrent(num_layers=2), mx.MXNetError, "2 layers"),
    "RNN data": (lambda: recurrent(data=nd.ones((2, 3))), mx.MXNetError, "steps, batch, inputs"),
    "RNN state": (
        lambda: recurrent(state=nd.ones((1, 1, 2))), mx.MXNetError, r"expected \(14,\) and \(1, 2"),
    "FullyConnected weight": (
        lambda: nd.FullyConnected(matrix(), nd.ones((4, 2)), no_bias=True, num_hidden=4),
        mx.MXNetError, r"expected \[\(4, 3\)\]"),
    "Function called twice": (
        lambda: (lambda f: f(f(nd.ones(1))))(Same()), AssertionError, "called once"),
    "Function of a number": (lambda: Same()(1.0), AssertionError, "Same takes NDArrays"),
    "Function, wrong gradients": (lambda: same().backward(), mx.MXNetError, "give 1 NDArrays"),
    "layer's activation": (lambda: gluon.rnn.RNN(2, activation="elu"), KeyError, "relu or tanh"),
    "layer's state": (
        lambda: gluon.rnn.RNN(2)(nd.ones((3, 2, 3)), nd.ones((2, 2))), ValueError, "expected"),
    "layer not initialized": (
        lambda: gluon.nn.Dense(2)(matrix()), RuntimeError, r"call initialize\(\)"),
    "parameter waiting": (lambda: dense().weight.data(), mx.MXNetError, "call its layer"),
    "parameter's shape": (
        lambda: dense().bias.set_data(nd.ones(3)), AssertionError, r"expected \(2,\)"),
    "parameter's grad_req": (
        lambda: setattr(dense().bias, "grad_req", "foo"), AssertionError, "write, add, null"),
    "frozen parameter": (lambda: frozen().grad(), RuntimeError, "'null'"),
    "optimizer": (lambda: gluon.Trainer([], "adam"), ValueError, "plain 'sgd' alone"),
    "momentum": (lambda: gluon.Trainer([], "sgd", {"momentum": 0.9}), ValueError, "alone"),
    "trained arrays": (
        lambda: gluon.Trainer([nd.ones(1)], "sgd"), ValueError, r"collect_params\(\)"),
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
