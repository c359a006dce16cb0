"""The embedded engine's layers: their parameters, how they are drawn, and training with them."""

import numpy as np
import pytest

from backends.mxnet_style import mx
from backends.mxnet_style.mx import autograd, gluon, nd
from backends.mxnet_style.mx.gluon import nn, rnn
from tests.backends.mxnet_style.cases_of_layers import concise
from tests.backends.mxnet_style.checking import assert_is, matrix


def test_shapes_are_told_by_the_first_input():
    layer = rnn.RNN(4, prefix="r_")
    assert layer.collect_params()["r_l0_i2h_weight"].shape == (4, 0)
    assert repr(layer) == "RNN(None -> 4, TNC)"
    layer.initialize()
    state = layer.begin_state(batch_size=2)
    outputs, new_state = layer(nd.ones((3, 2, 5)), state)
    assert repr(layer) == "RNN(5 -> 4, TNC)"
    assert (outputs.shape, len(new_state), new_state[0].shape) == ((3, 2, 4), 1, (1, 2, 4))
    assert_is(new_state[0][0], outputs[-1].asnumpy())
    assert [tuple(p.shape) for p in layer.collect_params().values()] == [
        (4, 5), (4, 4), (4,), (4,)]  # fmt: skip
    assert repr(layer.collect_params(".*h2h")) == (
        "r_ (\n  Parameter r_l0_h2h_weight (shape=(4, 4), dtype=float32)\n"
        "  Parameter r_l0_h2h_bias (shape=(4,), dtype=float32)\n)"
    )


def test_parameters_are_drawn_in_the_order_in_which_their_shapes_are_known():
    mx.random.seed(0)
    layer = rnn.RNN(4)
    layer.initialize(mx.init.Normal(0.01))
    layer(nd.ones((1, 1, 2)))
    mx.random.seed(0)
    for drawn in (layer.l0_h2h_weight, layer.l0_i2h_weight):
        assert_is(drawn.data(), nd.random.normal(scale=0.01, shape=drawn.shape).asnumpy())
    assert not layer.l0_i2h_bias.data().asnumpy().any()


def test_initializing_again_needs_force():
    layer = nn.Dense(3, in_units=2)
    layer.initialize(mx.init.Zero())
    layer.initialize(mx.init.Normal(1))
    assert not layer.weight.data().asnumpy().any()
    layer.initialize(mx.init.Normal(1), force_reinit=True)
    assert layer.weight.data().asnumpy().all()


def test_dense_flattens_or_keeps_axes():
    flat, kept = nn.Dense(4), nn.Dense(4, flatten=False, use_bias=False)
    for layer in (flat, kept):
        layer.initialize()
    x = nd.ones((2, 3, 5))
    assert (flat(x).shape, flat.weight.shape) == ((2, 4), (4, 15))
    assert (kept(x).shape, kept.weight.shape) == ((2, 3, 4), (4, 5))


def test_names_tell_layers_apart():
    first, second = nn.Dense(1), nn.Dense(1)
    assert first.weight.name != second.weight.name
    assert first.weight.name.startswith("dense")


def test_a_frozen_parameter_is_not_trained():
    layer = nn.Dense(2)
    layer.bias.grad_req = "null"
    layer.initialize()
    trainer = gluon.Trainer(layer.collect_params(), "sgd", {"learning_rate": 0.5})
    with autograd.record():
        l = layer(matrix()).sum()
    before = layer.weight.data().asnumpy()
    l.backward()
    trainer.step(2)
    assert_is(layer.weight.data(), before - 0.25 * np.array([[3, 5, 7]] * 2))
    assert not layer.bias.data().asnumpy().any()
    layer.bias.grad_req = "write"
    assert layer.bias.grad().shape == (2,)


def test_the_concise_chapter_gives_the_numbers_of_mxnet():
    names, *seen = concise(mx)
    assert names == ["r_l0_i2h_weight", "r_l0_h2h_weight", "r_l0_i2h_bias", "r_l0_h2h_bias",
                     "d_weight", "d_bias"]  # fmt: skip
    assert [l.asscalar() for l in seen[:6:2]] == pytest.approx(
        [2.0567667, 1.583388, 1.5728272], rel=1e-5
    )


def test_the_gradient_of_a_bias_keeps_its_digits_over_many_rows():
    """As of 1,024 sequences of 32 tokens: added row after row in float32, it is off by 4e-4."""
    bias = nd.zeros(3)
    bias.attach_grad()
    with autograd.record():
        outputs = nd.FullyConnected(nd.zeros((40_000, 2)), nd.zeros((3, 2)), bias, num_hidden=3)
    outputs.backward(nd.ones((40_000, 3)) * 0.1)
    np.testing.assert_allclose(bias.grad.asnumpy(), 4_000, rtol=1e-6)
