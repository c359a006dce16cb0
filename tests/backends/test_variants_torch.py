"""What the contract cannot see of PyTorch's variants."""

import math

import numpy as np
import pytest

import backends
from common.experiment import Experiment
from common.floor import Product
from common.parity import over_tolerance
from common.parity_grid import cases, check
from common.variants import unsupported
from common.weights import draw_weights

SETTINGS = Experiment(num_hiddens=8, batch_size=3, num_steps=4, clip_theta=0)
X, Y = np.random.default_rng(0).integers(0, 5, (2, 3, 4), np.uint8)


@pytest.fixture(autouse=True)
def torch(only):
    only("torch")
    return pytest.importorskip("torch")


def build(variant, weights):
    return backends.load("torch").build(SETTINGS, variant, weights)


VARIANTS = ["scratch", "fused", "concise", "object", "book"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_network_of_nans_has_a_loss_of_nan(variant):
    model = build(variant, {n: w * np.nan for n, w in draw_weights(5, 8).items()})
    loss, _ = model.train_step(X, Y, model.begin_state(3))
    assert math.isnan(float(loss))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_likelihood_that_underflows_has_its_loss(variant):
    b_q = np.array([0.0, 500, 0, 0, 0])
    model = build(variant, draw_weights(5, 8) | {"b_q": b_q})
    loss, _ = model.train_step(X, Y, model.begin_state(3))
    assert float(loss) == pytest.approx(500 * np.mean(Y != 1), rel=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_logits_that_are_all_low_have_their_loss(variant):
    model = build(variant, draw_weights(5, 8) | {"b_q": np.full(5, -500.0)})
    loss, _ = model.train_step(X, Y, model.begin_state(3))
    assert float(loss) == pytest.approx(math.log(5), rel=1e-3)


def test_the_second_bias_stays_zero_and_out_of_the_update(torch):
    model = build("concise", draw_weights(5, 8))
    before = model.weights()["b_h"]
    model.train_step(X, Y, model.begin_state(3))
    assert not model.net.rnn.bias_hh_l0.any()
    assert (model.weights()["b_h"] != before).all()


def test_fused_leaves_no_graph():
    model = build("fused", draw_weights(5, 8))
    loss, (H,) = model.train_step(X, Y, model.begin_state(3))
    assert not any(tensor.requires_grad for tensor in (loss, H, *model.net.params))


@pytest.mark.parametrize("slow_mkl", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_equals_the_reference_whichever_library_multiplies(
    torch, monkeypatch, dtype, slow_mkl
):
    """Of the grid no product is large; in float64 oneDNN must not be asked even of those."""
    backend = backends.load("torch")
    for name, value in {"LARGE": 0, "WIDE": 0, "SLOW_MKL": slow_mkl}.items():
        monkeypatch.setattr(backend.fused, name, value)
    assert backend.fused.in_onednn(1, torch.zeros(1, 1)) == torch.backends.mkldnn.is_available()
    assert_equal(backend, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_equals_the_reference_where_sums_are_a_product_a_step(monkeypatch, dtype):
    """As they are of large minibatches, of which the grid has none."""
    backend = backends.load("torch")
    monkeypatch.setattr(backend.fused, "MANY", 0)
    assert_equal(backend, dtype)


def assert_equal(backend, dtype):
    """See that `fused` is the reference in every case of the grid that it does."""
    for case in cases(dtype):
        if unsupported(case.experiment, "fused"):
            continue
        errors = check(lambda *given: backend.build(given[0], "fused", given[1]), case, steps=3)
        assert over_tolerance(errors, dtype) == {}, case.name


@pytest.mark.parametrize(("num_hiddens", "threads"), [(8, 1), (800, 2)])
def test_small_networks_write_with_one_thread_and_leave_the_others(
    torch, monkeypatch, num_hiddens, threads
):
    """A matrix of more than a core's cache is for all."""
    experiment = SETTINGS.model_copy(update={"num_hiddens": num_hiddens})
    generate, seen = backends.load("torch").generate, []
    step = generate.Writer.step

    def seeing(*given):
        seen.append(torch.get_num_threads())
        step(*given)

    monkeypatch.setattr(generate.Writer, "step", seeing)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        params = [torch.tensor(w) for w in draw_weights(5, num_hiddens).values()]
        generate.Writer(params, experiment)(np.array([0, 1]), 2, None)
        assert ({*seen}, torch.get_num_threads()) == ({threads}, 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("way", ["mkl", "onednn_packed", "onednn_plain"])
def test_every_way_multiplies(torch, way):
    from backends.torch import products

    A, W, C = torch.randn(2, 3, 4), torch.randn(4, 5), [torch.empty(3, 5), torch.empty(3, 5)]
    getattr(products, way)(A, W, C)
    torch.testing.assert_close(torch.stack(C), A @ W)


def test_ways_do_a_product_again_and_again_as_often_as_said():
    from backends.torch import products

    product = Product("H W_hh", 3, 4, 8, 6)
    found = products.ways(product, "cpu")
    assert "MKL" in found
    for multiply in found.values():
        assert multiply() is None
        multiply()
        A, W, C = multiply.args
        done = np.stack([each.numpy() for each in C])
        np.testing.assert_allclose(done, A.numpy() @ W.numpy(), rtol=1e-4, atol=1e-5)
        assert 2 * done.size * len(W) == product.flops
