"""Generation in PyTorch: a step a token, on the device until a chunk of the text is written.

With A_t = W_xh[X_t] + b_h + H_{t-1} W_hh in each layer, see `common.reference`, a token costs the
row of a table and the products with W_hh and W_hq, into tensors that were made before. A token is
a tensor as well: what is written at one step is read at the next where it lies. One thread is
faster than several, which would wait for one another at every product of a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from common.array import Array
from common.experiment import Experiment
from common.places import deterministic
from common.weights import by_layer

ACTIVATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tanh": lambda A, H: torch.tanh(A, out=H),
    "relu": lambda A, H: torch.clamp(A, min=0, out=H),
}
"""By name: act(A, H), into H."""


CACHED = 512 * 512
"""Elements of a matrix that a core's own cache holds: up to there, one thread is the faster one."""


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Writer:
    """Parameters and the state of a text that they go on with; see `common.generation.Write`."""

    @torch.inference_mode()
    def __init__(self, params: Sequence[Tensor], experiment: Experiment) -> None:
        W_emb, layers, (W_hq, self.b_q) = by_layer(params)
        (W_xh, W_hh, b_h), *self.layers = layers
        self.table = (W_xh if W_emb is None else W_emb @ W_xh) + b_h
        self.W_hh, self.W_hq = W_hh.T, W_hq.T  # addmv has the matrix first
        self.state = [torch.zeros_like(b_h) for _ in layers]
        self.row, self.O = torch.empty_like(b_h[None]), torch.empty_like(self.b_q)
        (self.A,) = self.row
        self.act = ACTIVATIONS[experiment.activation]
        self.sharpness = experiment.alpha / experiment.temperature
        largest = max(param.numel() for param in params)
        self.threads = 1 if largest <= CACHED else torch.get_num_threads()

    @torch.inference_mode()
    def __call__(self, tokens: Array, count: int, draws: Array | None) -> Array:
        *before, x = torch.from_numpy(tokens).to(self.A.device, torch.int64).split(1)
        found = x.new_empty(count)
        places = found.split(1)[:count]  # of no token, there is one part that is empty
        with threads(self.threads):
            for read in before:
                self.step(read)
            if draws is None:
                for written in places:
                    self.step(x)
                    x = torch.argmax(self.outputs(), 0, keepdim=True, out=written)
            else:
                kind = torch.float32 if self.A.is_mps else torch.float64  # Apple's have no other
                uniform = torch.from_numpy(draws).to(self.A.device, kind)
                for written, draw in zip(places, uniform.split(1), strict=False):
                    self.step(x)
                    x = drawn(self.outputs(), draw, self.sharpness, out=written)
        return found.cpu().numpy()

    def step(self, x: Tensor) -> None:
        """Take the state of every layer past token x (1,)."""
        H, *others = self.state
        torch.index_select(self.table, 0, x, out=self.row)
        self.act(self.A.addmv_(self.W_hh, H), H)
        for (W_xh, W_hh, b_h), H_above in zip(self.layers, others, strict=True):
            A = torch.addmv(b_h, W_xh.T, H, out=self.A)
            H = self.act(A.addmv_(W_hh.T, H_above), H_above)

    def outputs(self) -> Tensor:
        """The logits (V,) after the state, valid until the next call."""
        return torch.addmv(self.b_q, self.W_hq, self.state[-1], out=self.O)


def drawn(O: Tensor, draw: Tensor, sharpness: float, out: Tensor) -> Tensor:
    """The token (1,) that a draw (1,) takes from the logits O (V,), as `common.decoding` does."""
    cumulative = cumulated(torch.softmax(O.to(draw.dtype).mul_(sharpness), 0))
    torch.searchsorted(cumulative, draw, right=True, out=out)
    return out.clamp_(max=len(O) - 1)  # of what is not a number, the last


def cumulated(p: Tensor) -> Tensor:
    """The cumulative sums of p (V,), of the same bits each time where that was asked for."""
    if p.is_cuda and deterministic():  # there PyTorch has no such sums on a GPU
        return p.cpu().cumsum(0).to(p.device)
    return p.cumsum(0)
