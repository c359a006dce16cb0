"""The cells of the functional chapter with our names, in the notebook's order, in every backend."""

import numpy as np
import pytest

import backends
from common.corpus import load_data_time_machine

batch_size, num_steps, num_hiddens = 32, 8, 128


class Framework:
    """The few calls of a cell that no chapter names: they are the framework's own."""

    def __init__(self, backend):
        module = backends.load(backend)
        self.scratch = module.scratch
        if backend == "torch":
            import torch

            self.arange = lambda n: torch.arange(n)
            self.one_hot = lambda x, n: torch.nn.functional.one_hot(torch.tensor(x), n)
            self.loss = torch.nn.CrossEntropyLoss()
            self.updater = lambda model, lr: (
                lambda batch_size: self.scratch.sgd(model.params, lr, batch_size)
            )
        elif backend in ("mxnet-style", "mxnet"):
            from backends.mxnet_style.engine import gluon, nd

            self.arange = lambda n: nd.arange(n)
            self.one_hot = lambda x, n: nd.one_hot(nd.array(x), n).asnumpy()
            self.loss = gluon.loss.SoftmaxCrossEntropyLoss()
            self.updater = lambda model, lr: (
                lambda batch_size: self.scratch.sgd(model.params, lr, batch_size)
            )
        elif backend == "jax":
            import jax
            import optax

            self.arange = lambda n: jax.numpy.arange(n)
            self.one_hot = lambda x, n: jax.nn.one_hot(jax.numpy.array(x), n)
            self.loss = optax.softmax_cross_entropy_with_integer_labels
            self.updater = lambda model, lr: jax.tree_util.Partial(self.scratch.sgd, lr=lr)
        elif backend == "tensorflow":
            import tensorflow as tf

            self.arange = lambda n: tf.range(n)
            self.one_hot = lambda x, n: tf.one_hot(tf.constant(x), n).numpy()
            self.loss = self.scratch.cross_entropy
            self.updater = lambda model, lr: (
                lambda params, grads, batch_size: self.scratch.sgd(params, grads, lr, batch_size)
            )
        else:
            pytest.skip(f"the calls of a cell in {backend} are not known here")

    def reshape(self, x, shape):
        try:
            return x.reshape(shape)
        except AttributeError:
            import tensorflow as tf

            return tf.reshape(x, shape)


@pytest.mark.usefixtures("hasty")
def test_the_cells_of_the_functional_chapter(backend, capsys):
    framework = Framework(backend)
    scratch = framework.scratch
    get_params, init_rnn_state, rnn = scratch.get_params, scratch.init_rnn_state, scratch.rnn
    RNNModelScratch = scratch.RNNModelScratch

    train_iter, vocab = load_data_time_machine(batch_size, num_steps, max_tokens=2_400)
    sample, _ = next(iter(train_iter))
    assert sample.shape == (batch_size, num_steps)

    # One-hot encoding
    x_one_hot = np.asarray(framework.one_hot([0, 2], len(vocab)))
    assert x_one_hot.shape == (2, 28)
    np.testing.assert_array_equal(x_one_hot.argmax(axis=1), [0, 2])

    # Initializing the model parameters
    params = get_params(len(vocab), num_hiddens)
    shapes = [tuple(param.shape) for param in params]
    assert shapes == [(28, 128), (128, 128), (128,), (128, 28), (28,)]
    assert 0.009 < np.std(to_numpy(params[1])) < 0.011
    assert not to_numpy(params[4]).any()

    # RNN model
    assert [tuple(H.shape) for H in init_rnn_state(batch_size, num_hiddens)] == [(32, 128)]
    model = RNNModelScratch(len(vocab), num_hiddens, get_params, init_rnn_state, rnn)
    X = framework.reshape(framework.arange(10), (2, 5))
    state = model.begin_state(batch_size=2)
    Y, new_state = model(X, state)
    assert tuple(Y.shape) == (10, 28)
    assert isinstance(new_state, tuple)
    assert [tuple(H.shape) for H in new_state] == [tuple(H.shape) for H in state] == [(2, 128)]

    # Prediction
    text = scratch.predict_rnn("traveller ", 10, model, vocab)
    assert text.startswith("traveller ")
    assert len(vocab.split(text)) >= 20

    # Training: an epoch at a time, then the whole function
    updater = framework.updater(model, 1)
    first, speed = scratch.train_epoch_rnn(model, train_iter, framework.loss, updater, False)
    second, _ = scratch.train_epoch_rnn(model, train_iter, framework.loss, updater, True)
    assert 28 > first > second > 15
    assert speed > 0
    capsys.readouterr()
    prefixes = "time traveller", "traveller"
    ppl, _ = scratch.train_rnn(model, train_iter, vocab, lr=1, num_epochs=10, prefixes=prefixes)
    assert ppl < second
    said = capsys.readouterr().out
    assert said.startswith(f"epoch 10, perplexity {ppl:.2f}: time traveller")
    assert "tokens/s" in said
    assert said.splitlines()[-1].startswith("traveller")
    random_iter, _ = load_data_time_machine(batch_size, num_steps, True, max_tokens=2_400)
    scratch.train_rnn(model, random_iter, vocab, 1, 1, use_random_iter=True)


def to_numpy(param):
    if hasattr(param, "detach") and hasattr(param, "numpy"):
        param = param.detach()
    return param.asnumpy() if hasattr(param, "asnumpy") else np.asarray(param)


@pytest.mark.parametrize(("theta", "binds"), [(0.01, True), (100.0, False)])
def test_grad_clipping_by_hand(backend, theta, binds):
    scratch = backends.load(backend).scratch
    if backend in ("torch", "mxnet-style", "mxnet"):
        grads = clip_in_place(backend, scratch, theta)
    else:
        values = [np.float32([3.0, 0.0]), np.float32([[4.0]])]
        if backend == "jax":
            import jax.numpy as jnp

            values = [jnp.asarray(value) for value in values]
        grads = scratch.grad_clipping(values, theta)
    norm = np.sqrt(sum((to_numpy(g) ** 2).sum() for g in grads))
    assert norm == pytest.approx(theta if binds else 5, rel=1e-5)


def clip_in_place(backend, scratch, theta):
    class TwoParameters:
        params = scratch.get_params(2, 1)[:2]

    for param, value in zip(TwoParameters.params, (3.0, 4.0), strict=True):
        if backend == "torch":
            import torch

            param.grad = torch.zeros_like(param)
        param.grad[:] = 0
        param.grad[:1] = value
    TwoParameters.params[0].grad[1:] = 0
    scratch.grad_clipping(TwoParameters, theta)
    return [param.grad for param in TwoParameters.params]


def test_an_optimizer_of_torch_is_an_updater_too(only):
    only("torch")
    import torch

    from backends.torch import scratch

    torch.manual_seed(0)
    model = scratch.RNNModelScratch(28, 32, scratch.get_params, scratch.init_rnn_state, scratch.rnn)
    train_iter, _ = load_data_time_machine(batch_size, num_steps)
    updater, loss = torch.optim.SGD(model.params, lr=1), torch.nn.CrossEntropyLoss()
    first, _ = scratch.train_epoch_rnn(model, train_iter, loss, updater, False)
    second, _ = scratch.train_epoch_rnn(model, train_iter, loss, updater, False)
    assert 28 > first > second


def test_the_arrays_the_he_normal_chapter_prints(only):
    only("jax")
    import jax
    import jax.numpy as jnp
    from flax import nnx

    from backends.jax.d2l import RNNLMScratch, RNNScratch, check_len, check_shape

    with jax.threefry_partitionable(False), jax.enable_x64(False):
        batch_size, num_inputs, num_hiddens, num_steps = 2, 2, 3, 2
        rnn = RNNScratch(num_inputs, num_hiddens, rngs=nnx.Rngs(0))
        X = jnp.ones((num_steps, batch_size, num_inputs))
        outputs, state = rnn(X)
        assert repr(outputs) == (
            "[Array([[ 0.9977814, -0.7699115,  0.8565357],\n"
            "       [ 0.9977814, -0.7699115,  0.8565357]], dtype=float32), "
            "Array([[ 0.9995162 , -0.9408712 ,  0.42814836],\n"
            "       [ 0.9995162 , -0.9408712 ,  0.42814836]], dtype=float32)]"
        )
        assert repr(state) == (
            "Array([[ 0.9995162 , -0.9408712 ,  0.42814836],\n"
            "       [ 0.9995162 , -0.9408712 ,  0.42814836]], dtype=float32)"
        )
        check_len(outputs, num_steps)
        check_shape(outputs[0], (batch_size, num_hiddens))
        check_shape(state, (batch_size, num_hiddens))
        for given in (state, (state,)):
            again, _ = rnn(X, given)
            assert not (again[0] == outputs[0]).all()

        model = RNNLMScratch(rnn, vocab_size=num_inputs, rngs=nnx.Rngs(1))
        tokens = jnp.array([[0, 1, 1], [1, 0, 1]])
        assert model.vocab_size == num_inputs
        check_shape(model.one_hot(tokens), (3, 2, num_inputs))
        check_shape(model(tokens), (2, 3, num_inputs))
