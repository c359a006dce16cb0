"""Names that chapter 9 imports as `d2l`, in MXNet's `nd` and Gluon.

The networks at the end are as the chapter builds them: inputs are (num_steps, batch_size,
num_inputs), outputs of a language model (batch_size, num_steps, vocab_size). Weights of the
chapter's own are arrays with a gradient attached; `Module.parameters` finds them, and those of
layers.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from backends.mxnet_style import gluonbook, scratch
from backends.mxnet_style.engine import autograd, gluon, init, nd
from common.batches import NUM_TRAIN, NUM_VAL
from common.d2l import data, training
from common.d2l.base import HyperParameters, add_to_class
from common.d2l.checks import check_inputs, check_len, check_prefix, check_shape, check_sizes
from common.d2l.data import DATA_URL, TimeMachineText, Vocab, download, windows
from common.d2l.plotting import ProgressBoard, plot


class TensorLoader(data.TensorLoader):
    """Minibatches of arrays; see `common.d2l.data.TensorLoader`."""

    def take(self, tensor, places):
        """The rows of an array at these places (n,)."""
        return nd.take(tensor, nd.array(places, ctx=tensor.context, dtype=int64))


class DataModule(data.DataModule):
    """Base of data; see `common.d2l.data.DataModule`."""

    Loader = TensorLoader


# Short functions of section 2.1 and later
float32, int64 = np.float32, np.int64
tensor, arange = nd.array, nd.arange
zeros, ones, randn = nd.zeros, nd.ones, nd.random.randn
sin, exp, tanh, matmul = nd.sin, nd.exp, nd.tanh, nd.dot


def concat(tensors, axis=0):
    """The tensors joined along an axis."""
    return nd.concat(*tensors, dim=axis)


def stack(tensors, axis=0):
    """The tensors side by side along a new axis."""
    return nd.stack(*tensors, axis=axis)


swapaxes, reshape = nd.swapaxes, nd.NDArray.reshape
argmax, numpy = nd.NDArray.argmax, nd.NDArray.asnumpy


def try_gpu(i=0):
    """The CPU: neither engine has GPUs."""
    return gluonbook.try_gpu()


class Module(training.Module, gluon.Block):
    """Base of models; see `common.d2l.training.Module`. Its `forward` applies `net`."""

    def __init__(self):
        super().__init__()
        self.board = ProgressBoard()

    def forward(self, X):
        """The predictions of the inputs X."""
        return self.net(X)

    def parameters(self):
        """The arrays that are trained, once each: its own, those of blocks inside, of layers."""
        yield from {id(array): array for _, _, array in self._own_arrays()}.values()
        for param in self.collect_params().values():
            if param.grad_req != "null":
                yield param.data()

    def _own_arrays(self):
        """The arrays with a gradient, each with the block and the attribute it stands in."""
        blocks = [self]
        for block in blocks:  # the list grows: those inside come after
            for name, value in vars(block).items():
                if isinstance(value, nd.NDArray) and value.grad is not None:
                    yield block, name, value
            blocks += block._children.values()

    def cast(self, dtype):
        """Convert all weights, those of layers too."""
        super().cast(dtype)
        for owner, name, array in list(self._own_arrays()):
            converted = array.astype(dtype)
            converted.attach_grad()
            setattr(owner, name, converted)

    def configure_optimizers(self):
        """Minibatch stochastic gradient descent, with the learning rate `lr`.

        It has the `step` of `gluon.Trainer`, which trains layers alone, at a rate in float32.
        """
        return SimpleNamespace(step=lambda n: scratch.sgd(self.parameters(), self.lr, n))


class Trainer(training.Trainer):
    """Loop of training and validation; see `common.d2l.training.Trainer`."""

    def all_gpus(self):
        """The GPUs that the engine sees: none."""
        return []

    def train_on(self, batch):
        """Forward, backward, clip, update: the loss before the update."""
        with autograd.record():
            l = self.model.training_step(batch)
        l.backward()
        if self.gradient_clip_val > 0:
            self.clip_gradients(self.gradient_clip_val, self.model)
        self.optim.step(1)  # the loss is a mean already
        return l

    def validate_on(self, batch):
        """Forward alone."""
        self.model.validation_step(batch)

    def clip_gradients(self, grad_clip_val, model):
        """Scale all gradients together so that their norm is at most grad_clip_val."""
        scratch.grad_clipping(SimpleNamespace(params=list(model.parameters())), grad_clip_val)


class Classifier(Module):
    """Base of models whose outputs are logits, of one class or more, the last axis theirs."""

    def loss(self, Y_hat, Y):
        """The mean cross-entropy of logits (..., classes) against labels (...)."""
        logits = Y_hat.reshape((-1, Y_hat.shape[-1]))
        return scratch.cross_entropy(logits, Y.reshape((-1,))).mean()

    def accuracy(self, Y_hat, Y):
        """The part of the labels whose logit is the largest."""
        return (Y_hat.argmax(-1) == Y.astype(Y_hat.dtype)).mean()

    def validation_step(self, batch):
        """Plot loss and accuracy of a minibatch."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)


class LinearRegression(Module):
    """Linear regression (section 3.5), of inputs of any width."""

    def __init__(self, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = gluon.nn.Dense(1)
        self.net.initialize(init.Normal(0.01))

    def loss(self, y_hat, y):
        """The mean squared error."""
        return ((y_hat - y) ** 2).mean()


class TimeMachine(TimeMachineText, DataModule):
    """The Time Machine's windows X and Y; see `common.d2l.data.TimeMachineText`."""

    def __init__(self, batch_size, num_steps, num_train=NUM_TRAIN, num_val=NUM_VAL):
        super().__init__()
        self.save_hyperparameters()
        corpus, self.vocab = self.build(self._download())
        self.X, self.Y = (tensor(a, dtype=int64) for a in windows(corpus, num_steps))


class RNNScratch(Module):
    """The RNN of section 9.5, weights N(0, sigma²) and a zero bias."""

    activation = staticmethod(tanh)

    def __init__(self, num_inputs, num_hiddens, sigma=0.01):
        super().__init__()
        check_sizes(num_inputs=num_inputs, num_hiddens=num_hiddens)
        self.save_hyperparameters()
        self.W_xh = randn(num_inputs, num_hiddens) * sigma
        self.W_hh = randn(num_hiddens, num_hiddens) * sigma
        self.b_h = zeros(num_hiddens)
        for param in (self.W_xh, self.W_hh, self.b_h):
            param.attach_grad()

    def forward(self, inputs, state=None):
        """The hidden states as a list, and the last: (batch_size, num_hiddens) each.

        The state may be one such, alone or in a tuple; None is zeros.
        """
        H = state[0] if isinstance(state, tuple) else state
        check_inputs(inputs, H, self.num_inputs, self.num_hiddens)
        if H is None:
            shape = (inputs.shape[1], self.num_hiddens)
            H = zeros(shape, ctx=inputs.context, dtype=inputs.dtype)
        outputs = []
        for X in inputs:
            H = self.activation(matmul(X, self.W_xh) + matmul(H, self.W_hh) + self.b_h)
            outputs.append(H)
        return outputs, H


class RNNLMScratch(Classifier):
    """The language model of section 9.5, on an RNN."""

    def __init__(self, rnn, vocab_size, lr=0.01):
        super().__init__()
        check_sizes(vocab_size=vocab_size)
        self.save_hyperparameters()
        self.init_params()

    def init_params(self):
        """Draw the output layer."""
        self.W_hq = randn(self.rnn.num_hiddens, self.vocab_size) * self.rnn.sigma
        self.b_q = zeros(self.vocab_size)
        for param in (self.W_hq, self.b_q):
            param.attach_grad()

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
        return nd.one_hot(X.T, self.vocab_size, dtype=next(self.parameters()).dtype)

    def output_layer(self, rnn_outputs):
        """The logits (batch_size, num_steps, vocab_size) of the hidden states."""
        return stack([matmul(H, self.W_hq) + self.b_q for H in rnn_outputs], 1)

    def forward(self, X, state=None):
        """The logits after each of the indices X (batch_size, num_steps)."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state)
        return self.output_layer(rnn_outputs)

    def predict(self, prefix, num_preds, vocab, device=None):
        """The prefix and the num_preds most likely characters after it, one at a time."""
        check_prefix(prefix, vocab)
        state, outputs = None, [vocab[prefix[0]]]
        for i in range(len(prefix) + num_preds - 1):
            X = tensor([[outputs[-1]]], ctx=device)
            rnn_outputs, state = self.rnn(self.one_hot(X), state)
            if i < len(prefix) - 1:  # Warm the state up with the prefix
                outputs.append(vocab[prefix[i + 1]])
            else:
                outputs.append(int(argmax(self.output_layer(rnn_outputs), axis=2).asscalar()))
        return "".join(vocab.idx_to_token[i] for i in outputs)


class RNN(Module):
    """The RNN of section 9.6, by `gluon.rnn.RNN`: the hidden states are one tensor."""

    def __init__(self, num_inputs, num_hiddens):
        super().__init__()
        check_sizes(num_inputs=num_inputs, num_hiddens=num_hiddens)
        self.save_hyperparameters()
        self.rnn = gluon.rnn.RNN(num_hiddens, activation="tanh", input_size=num_inputs)
        self.rnn.initialize()

    def forward(self, inputs, H=None):
        """The hidden states (num_steps, batch_size, num_hiddens), and the last of each layer."""
        if H is None:
            (H,) = self.rnn.begin_state(inputs.shape[1], ctx=inputs.context)
        outputs, (H,) = self.rnn(inputs, [H])
        return outputs, H


class RNNLM(RNNLMScratch):
    """The language model of section 9.6.

    It is the chapter's, not the network of `RNNLMScratch`: `gluon.rnn.RNN` has a second bias, which
    is trained too, and Gluon's own first weights. From the weights of the other it stands after
    ten epochs of chapter 9 at 15.539, the other at 15.133.
    """

    def init_params(self):
        """Draw the output layer."""
        self.linear = gluon.nn.Dense(self.vocab_size, flatten=False, in_units=self.rnn.num_hiddens)
        self.linear.initialize()

    def output_layer(self, hiddens):
        """The logits (batch_size, num_steps, vocab_size) of the hidden states."""
        return swapaxes(self.linear(hiddens), 0, 1)
