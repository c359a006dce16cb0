"""The contract on PyTorch; see `common.interface` for what each method promises."""

from __future__ import annotations

import torch

from backends.torch import adapter, book, concise, fused, scratch
from common.decoding import chooser
from common.errors import RequestError
from common.interface import Description
from common.variants import serving

NETWORKS = {
    "scratch": adapter.ScratchNetwork,
    "fused": fused.RNNModelFused,
    "concise": concise.RNNModel,
    "book": book.RNNModelBook,
}


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


def compilations():
    """None: PyTorch runs eagerly here."""
    return 0


def build(experiment, variant, weights):
    """A model of one of the `NETWORKS`."""
    return Model(experiment, serving(NETWORKS, variant, experiment), weights)


class Model:
    """A network behind the contract."""

    def __init__(self, experiment, network, weights):
        self.experiment = experiment
        self.names = tuple(experiment.shapes(len(weights["b_q"])))
        gpu = experiment.device != "cpu" and torch.cuda.is_available()
        if experiment.device == "gpu" and not gpu:
            raise RequestError("--device gpu: PyTorch sees no GPU here; use cpu or auto")
        self.device = torch.cuda.get_device_name() if gpu else "cpu"
        kind = {"dtype": getattr(torch, experiment.dtype), "device": "cuda" if gpu else "cpu"}
        params = [torch.tensor(weights[n], **kind) for n in self.names]
        self.net = network(params, experiment)

    def begin_state(self, batch_size):
        return self.net.begin_state(batch_size)

    def read_state(self, state):
        return torch.stack(state).cpu().numpy()

    def forward(self, X, state):
        with torch.no_grad():
            logits, state = self.net(X, state)
        return logits.cpu().numpy(), state

    def loss_and_grads(self, X, Y, state):
        l, grads, state = self.net.loss_and_grads(X, Y, state)
        return l.item(), {n: g.cpu().numpy() for n, g in zip(self.names, grads, strict=True)}, state

    def train_step(self, X, Y, state):
        return self.net.train_step(X, Y, state)

    def predict(self, prefix, num_preds, vocab):
        return scratch.predict_rnn(prefix, num_preds, self.net, vocab, chooser(self.experiment))

    def weights(self):
        params = zip(self.names, self.net.params, strict=True)
        return {n: p.detach().cpu().numpy().copy() for n, p in params}

    def load_weights(self, weights):
        self.net.set_params([torch.as_tensor(weights[n]) for n in self.names])

    def synchronize(self):
        if self.net.params[0].is_cuda:
            torch.cuda.synchronize()
