"""What the tests of the embedded engine share: it behaves as Apache MXNet 1.9.1 does.

The numbers and error classes that these tests expect were obtained by running the same lines on
Apache MXNet 1.9.1 (numpy 1.23.5, CPU), so that no MXNet is needed here; `test_engine_against_mxnet`
holds the engine against MXNet itself, and lists where the two differ.
"""

import numpy as np

from backends.mxnet_style.mx import nd
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


def spread(*shape):
    """Numbers of both signs, away from 0 and from each other."""
    numbers = np.linspace(-1.7, 1.9, int(np.prod(shape)) + 2)[1:-1]
    return np.random.default_rng(1).permutation(numbers).reshape(shape)


A, B, P = spread(2, 3), spread(3, 4), abs(spread(2, 3)) + 0.3
