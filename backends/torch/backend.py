"""The contract on PyTorch; see `common.interface` for what each method promises."""

from __future__ import annotations

from typing import SupportsFloat

import torch

from backends.torch import (
    adapter,
    book,
    compiled,
    concise,
    devices,
    fused,
    generate,
    object,
    parallel,
    scratch,
)
from common import interface
from common.experiment import Experiment
from common.generation import written
from common.interface import Array, State
from common.shards import named, whole
from common.variants import Build, Networks, serving
from common.vocab import Vocab
from common.weights import Weights

NETWORKS: Networks = {
    "scratch": adapter.ScratchNetwork,
    "fused": fused.RNNModelFused,
    "concise": concise.RNNModel,
    "object": object.RNNModelObject,
    "book": book.RNNModelBook,
    "compiled": compiled.RNNModelCompiled,
    "compiled-concise": compiled.RNNModelCompiledConcise,
}


describe, device_memory_mb = devices.describe, devices.device_memory_mb
predict_rnn = scratch.predict_rnn


def compilations() -> int:
    """Programs that `torch.compile` has made so far: all but one variant run eagerly."""
    return compiled.programs()


def build(experiment: Experiment, variant: str, weights: Weights) -> interface.Model:
    """A model of one of the `NETWORKS`."""
    return Model(experiment, serving(NETWORKS, variant, experiment, parallel.join), weights)


class Model:
    """A network behind the contract."""

    def __init__(self, experiment: Experiment, network: Build, weights: Weights) -> None:
        self.experiment = experiment
        self.names = tuple(experiment.shapes(len(weights["b_q"])))
        place, name = devices.taken(experiment)
        self.device = named(name, experiment.devices)
        kind = {"dtype": getattr(torch, experiment.dtype), "device": place}
        params = [torch.tensor(weights[n], **kind) for n in self.names]
        self.net = network(params, experiment.activation, experiment.lr, experiment.clip_theta)

    def begin_state(self, batch_size: int) -> State:
        return self.net.begin_state(batch_size)

    def read_state(self, state: State) -> Array:
        return torch.stack(whole(state)).cpu().numpy()

    def write_state(self, H: Array) -> State:
        param = self.net.params[0]
        state = tuple(torch.tensor(H, dtype=param.dtype, device=param.device))
        if isinstance(self.net, parallel.ParallelNetwork):
            return self.net.split_state(state)
        return state

    def forward(self, X: Array, state: State) -> tuple[Array, State]:
        with torch.no_grad():
            logits, state = self.net(X, state)
        return logits.cpu().numpy(), state

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> tuple[float, Weights, State]:
        l, grads, state = self.net.loss_and_grads(X, Y, state)
        return l.item(), {n: g.cpu().numpy() for n, g in zip(self.names, grads, strict=True)}, state

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[SupportsFloat, State]:
        return self.net.train_step(X, Y, state)

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        writer = generate.Writer(self.net.params, self.experiment)
        return written(writer, prefix, num_preds, vocab, self.experiment)

    def weights(self) -> Weights:
        params = zip(self.names, self.net.params, strict=True)
        return {n: p.detach().cpu().numpy().copy() for n, p in params}

    def load_weights(self, weights: Weights) -> None:
        self.net.set_params([torch.as_tensor(weights[n]) for n in self.names])

    def synchronize(self) -> None:
        if self.net.params[0].is_cuda:
            torch.cuda.synchronize()
        elif self.net.params[0].is_mps:
            torch.mps.synchronize()
