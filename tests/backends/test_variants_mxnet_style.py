"""What the contract suite cannot see of the variants on MXNet's surface, on either engine."""

import numpy as np
import pytest

import backends
from common.experiment import Experiment
from common.floor import Product
from common.weights import draw_weights

TOKENS = np.random.default_rng(0).integers(9, size=(4, 7))
X, Y = TOKENS[:, :-1], TOKENS[:, 1:]
SETTINGS = {"num_hiddens": 8, "batch_size": 4, "num_steps": 6, "lr": 0.5, "clip_theta": 0.1}


@pytest.fixture(params=["mxnet-style", "mxnet"])
def built(request, only):
    """Builds a model of a variant on an engine."""
    only(request.param)
    module = backends.load(request.param)

    def build(variant, scale=1.0, **settings):
        weights = {n: w * scale for n, w in draw_weights(9, 8, sigma=0.5).items()}
        return module.build(Experiment(**SETTINGS | settings), variant, weights)

    return build


def test_the_extra_bias_stays_zero(built):
    model = built("concise")
    state = model.begin_state(4)
    for _ in range(3):
        _, state = model.train_step(X, Y, state)
    layer = model.net.rnn
    assert not layer.l0_h2h_bias.data().asnumpy().any()
    assert layer.l0_i2h_bias.data().asnumpy().all()


@pytest.mark.parametrize("variant", ["scratch", "fused", "concise", "object", "book"])
@pytest.mark.parametrize("weight", ["W_xh", "W_hq"])
def test_a_diverged_network_looks_diverged(built, variant, weight):
    model = built(variant)
    model.load_weights(model.weights() | {weight: np.full_like(model.weights()[weight], np.nan)})
    loss, _ = model.train_step(X, Y, model.begin_state(4))
    assert np.isnan(float(loss))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_logits_have_a_loss(built, dtype):
    """Logits of some hundreds: their exponentials are no float32."""
    fused, scratch = (built(variant, scale=200.0, dtype=dtype) for variant in ("fused", "scratch"))
    found, grads, _ = fused.loss_and_grads(X, Y, fused.begin_state(4))
    expected, expected_grads, _ = scratch.loss_and_grads(X, Y, scratch.begin_state(4))
    assert expected > 100
    assert found == pytest.approx(expected, rel=1e-5)
    for name, grad in expected_grads.items():
        np.testing.assert_allclose(grads[name], grad, rtol=1e-4, atol=1e-6, err_msg=name)


def test_narrow_sums_and_many_tokens_are_added_up(only):
    only("mxnet-style")
    backends.load("mxnet-style")
    from backends.mxnet_style import fused

    rng = np.random.default_rng(0)
    for rows in (1, 511, 512, 1500):
        A, B, found = (
            rng.standard_normal((rows, 5)),
            rng.standard_normal((rows, 3)),
            np.ones((5, 3)),
        )
        fused.sum_of_products(A, B, out=found)
        np.testing.assert_allclose(found, A.T @ B, rtol=1e-10, atol=1e-12)
    for num_tokens, one_hot in ((7, np.empty((7, rows))), (1027, None)):
        tokens, expected = rng.integers(num_tokens, size=rows), np.zeros((num_tokens, 3))
        np.add.at(expected, tokens, B)
        found = np.ones_like(expected)
        fused.scatter_add(tokens, B, found, one_hot)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_every_way_multiplies(only):
    only("mxnet-style")
    backends.load("mxnet-style")
    from backends.mxnet_style import products

    ways = products.ways(Product("a", count=3, m=4, k=5, n=6), "cpu")
    assert set(ways) == set(products.LAYOUTS)
    for call in ways.values():
        call()
        left, right, results = call.args
        np.testing.assert_allclose(results, left @ right, rtol=1e-5, atol=1e-6)
