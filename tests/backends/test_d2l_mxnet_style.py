"""Chapter 9's `d2l` on MXNet's surface, on either engine: the network, and what it is given."""

import numpy as np
import pytest

import backends
from common.d2l.data import Vocab
from common.inputs import first_weights, load_batches
from common.training import train
from common.weights import draw_weights
from harness.recipes import experiment_of


@pytest.fixture(params=["mxnet-style", "mxnet"])
def engine(request, only):
    only(request.param)
    return request.param


@pytest.fixture
def d2l(engine):
    return backends.section(engine, "d2l")


def with_weights(d2l, weights, dtype, lr):
    """The chapter's model of these weights."""
    vocab_size, num_hiddens = weights["W_xh"].shape
    rnn = d2l.RNNScratch(vocab_size, num_hiddens)
    model = d2l.RNNLMScratch(rnn, vocab_size, lr=lr)
    model.cast(dtype)
    for name, value in weights.items():
        getattr(model if name in ("W_hq", "b_q") else rnn, name)[:] = value
    return model


def curve(trainer):
    return [(row["train_ppl"], row["val_ppl"]) for row in trainer.history]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-9)])
@pytest.mark.parametrize("changed", [{"num_epochs": 2}, {"num_epochs": 1, "clip_theta": 0.001}])
def test_the_trainer_and_the_recipe_are_one_network(engine, d2l, dtype, tolerance, changed):
    few = {"dtype": dtype, "device": "cpu", "num_steps": 4}
    experiment = experiment_of("chapter-9", few | changed)
    loader, vocab = load_batches(experiment)
    weights = first_weights(experiment, len(vocab))
    contract = backends.load(engine).build(experiment, "scratch", weights)
    expected = list(train(contract, loader, experiment))

    data = d2l.TimeMachine(experiment.batch_size, experiment.num_steps)
    assert data.vocab.idx_to_token == vocab.idx_to_token
    model = with_weights(d2l, weights, dtype, experiment.lr)
    trainer = d2l.Trainer(experiment.num_epochs, gradient_clip_val=experiment.clip_theta)
    trainer.fit(model, data)
    wanted = [(row.perplexity, row.val_perplexity) for row in expected]
    np.testing.assert_allclose(curve(trainer), wanted, rtol=tolerance)
    (_, last) = model.board.curves["val_ppl"][-1]
    assert last == trainer.history[-1]["val_ppl"]
    text = contract.predict("it has", 10, vocab)
    assert model.predict("it has", 10, data.vocab, d2l.try_gpu(99)) == text


def test_the_layer_of_gluon_is_that_network_too_where_its_second_bias_stays_zero(d2l):
    data = d2l.TimeMachine(64, 8, num_train=256, num_val=64)
    weights = draw_weights(28, 6, sigma=0.3)
    model = with_weights(d2l, weights, "float64", lr=0.9)
    concise = d2l.RNNLM(d2l.RNN(28, 6), 28, lr=0.9)
    concise.cast("float64")
    layer, linear = concise.rnn.rnn, concise.linear
    layer.l0_h2h_bias.grad_req = "null"
    trained = [layer.l0_i2h_weight, layer.l0_h2h_weight, layer.l0_i2h_bias]
    for param, value in zip([*trained, linear.weight, linear.bias], weights.values(), strict=True):
        param.data()[:] = value.T
    curves = []
    for each in (model, concise):
        trainer = d2l.Trainer(max_epochs=3, gradient_clip_val=0.3)
        trainer.fit(each, data)
        curves.append(curve(trainer))
    np.testing.assert_allclose(*curves, rtol=1e-9)
    assert not layer.l0_h2h_bias.data().asnumpy().any()


def test_the_chapters_own_concise_model_trains_both_biases(d2l):
    data = d2l.TimeMachine(64, 8, num_train=128, num_val=64)
    model = d2l.RNNLM(d2l.RNN(28, 6), 28, lr=1)
    trainer = d2l.Trainer(max_epochs=2, gradient_clip_val=1)
    trainer.fit(model, data)
    assert model.rnn.rnn.l0_h2h_bias.data().asnumpy().all()
    assert trainer.history[1]["train_ppl"] < trainer.history[0]["train_ppl"]
    assert len(list(model.parameters())) == 6
    found = model.predict("it has", 5, data.vocab)
    assert len(found.replace("<unk>", "?")) == 11


def test_weights_of_ones_own_and_of_layers_are_trained_together(d2l):
    """The chapter's layer from scratch below Gluon's output layer, whose trainer leaves it out."""
    data = d2l.TimeMachine(64, 8, num_train=64, num_val=64)
    model = d2l.RNNLM(d2l.RNNScratch(28, 6), 28, lr=1)
    model.output_layer = lambda outputs: d2l.RNNLM.output_layer(model, d2l.stack(outputs))
    before = [param.asnumpy() for param in model.parameters()]
    d2l.Trainer(max_epochs=1, gradient_clip_val=1).fit(model, data)
    after = [param.asnumpy() for param in model.parameters()]
    assert len(before) == 5
    assert all((old != new).any() for old, new in zip(before, after, strict=True))


def test_weights_in_any_block_are_found_once(d2l):
    from backends.mxnet_style.engine import gluon

    class Twice(gluon.Block):
        def __init__(self, rnn):
            super().__init__()
            self.rnn = self.again = rnn

    model = d2l.Module()
    model.net = Twice(d2l.RNNScratch(3, 4))
    model.out = gluon.nn.Dense(2, in_units=4)
    model.out.initialize()
    shapes = [(3, 4), (4, 4), (4,), (2, 4), (2,)]
    assert [param.shape for param in model.parameters()] == shapes
    model.cast("float64")
    assert [(p.shape, p.dtype) for p in model.parameters()] == [(s, np.float64) for s in shapes]


def test_an_optimizer_of_gluons_own(d2l):
    from backends.mxnet_style.engine import gluon

    data = d2l.TimeMachine(64, 8, num_train=64, num_val=64)
    curves = []
    for own in (False, True):
        model = d2l.RNNLM(d2l.RNN(28, 6), 28, lr=0.5)
        for param in model.parameters():
            param[:] = np.linspace(-0.3, 0.3, param.size).reshape(param.shape)
        if own:
            trained = model.collect_params()
            optimizer = gluon.Trainer(trained, "sgd", {"learning_rate": 0.5})
            model.configure_optimizers = lambda found=optimizer: found
        trainer = d2l.Trainer(max_epochs=2)
        trainer.fit(model, data)
        curves.append(curve(trainer))
    np.testing.assert_allclose(*curves, rtol=1e-6)


def test_windows_can_be_fewer(d2l):
    data = d2l.TimeMachine(4, 5, num_train=10, num_val=3)
    assert [len(X) for X, _ in data.train_dataloader()] == [4, 4, 2]
    ((X, Y),) = data.val_dataloader()
    np.testing.assert_array_equal(d2l.numpy(X), d2l.numpy(data.X[10:13]))
    np.testing.assert_array_equal(d2l.numpy(Y[:, :-1]), d2l.numpy(X[:, 1:]))
    assert X.dtype == d2l.int64


def test_a_state_alone_or_in_a_tuple(d2l):
    rnn = d2l.RNNScratch(3, 4)
    X = d2l.ones((2, 2, 3))
    _, state = rnn(X)
    for given in (state, (state,)):
        outputs, last = rnn(X, given)
        assert (d2l.numpy(outputs[-1]) == d2l.numpy(last)).all()
        assert not (d2l.numpy(last) == d2l.numpy(state)).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda d2l: d2l.RNNScratch(0, 4), "num_inputs is 0: a whole number, 1 at least"),
        (lambda d2l: d2l.RNNScratch(3, 4)(d2l.ones((2, 3))), r"inputs have the shape \(2, 3\)"),
        (
            lambda d2l: d2l.RNNScratch(3, 4)(d2l.ones((2, 5, 3)), d2l.zeros((2, 4))),
            r"the state has the shape \(2, 4\).*\(5, 4\)",
        ),
        (
            lambda d2l: d2l.RNNLMScratch(d2l.RNNScratch(3, 4), 5)(d2l.tensor([[0, 1]])),
            r"inputs have the shape \(2, 1, 5\): this layer takes",
        ),
        (
            lambda d2l: d2l.RNNLMScratch(d2l.RNNScratch(3, 4), 3).predict("x", 1, Vocab("ab")),
            "'x' holds what this corpus never shows",
        ),
    ],
)
def test_what_cannot_be_right_is_said_in_one_line(d2l, call, said):
    with pytest.raises(ValueError, match=said) as failed:
        call(d2l)
    assert "\n" not in str(failed.value)


def test_a_classifier_plots_loss_and_accuracy(d2l):
    from backends.mxnet_style.engine import gluon

    class Data(d2l.DataModule):
        batch_size = 3

        def get_dataloader(self, train):
            X, y = np.tile(np.eye(4), (2, 1)), np.tile(np.arange(4), 2)
            return self.get_tensorloader([d2l.tensor(X), d2l.tensor(y)], train)

    class Softmax(d2l.Classifier):
        lr = 1.0

        def __init__(self):
            super().__init__()
            self.net = gluon.nn.Dense(4)
            self.net.initialize()

    trainer = d2l.Trainer(max_epochs=20)
    trainer.fit(Softmax(), Data())
    assert trainer.history[-1]["val_acc"] == 1
    assert trainer.history[-1]["val_loss"] < trainer.history[0]["train_loss"]
