"""Names that chapter 9 imports as `d2l`, in JAX: Flax NNX, as the he_normal document begins it.

The networks at the end are as the chapter builds them: inputs are (num_steps, batch_size,
num_inputs), outputs of a language model (batch_size, num_steps, vocab_size). Where the chapter
draws at random, a key or `nnx.Rngs` is given; a step of training is compiled, as a pure function.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from backends.jax import scratch
from common.batches import NUM_TRAIN, NUM_VAL
from common.d2l import training
from common.d2l.base import HyperParameters, add_to_class
from common.d2l.checks import check_inputs, check_len, check_prefix, check_shape, check_sizes
from common.d2l.data import DATA_URL, DataModule, TimeMachineText, Vocab, download, windows
from common.d2l.plotting import ProgressBoard, plot

# Short functions of section 2.1 and later; integers have 64 bits where jax_enable_x64 is on
float32, int64 = jnp.float32, int
tensor, arange = jnp.array, jnp.arange
zeros, ones = jnp.zeros, jnp.ones
sin, exp, tanh, matmul = jnp.sin, jnp.exp, jnp.tanh, jnp.matmul
concat, stack, swapaxes = jnp.concatenate, jnp.stack, jnp.swapaxes
reshape, argmax, numpy = jnp.reshape, jnp.argmax, np.asarray


def randn(key, *shape):
    """Numbers from N(0, 1), drawn with a key."""
    return jax.random.normal(key, shape)


def gpus():
    """The GPUs that JAX sees."""
    return [device for device in jax.devices() if device.platform == "gpu"]


def try_gpu(i=0):
    """GPU i where there is one, else the CPU."""
    return [*gpus()[i : i + 1], *jax.devices("cpu")][0]


def move(module, device):
    """Move what a module keeps to a device; None leaves it where it is."""
    if device is not None:
        nnx.update(module, jax.device_put(nnx.state(module), device))


class Module(training.Module, nnx.Module):
    """Base of models; see `common.d2l.training.Module`. Its `forward` applies `net`."""

    def __init__(self):
        self.board = ProgressBoard()

    def __call__(self, *inputs):
        """The predictions of the inputs, as `forward` makes them."""
        return self.forward(*inputs)

    def forward(self, X):
        """The predictions of the inputs X."""
        return self.net(X)

    def plot(self, key, value, train):
        """Add a minibatch's number to a curve, in a compiled step as soon as the step has run."""
        if isinstance(value, jax.core.Tracer):
            self.trainer.plotted[key] = value
        else:
            super().plot(key, value, train)

    def configure_optimizers(self):
        """Minibatch stochastic gradient descent, with the learning rate `lr`."""
        return nnx.Optimizer(self, optax.sgd(self.lr), wrt=nnx.Param)


class Trainer(training.Trainer):
    """Loop of training and validation; see `common.d2l.training.Trainer`."""

    all_gpus = staticmethod(gpus)

    def prepare_model(self, model):
        """Take the model, on the GPU if there is one in use: minibatches follow it there."""
        super().prepare_model(model)
        move(model, *self.gpus[:1] or [None])
        self.compiled_training = nnx.jit(self.update)
        self.compiled_validation = nnx.jit(partial(self.traced, "validation_step"))

    def traced(self, step, model, batch):
        """The value of a model's step, which plots nothing yet, and the numbers to plot."""
        self.plotted = {}
        return getattr(model, step)(batch), self.plotted

    def gradients(self, model, batch):
        """The loss and the numbers to plot, and the gradients before clipping."""
        step = partial(self.traced, "training_step", batch=batch)
        return nnx.value_and_grad(step, has_aux=True)(model)

    def update(self, model, optim, batch):
        """Forward, backward, clip, update: the loss before the update, and the numbers to plot."""
        found, grads = self.gradients(model, batch)
        if self.gradient_clip_val > 0:
            grads = self.clip_gradients(self.gradient_clip_val, grads)
        optim.update(model, grads)
        return found

    def train_on(self, batch):
        """`update`, and plot: the loss before the update."""
        self.model.train()
        l, plotted = self.compiled_training(self.model, self.optim, batch)
        for key, value in plotted.items():
            self.model.plot(key, value, train=True)
        return l

    def validate_on(self, batch):
        """Forward alone, and plot."""
        self.model.eval()
        _, plotted = self.compiled_validation(self.model, batch)
        for key, value in plotted.items():
            self.model.plot(key, value, train=False)

    def clip_gradients(self, grad_clip_val, grads):
        """The gradients, scaled together so that their norm is at most grad_clip_val."""
        leaves, tree = jax.tree.flatten(grads)
        return jax.tree.unflatten(tree, scratch.grad_clipping(leaves, grad_clip_val))


class Classifier(Module):
    """Base of models whose outputs are logits, of one class or more, the last axis theirs."""

    def loss(self, Y_hat, Y):
        """The mean cross-entropy of logits (..., classes) against labels (...)."""
        return scratch.cross_entropy(Y_hat, Y).mean()

    def accuracy(self, Y_hat, Y):
        """The part of the labels whose logit is the largest."""
        return (Y_hat.argmax(-1) == Y).mean()

    def validation_step(self, batch):
        """Plot loss and accuracy of a minibatch."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)


class LinearRegression(Module):
    """Linear regression (section 3.5), of inputs (..., num_inputs)."""

    def __init__(self, num_inputs, lr, rngs):
        super().__init__()
        self.save_hyperparameters(ignore=["rngs"])
        kernel_init = nnx.initializers.normal(0.01)
        self.net = nnx.Linear(num_inputs, 1, kernel_init=kernel_init, rngs=rngs)

    def loss(self, y_hat, y):
        """The mean squared error."""
        return optax.squared_error(y_hat, y).mean()


class TimeMachine(TimeMachineText):
    """The Time Machine's windows X and Y; see `common.d2l.data.TimeMachineText`."""

    def __init__(self, batch_size, num_steps, num_train=NUM_TRAIN, num_val=NUM_VAL):
        super().__init__()
        self.save_hyperparameters()
        corpus, self.vocab = self.build(self._download())
        self.X, self.Y = map(tensor, windows(corpus, num_steps))


def weight(rngs, shape, sigma):
    """A weight matrix from N(0, sigma²), he_normal where sigma is None."""
    draw = nnx.initializers.he_normal() if sigma is None else nnx.initializers.normal(sigma)
    return nnx.Param(draw(rngs(), shape))


class RNNScratch(Module):
    """The RNN of section 9.5, with a zero bias.

    Its weights are he_normal, as in the document in Flax; chapter 9 draws them with sigma=0.01.
    """

    activation = staticmethod(tanh)

    def __init__(self, num_inputs, num_hiddens, rngs, sigma=None):
        super().__init__()
        check_sizes(num_inputs=num_inputs, num_hiddens=num_hiddens)
        self.save_hyperparameters(ignore=["rngs"])
        self.W_xh = weight(rngs, (num_inputs, num_hiddens), sigma)
        self.W_hh = weight(rngs, (num_hiddens, num_hiddens), sigma)
        self.b_h = nnx.Param(zeros(num_hiddens))

    def forward(self, inputs, state=None):
        """The hidden states as a list, and the last: (batch_size, num_hiddens) each.

        The state may be one such, alone or in a tuple; None is zeros.
        """
        H = state[0] if isinstance(state, tuple) else state
        check_inputs(inputs, H, self.num_inputs, self.num_hiddens)
        if H is None:
            H = zeros((inputs.shape[1], self.num_hiddens), inputs.dtype)
        outputs = []
        for X in inputs:
            H = self.activation(matmul(X, self.W_xh) + matmul(H, self.W_hh) + self.b_h)
            outputs.append(H)
        return outputs, H


class RNNLMScratch(Classifier):
    """The language model of section 9.5, on an RNN, whose sigma is that of the output layer."""

    def __init__(self, rnn, vocab_size, rngs, lr=0.01):
        super().__init__()
        check_sizes(vocab_size=vocab_size)
        self.save_hyperparameters(ignore=["rngs"])
        self.init_params(rngs)

    def init_params(self, rngs):
        """Draw the output layer."""
        self.W_hq = weight(rngs, (self.rnn.num_hiddens, self.vocab_size), self.rnn.sigma)
        self.b_q = nnx.Param(zeros(self.vocab_size))

    def training_step(self, batch):
        """The loss of a minibatch; its perplexity is plotted."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("ppl", exp(l), train=True)
        return l

    def validation_step(self, batch):
        """Plot the perplexity of a minibatch."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("ppl", exp(l), train=False)

    def one_hot(self, X):
        """Indices (batch_size, num_steps) as inputs (num_steps, batch_size, vocab_size)."""
        dtype = jax.tree.leaves(nnx.state(self, nnx.Param))[0].dtype
        return jax.nn.one_hot(X.T, self.vocab_size, dtype=dtype)

    def output_layer(self, rnn_outputs):
        """The logits (batch_size, num_steps, vocab_size) of the hidden states."""
        return stack([matmul(H, self.W_hq) + self.b_q for H in rnn_outputs], 1)

    def forward(self, X, state=None):
        """The logits after each of the indices X (batch_size, num_steps)."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state)
        return self.output_layer(rnn_outputs)

    def predict(self, prefix, num_preds, vocab, device=None):
        """The prefix and the num_preds most likely characters after it, one at a time.

        A device is where the model is moved to first.
        """
        check_prefix(prefix, vocab)
        move(self, device)
        state, outputs = None, [vocab[prefix[0]]]
        for i in range(len(prefix) + num_preds - 1):
            rnn_outputs, state = self.rnn(self.one_hot(tensor([[outputs[-1]]])), state)
            if i < len(prefix) - 1:  # Warm the state up with the prefix
                outputs.append(vocab[prefix[i + 1]])
            else:
                outputs.append(argmax(self.output_layer(rnn_outputs), axis=2).item())
        return "".join(vocab.idx_to_token[i] for i in outputs)


class RNN(Module):
    """The RNN of section 9.6, by `nnx.RNN`, with one bias: the hidden states are one array."""

    def __init__(self, num_inputs, num_hiddens, rngs):
        super().__init__()
        check_sizes(num_inputs=num_inputs, num_hiddens=num_hiddens)
        self.save_hyperparameters(ignore=["rngs"])
        types = {"dtype": float, "param_dtype": float}  # of 64 bits where jax_enable_x64 is on
        cell = nnx.SimpleCell(num_inputs, num_hiddens, rngs=rngs, **types)
        self.rnn = nnx.RNN(cell, time_major=True, return_carry=True, rngs=False)

    def forward(self, inputs, H=None):
        """The hidden states (num_steps, batch_size, num_hiddens), and the last of them."""
        if H is None:
            H = zeros((inputs.shape[1], self.num_hiddens), inputs.dtype)
        H, outputs = self.rnn(inputs, initial_carry=H)
        return outputs, H


class RNNLM(RNNLMScratch):
    """The language model of section 9.6: that of `RNNLMScratch` with Flax's own first weights."""

    def init_params(self, rngs):
        """Draw the output layer."""
        sizes = self.rnn.num_hiddens, self.vocab_size
        self.linear = nnx.Linear(*sizes, param_dtype=float, rngs=rngs)

    def output_layer(self, hiddens):
        """The logits (batch_size, num_steps, vocab_size) of the hidden states."""
        return swapaxes(self.linear(hiddens), 0, 1)
