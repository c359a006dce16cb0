"""Names that chapter 9 imports as `d2l`, in PyTorch.

The networks at the end are as the chapter builds them: inputs are (num_steps, batch_size,
num_inputs), outputs of a language model (batch_size, num_steps, vocab_size).
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F

from backends.torch import scratch
from common.batches import NUM_TRAIN, NUM_VAL
from common.d2l import training
from common.d2l.base import HyperParameters, add_to_class
from common.d2l.checks import check_inputs, check_len, check_prefix, check_shape, check_sizes
from common.d2l.data import DATA_URL, DataModule, TimeMachineText, Vocab, download, windows
from common.d2l.plotting import ProgressBoard, plot

# Short functions of section 2.1 and later
float32, int64 = torch.float32, torch.int64
tensor, arange = torch.tensor, torch.arange
zeros, ones, randn = torch.zeros, torch.ones, torch.randn
sin, exp, tanh, matmul = torch.sin, torch.exp, torch.tanh, torch.matmul
concat, stack, swapaxes = torch.cat, torch.stack, torch.swapaxes


def reshape(x, shape):
    """The tensor in another shape, which may be a number."""
    return x.reshape(shape)


def argmax(x, axis):
    """The place of the largest number along an axis, the first of equals."""
    return x.argmax(axis)


def numpy(x):
    """The tensor as a NumPy array, without its gradient."""
    return x.detach().cpu().numpy()


def try_gpu(i=0):
    """GPU i where there is one, else the CPU."""
    return torch.device(f"cuda:{i}" if torch.cuda.device_count() > i else "cpu")


class Module(training.Module, nn.Module):
    """Base of models; see `common.d2l.training.Module`. Its `forward` applies `net`."""

    def __init__(self):
        super().__init__()
        self.board = ProgressBoard()

    def forward(self, X):
        """The predictions of the inputs X."""
        return self.net(X)

    def configure_optimizers(self):
        """Minibatch stochastic gradient descent, with the learning rate `lr`."""
        return torch.optim.SGD(self.parameters(), lr=self.lr)


class Trainer(training.Trainer):
    """Loop of training and validation; see `common.d2l.training.Trainer`."""

    def all_gpus(self):
        """The GPUs that PyTorch sees."""
        return [try_gpu(i) for i in range(torch.cuda.device_count())]

    def prepare_model(self, model):
        """Take the model, on the GPU if there is one in use."""
        super().prepare_model(model)
        if self.gpus:
            model.to(self.gpus[0])

    def prepare_batch(self, batch):
        """The minibatch where the model is."""
        return [a.to(self.gpus[0]) for a in batch] if self.gpus else batch

    def train_on(self, batch):
        """Forward, backward, clip, update: the loss before the update."""
        self.model.train()
        l = self.model.training_step(batch)
        self.optim.zero_grad()
        l.backward()
        if self.gradient_clip_val > 0:
            self.clip_gradients(self.gradient_clip_val, self.model)
        self.optim.step()
        return l.detach()

    @torch.no_grad()
    def validate_on(self, batch):
        """Forward alone."""
        self.model.eval()
        self.model.validation_step(batch)

    def clip_gradients(self, grad_clip_val, model):
        """Scale all gradients together so that their norm is at most grad_clip_val."""
        params = [param for param in model.parameters() if param.requires_grad]
        scratch.grad_clipping(SimpleNamespace(params=params), grad_clip_val)


class Classifier(Module):
    """Base of models whose outputs are logits, of one class or more, the last axis theirs."""

    def loss(self, Y_hat, Y):
        """The mean cross-entropy of logits (..., classes) against labels (...)."""
        return scratch.cross_entropy(Y_hat.reshape(-1, Y_hat.shape[-1]), Y.reshape(-1))

    def accuracy(self, Y_hat, Y):
        """The part of the labels whose logit is the largest."""
        return (Y_hat.argmax(-1) == Y).type(Y_hat.dtype).mean()

    def validation_step(self, batch):
        """Plot loss and accuracy of a minibatch."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)


class NormalLinear(nn.LazyLinear):
    """A linear layer that begins with N(0, 0.01²) and zeros, once its first inputs are seen."""

    def reset_parameters(self):
        """Draw the weights."""
        if self.in_features:
            nn.init.normal_(self.weight, std=0.01)
            nn.init.zeros_(self.bias)


class LinearRegression(Module):
    """Linear regression (section 3.5), of inputs of any width."""

    def __init__(self, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = NormalLinear(1)

    def loss(self, y_hat, y):
        """The mean squared error."""
        return F.mse_loss(y_hat, y)


class TimeMachine(TimeMachineText):
    """The Time Machine's windows X and Y; see `common.d2l.data.TimeMachineText`."""

    def __init__(self, batch_size, num_steps, num_train=NUM_TRAIN, num_val=NUM_VAL):
        super().__init__()
        self.save_hyperparameters()
        corpus, self.vocab = self.build(self._download())
        self.X, self.Y = map(tensor, windows(corpus, num_steps))


class RNNScratch(Module):
    """The RNN of section 9.5, weights N(0, sigma²) and a zero bias."""

    activation = staticmethod(tanh)

    def __init__(self, num_inputs, num_hiddens, sigma=0.01):
        super().__init__()
        check_sizes(num_inputs=num_inputs, num_hiddens=num_hiddens)
        self.save_hyperparameters()
        self.W_xh = nn.Parameter(randn(num_inputs, num_hiddens) * sigma)
        self.W_hh = nn.Parameter(randn(num_hiddens, num_hiddens) * sigma)
        self.b_h = nn.Parameter(zeros(num_hiddens))

    def forward(self, inputs, state=None):
        """The hidden states as a list, and the last: (batch_size, num_hiddens) each.

        The state may be one such, alone or in a tuple; None is zeros.
        """
        H = state[0] if isinstance(state, tuple) else state
        check_inputs(inputs, H, self.num_inputs, self.num_hiddens)
        if H is None:
            H = self.b_h.new_zeros((inputs.shape[1], self.num_hiddens))
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
        self.W_hq = nn.Parameter(randn(self.rnn.num_hiddens, self.vocab_size) * self.rnn.sigma)
        self.b_q = nn.Parameter(zeros(self.vocab_size))

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
        return F.one_hot(X.T, self.vocab_size).type(next(self.parameters()).dtype)

    def output_layer(self, rnn_outputs):
        """The logits (batch_size, num_steps, vocab_size) of the hidden states."""
        return stack([matmul(H, self.W_hq) + self.b_q for H in rnn_outputs], 1)

    def forward(self, X, state=None):
        """The logits after each of the indices X (batch_size, num_steps)."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state)
        return self.output_layer(rnn_outputs)

    @torch.no_grad()
    def predict(self, prefix, num_preds, vocab, device=None):
        """The prefix and the num_preds most likely characters after it, one at a time.

        A device is where the model is moved to first.
        """
        check_prefix(prefix, vocab)
        self.to(device)
        place = next(self.parameters()).device
        state, outputs = None, [vocab[prefix[0]]]
        for i in range(len(prefix) + num_preds - 1):
            X = tensor([[outputs[-1]]], device=place)
            rnn_outputs, state = self.rnn(self.one_hot(X), state)
            if i < len(prefix) - 1:  # Warm the state up with the prefix
                outputs.append(vocab[prefix[i + 1]])
            else:
                outputs.append(int(argmax(self.output_layer(rnn_outputs), axis=2)))
        return "".join(vocab.idx_to_token[i] for i in outputs)


class RNN(Module):
    """The RNN of section 9.6, by `torch.nn.RNN`: the hidden states are one tensor."""

    def __init__(self, num_inputs, num_hiddens):
        super().__init__()
        check_sizes(num_inputs=num_inputs, num_hiddens=num_hiddens)
        self.save_hyperparameters()
        self.rnn = nn.RNN(num_inputs, num_hiddens)

    def forward(self, inputs, H=None):
        """The hidden states (num_steps, batch_size, num_hiddens), and the last of each layer."""
        return self.rnn(inputs, H)


class RNNLM(RNNLMScratch):
    """The language model of section 9.6.

    It is the chapter's, not the network of `RNNLMScratch`: `torch.nn.RNN` has a second bias, which
    is trained too, and PyTorch's own first weights. From the weights of the other it stands after
    ten epochs of chapter 9 at 15.539, the other at 15.133.
    """

    def init_params(self):
        """Draw the output layer."""
        self.linear = nn.Linear(self.rnn.num_hiddens, self.vocab_size)

    def output_layer(self, hiddens):
        """The logits (batch_size, num_steps, vocab_size) of the hidden states."""
        return swapaxes(self.linear(hiddens), 0, 1)
