"""Chapter 9's classes in Flax: the network of the recipe, explicit keys, compiled steps."""

import numpy as np
import pytest

import backends
from common.d2l.data import Vocab
from common.inputs import first_weights, load_batches
from common.training import train
from common.weights import draw_weights
from harness.recipes import experiment_of
from rnn_rosetta_suite.haste import in_haste


@pytest.fixture
def d2l(only):
    only("jax")
    with in_haste("jax"):
        yield backends.section("jax", "d2l")


@pytest.fixture
def rngs(d2l):
    from flax import nnx

    return nnx.Rngs(0)


def five(model):
    """The parameters in canonical order, whichever of the two networks it is."""
    if hasattr(model, "W_hq"):
        return [model.rnn.W_xh, model.rnn.W_hh, model.rnn.b_h, model.W_hq, model.b_q]
    cell, linear = model.rnn.rnn.cell, model.linear
    return [cell.dense_i.kernel, cell.dense_h.kernel, cell.dense_i.bias, linear.kernel, linear.bias]


def load(model, weights, dtype):
    import jax.numpy as jnp

    for param, value in zip(five(model), weights.values(), strict=True):
        param.set_value(jnp.array(value, dtype))


def perplexities(trainer):
    return [(row["train_ppl"], row["val_ppl"]) for row in trainer.history]


@pytest.mark.parametrize(
    ("dtype", "tolerance", "changed"),
    [
        ("float32", 1e-5, {"num_epochs": 2}),
        ("float64", 1e-9, {"num_epochs": 2}),
        ("float64", 1e-9, {"num_epochs": 1, "clip_theta": 0.001}),
    ],
)
def test_the_trainer_and_the_recipe_are_one_network(d2l, rngs, dtype, tolerance, changed):
    """Ten epochs of 32 steps end within 1.5e-7 of the recipe's, at 15.132821 and 13.996993."""
    import jax

    few = {"dtype": dtype, "device": "cpu", "num_steps": 4}
    experiment = experiment_of("chapter-9", few | changed)
    with jax.enable_x64(dtype == "float64"):
        loader, vocab = load_batches(experiment)
        weights = first_weights(experiment, len(vocab))
        contract = backends.load("jax").build(experiment, "scratch", weights)
        expected = list(train(contract, loader, experiment))

        data = d2l.TimeMachine(experiment.batch_size, experiment.num_steps)
        assert data.vocab.idx_to_token == vocab.idx_to_token
        rnn = d2l.RNNScratch(len(vocab), experiment.num_hiddens, rngs)
        model = d2l.RNNLMScratch(rnn, len(vocab), rngs, lr=experiment.lr)
        load(model, weights, dtype)
        trainer = d2l.Trainer(experiment.num_epochs, gradient_clip_val=experiment.clip_theta)
        trainer.fit(model, data)
        wanted = [(row.perplexity, row.val_perplexity) for row in expected]
        np.testing.assert_allclose(perplexities(trainer), wanted, rtol=tolerance)
        (_, last) = model.board.curves["val_ppl"][-1]
        assert last == trainer.history[-1]["val_ppl"]
        text = contract.predict("it has", 10, vocab)
        assert model.predict("it has", 10, data.vocab, d2l.try_gpu(99)) == text


def test_the_frameworks_layer_is_that_network_too(d2l, rngs):
    import jax

    with jax.enable_x64(True):
        data = d2l.TimeMachine(64, 8, num_train=256, num_val=64)
        histories = []
        for network, layer in ((d2l.RNNLMScratch, d2l.RNNScratch), (d2l.RNNLM, d2l.RNN)):
            model = network(layer(28, 6, rngs), 28, rngs, lr=1)
            load(model, draw_weights(28, 6, sigma=0.3), "float64")
            trainer = d2l.Trainer(max_epochs=3, gradient_clip_val=0.3)
            trainer.fit(model, data)
            histories.append(perplexities(trainer))
            assert len(model.predict("it has", 5, data.vocab)) == 11
        np.testing.assert_allclose(*histories, rtol=1e-9)


def test_a_key_decides_the_weights_and_sigma_how_large_they_are(d2l):
    from flax import nnx

    one, same, other = (d2l.RNNScratch(50, 60, nnx.Rngs(seed), sigma=0.01) for seed in (1, 1, 2))
    assert (one.W_xh == same.W_xh).all()
    assert not (one.W_xh == other.W_xh).any()
    assert float(one.W_hh.std()) == pytest.approx(0.01, rel=0.1)
    model = d2l.RNNLMScratch(one, 50, nnx.Rngs(0))
    assert float(model.W_hq.std()) == pytest.approx(0.01, rel=0.1)
    he_normal = d2l.RNNScratch(50, 60, nnx.Rngs(1))
    assert float(he_normal.W_hh.std()) == pytest.approx((2 / 60) ** 0.5, rel=0.1)
    assert one.hparams == {"num_inputs": 50, "num_hiddens": 60, "sigma": 0.01}


def test_a_step_by_hand_plots_at_once(d2l, rngs):
    data = d2l.TimeMachine(4, 5, num_train=8, num_val=4)
    model = d2l.RNNLMScratch(d2l.RNNScratch(28, 6, rngs), 28, rngs, lr=1)
    trainer = d2l.Trainer(max_epochs=1)
    trainer.fit(model, data)
    before = len(model.board.curves["train_ppl"])
    for batch in data.train_dataloader():
        loss = model.training_step(batch)
    assert float(loss) > 0
    assert len(model.board.curves["train_ppl"]) > before


def test_windows_can_be_fewer(d2l):
    data = d2l.TimeMachine(4, 5, num_train=10, num_val=3)
    assert [len(X) for X, _ in data.train_dataloader()] == [4, 4, 2]
    ((X, Y),) = data.val_dataloader()
    assert X.tolist() == data.X[10:13].tolist()
    assert Y[:, :-1].tolist() == X[:, 1:].tolist()
    assert X.dtype == d2l.arange(1).dtype == d2l.zeros(1, d2l.int64).dtype


def test_a_classifier_plots_loss_and_accuracy(d2l, rngs):
    import jax.numpy as jnp
    from flax import nnx

    class Data(d2l.DataModule):
        batch_size = 3

        def get_dataloader(self, train):
            return self.get_tensorloader([jnp.tile(jnp.eye(4), (2, 1)), jnp.arange(8) % 4], train)

    class Softmax(d2l.Classifier):
        lr = 1.0

        def __init__(self):
            super().__init__()
            self.net = nnx.Linear(4, 4, rngs=rngs)

    trainer = d2l.Trainer(max_epochs=20)
    trainer.fit(Softmax(), Data())
    assert trainer.history[-1]["val_acc"] == 1
    assert trainer.history[-1]["val_loss"] < trainer.history[0]["train_loss"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda d2l, r: d2l.RNNScratch(0, 4, r), "num_inputs is 0: a whole number, 1 at least"),
        (
            lambda d2l, r: d2l.RNNScratch(3, 4, r)(d2l.ones((2, 3))),
            r"inputs have the shape \(2, 3\)",
        ),
        (
            lambda d2l, r: d2l.RNNScratch(3, 4, r)(d2l.ones((2, 5, 3)), d2l.zeros((2, 4))),
            r"the state has the shape \(2, 4\).*\(5, 4\)",
        ),
        (
            lambda d2l, r: d2l.RNNLMScratch(d2l.RNNScratch(3, 4, r), 5, r)(d2l.tensor([[0, 1]])),
            r"inputs have the shape \(2, 1, 5\): this layer takes",
        ),
        (
            lambda d2l, r: d2l.RNNLMScratch(d2l.RNNScratch(3, 4, r), 3, r).predict(
                "x", 1, Vocab("ab")
            ),
            "'x' holds what this corpus never shows",
        ),
    ],
)
def test_what_cannot_be_right_is_said_in_one_line(d2l, rngs, call, said):
    with pytest.raises(ValueError, match=said) as failed:
        call(d2l, rngs)
    assert "\n" not in str(failed.value)
