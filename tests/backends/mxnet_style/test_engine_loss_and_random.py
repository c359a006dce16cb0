"""The embedded engine's loss and random numbers."""

import numpy as np
import pytest

from backends.mxnet_style import mx
from backends.mxnet_style.mx import autograd, nd
from tests.backends.mxnet_style.checking import assert_is, softmax_loss, variable


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


# Each golden number was printed by MXNet 1.9.1.
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
