"""What the contract suite cannot see of the variants in JAX."""

import numpy as np
import pytest

import backends
from common.experiment import Experiment
from common.floor import Product
from common.weights import NAMES, draw_weights
from rnn_rosetta_suite.haste import in_haste

EXPERIMENT = Experiment(num_hiddens=8, batch_size=5, num_steps=4, dtype="float64")
VARIANTS = ("scratch", "fused", "concise", "object", "book")


@pytest.fixture
def jax_backend(only):
    only("jax")
    return backends.load("jax")


def tokens(batch_size, num_steps=4):
    return np.random.default_rng(0).integers(9, size=(batch_size, num_steps), dtype=np.uint16)


def build(backend, variant, weights, **settings):
    return backend.build(EXPERIMENT.model_copy(update=settings), variant, weights)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_new_shape_counts_as_a_compilation(jax_backend, variant):
    model = build(jax_backend, variant, draw_weights(9, 8))

    def compilations_of_a_step(X):
        before = jax_backend.compilations()
        model.train_step(X, X, model.begin_state(len(X)))
        model.synchronize()
        return jax_backend.compilations() - before

    with in_haste("jax"):
        assert compilations_of_a_step(tokens(5, 2)) > 0
        assert compilations_of_a_step(tokens(5, 2)) == 0
        assert compilations_of_a_step(tokens(5, 3)) > 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_diverged_network_looks_diverged(jax_backend, variant):
    weights = draw_weights(9, 8)
    weights["W_hq"][0, 0] = np.nan
    model = build(jax_backend, variant, weights)
    with in_haste("jax"):
        loss, _ = model.train_step(tokens(5), tokens(5), model.begin_state(5))
    assert np.isnan(float(loss))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_gradients_by_hand_are_those_of_jax(jax_backend, activation):
    import jax
    import optax

    fused = build(jax_backend, "fused", draw_weights(9, 8, sigma=0.5), activation=activation).net
    X, Y = tokens(5)[:, ::-1], tokens(5)
    state = fused.begin_state(5)

    def objective(params):
        logits, _ = jax_backend.fused.apply(params, X, state, fused.activation)
        return optax.softmax_cross_entropy_with_integer_labels(logits, Y.T.reshape(-1)).mean()

    with in_haste("jax"):
        expected = jax.grad(objective)(fused.params)
        _, grads, _ = fused.loss_and_grads(X, Y, state)
    for name, g, e in zip(NAMES, grads, expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-9, atol=1e-12, err_msg=name)


def test_every_way_computes_its_products_each_as_often_as_said(jax_backend, monkeypatch):
    from backends.jax import products

    product, done, multiply = Product("H W_hh", 3, 4, 5, 6), [], products.multiply

    def recorded(lefts, right, results, dot):
        found = np.asarray(multiply(lefts, right, results, dot))
        done.append((np.asarray(lefts), np.asarray(right), found))
        return found

    ways = products.ways(product, "cpu")
    monkeypatch.setattr(products, "multiply", recorded)
    for run in ways.values():
        before = jax_backend.compilations()
        run()
        assert jax_backend.compilations() == before
    (A, W, C), (A_T, W_T, C_T) = done
    for lefts, right, results in ((A, W, C), (A_T.swapaxes(1, 2), W_T.T, C_T.swapaxes(1, 2))):
        np.testing.assert_allclose(results, lefts @ right, rtol=1e-5)
        assert 2 * results.size * len(right) == product.flops
