"""The contract on PyTorch; see `common.interface` for what each method promises."""

from __future__ import annotations

from functools import partial

import torch

from backends.torch import scratch
from common.errors import RequestError
from common.interface import Description
from common.weights import NAMES

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu}


def describe():
    """PyTorch's version, devices, threads and precision."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return Description(
        versions={"torch": torch.__version__},
        devices=("cpu", *gpus),
        threads=torch.get_num_threads(),
        tf32=torch.backends.cuda.matmul.allow_tf32,
    )


def build(experiment, variant, weights):
    """The scratch model: the only variant so far."""
    return Model(experiment, weights)


class Model:
    """The scratch network behind the contract."""

    def __init__(self, experiment, weights):
        gpu = experiment.device != "cpu" and torch.cuda.is_available()
        if experiment.device == "gpu" and not gpu:
            raise RequestError("--device gpu: PyTorch sees no GPU here; use cpu or auto")
        self.device = torch.cuda.get_device_name() if gpu else "cpu"
        kind = {"dtype": getattr(torch, experiment.dtype), "device": "cuda" if gpu else "cpu"}
        params = [torch.tensor(weights[n], requires_grad=True, **kind) for n in NAMES]
        self.net = scratch.RNNModelScratch(
            *weights["W_xh"].shape,
            get_params=lambda vocab_size, num_hiddens: params,
            init_state=scratch.init_rnn_state,
            forward=partial(scratch.rnn, activation=ACTIVATIONS[experiment.activation]),
        )
        self.loss = torch.nn.CrossEntropyLoss()
        self.updater = partial(scratch.sgd, params, experiment.lr)
        self.theta = experiment.clip_theta

    def begin_state(self, batch_size):
        return self.net.begin_state(batch_size)

    def read_state(self, state):
        return state[0].cpu().numpy()

    def forward(self, X, state):
        with torch.no_grad():
            logits, state = self.net(X, state)
        return logits.cpu().numpy(), state

    def loss_and_grads(self, X, Y, state):
        l, grads, state = scratch.loss_and_grads(self.net, X, Y, state, self.loss)
        return l.item(), {n: g.cpu().numpy() for n, g in zip(NAMES, grads, strict=True)}, state

    def train_step(self, X, Y, state):
        return scratch.train_step(self.net, X, Y, state, self.loss, self.updater, self.theta)

    def predict(self, prefix, num_preds, vocab):
        return scratch.predict_rnn(prefix, num_preds, self.net, vocab)

    def weights(self):
        params = zip(NAMES, self.net.params, strict=True)
        return {n: p.detach().cpu().numpy().copy() for n, p in params}

    def load_weights(self, weights):
        with torch.no_grad():
            for name, param in zip(NAMES, self.net.params, strict=True):
                param.copy_(torch.as_tensor(weights[name]))

    def synchronize(self):
        if self.net.params[0].is_cuda:
            torch.cuda.synchronize()
