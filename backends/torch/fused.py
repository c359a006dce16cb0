"""The network from scratch and fast: backpropagation through time by hand, without autograd.

Over T steps, a batch of B, N = T B tokens, and with A_t the argument of act:

    A_t = W_xh[X_t] + H_{t-1} W_hh + b_h        H_t = act(A_t)        O = H W_hq + b_q
    dO = (softmax(O) - one_hot(Y)) / N
    dH_t = dO_t W_hq' + dA_{t+1} W_hh'          dA_t = dH_t * act'(H_t)
    dW_xh = scatter-add of dA_t at X_t          dW_hh = sum_t H_{t-1}' dA_t        db_h = sum dA_t
    dW_hq = H' dO                               db_q = sum dO

A one-hot row times W_xh is a row of it, so inputs are gathered and their gradients scattered. Only
H_{t-1} W_hh and dA_{t+1} W_hh' wait for the step before; every other product is one over all steps.
H begins as W_xh[X] + b_h and dA as dO W_hq'; each step makes its part of them what the name says.
All parameters lie in one vector and all gradients in another: one product gives the norm, and one
addition is the update.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from common.interface import Array, Gradients, Outputs, State
from common.places import deterministic

aten, onednn = torch.ops.aten, torch.ops.mkldnn


def relu_backward(dH: Tensor, H: Tensor, grad_input: Tensor) -> Tensor:
    """The gradient of relu: dH where H is positive, else 0."""
    return aten.threshold_backward.grad_input(dH, H, 0, grad_input=grad_input)


ACTIVATIONS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "tanh": (torch.tanh, aten.tanh_backward.grad_input),
    "relu": (lambda A, out: torch.clamp_min(A, 0, out=out), relu_backward),
}
"""By name: act(A, out), and dH * act'(H) as a function of (dH, H, grad_input)."""

SAME_BITS = deterministic()

LARGE = 4_000_000
"""Multiplications from which a product is faster in oneDNN than in MKL.

A call of oneDNN costs some 15 us more, and then its kernels are the faster ones. Measured on two
cores of a Zen 4, packing included, between 4 and 17 million multiplications: 0.97 to 2.4 times as
fast as MKL with 192 hiddens or more, 0.83 to 1.0 with fewer.
"""

CPU: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
SLOW_MKL = CPU.get("cpu_name", "").startswith("AMD") and CPU.get("avx_vnni", False)
"""True where MKL uses half of the processor, so that oneDNN is faster at weight gradients as well.

MKL keeps to AVX2 on processors of AMD, whose AVX-512 is as wide as its name since Zen 5, and so is
AVX-VNNI since then.
"""


def in_onednn(rows: int, W: Tensor) -> bool:
    """True where oneDNN should multiply a matrix of so many rows by W: in float32 on a CPU."""
    large = rows * W.numel() >= LARGE
    return large and W.is_cpu and W.dtype == torch.float32 and torch.backends.mkldnn.is_available()


def by_onednn(A: Tensor, W: Tensor, b: Tensor | None = None) -> Tensor:
    """A W + b, or A W, by oneDNN: in new memory."""
    return onednn._linear_pointwise(A, W.T, b, "none", [], "")


def affine(A: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """A W + b, for a vector b."""
    return by_onednn(A, W, b) if in_onednn(len(A), W) else torch.addmm(b, A, W)


WIDE = 128
"""Columns from which oneDNN is the faster one though its result, new memory, must be copied."""


def multiply(A: Tensor, W: Tensor, out: Tensor) -> Tensor:
    """A W, into ``out``."""
    if len(W) >= WIDE and in_onednn(len(A), W):
        return out.copy_(by_onednn(A, W))
    return torch.mm(A, W, out=out)


def add_product(rows: int, W: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """The function (C, A) -> C + A W, which may overwrite C, for A of so many rows."""
    if in_onednn(rows, W):
        packed, linear = onednn._reorder_linear_weight(W.T, rows), onednn._linear_pointwise.binary
        return lambda C, A: linear(A, C, packed, None, "add")
    W = W.contiguous()  # each of the products is faster than with a transposed one
    return lambda C, A: C.addmm_(A, W)


ORDINARY = 1e20
"""A sum of exponentials below it, and above its inverse, has lost nothing, even in float32."""


def loss_and_gradient(O: Tensor, Y: Tensor, dO: Tensor) -> Tensor:
    """The mean cross-entropy of logits O (N, V) and labels Y (N,); its gradient goes into dO."""
    N, V = O.shape
    labels = torch.arange(0, N * V, V, device=O.device).add_(Y)
    totals = torch.mv(torch.exp(O, out=dO), O.new_ones(V))
    if not (totals.max() < ORDINARY and totals.min() > 1 / ORDINARY):  # true of nan
        O = O - O.amax(dim=1, keepdim=True)
        totals = torch.exp(O, out=dO).sum(dim=1)
    right = O.view(-1).take(labels)
    dO.mul_((1 / N / totals).unsqueeze(1))
    dO.view(-1).put_(labels, (right.exp() / totals - 1) / N)
    return totals.log().sub_(right).mean()


SMALL, MANY = 16_384, 512
"""Of few elements, sums over many rows are faster as a product a step than as one long product.

And more exact: in float32 a long sum of terms of one sign rounds them all to the same side.
"""


def sum_of_products(A: Tensor, B: Tensor, out: Tensor) -> None:
    """A_t' B_t, summed over the steps, of (T, B, m) and (T, B, n)."""
    if out.numel() <= SMALL and A.shape[1] >= MANY:
        torch.sum(torch.bmm(A.transpose(1, 2), B), dim=0, out=out)
        return
    A, B = A.flatten(0, 1), B.flatten(0, 1)
    if SLOW_MKL and max(out.shape) >= WIDE and in_onednn(out.shape[0], B):
        if A.shape[1] >= B.shape[1]:
            A, B, out = B, A, out.T  # oneDNN copies what it has transposed: the narrower of both
        out.copy_(by_onednn(A.T, B))
    else:
        torch.mm(A.T, B, out=out)


def sum_by_token(dA: Tensor, X: Tensor, out: Tensor, by_product: bool) -> None:
    """Sum the rows of dA (N, H) by the tokens X (N,) that they belong to, into ``out`` (V, H).

    As a product where the bits must be the same each time: a GPU scatters in any order.
    """
    if by_product:
        torch.mm(F.one_hot(X, len(out)).T.to(dA.dtype), dA, out=out)
    else:
        out.zero_().index_add_(0, X, dA)


def as_one_vector(tensors: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """An empty vector, and its parts in the shapes of the tensors."""
    sizes = [tensor.numel() for tensor in tensors]
    vector = tensors[0].new_empty(sum(sizes))
    parts = vector.split(sizes)
    return vector, [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]


class RNNModelFused:
    """A training step that builds no graph; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.param_vector, self.params = as_one_vector(params)
        self.grad_vector, self.grads = as_one_vector(params)
        self.set_params(params)
        self.act, self.act_backward = ACTIVATIONS[activation]
        self.lr, self.theta = lr, theta
        self._allocate(0, 0)

    def set_params(self, values: Sequence[Tensor]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param.copy_(value)

    def _allocate(self, num_steps: int, batch_size: int) -> None:
        """Buffers for H_0 ... H_T, dA and dO: new ones would cost their page faults every step."""
        vocab_size, num_hiddens = self.params[0].shape
        self.H = self.param_vector.new_empty(num_steps + 1, batch_size, num_hiddens)
        self.H_t = self.H.unbind()
        self.dA = self.param_vector.new_empty(num_steps, batch_size, num_hiddens)
        self.dO = self.param_vector.new_empty(num_steps, batch_size, vocab_size)
        self.ones = self.param_vector.new_ones(num_steps, batch_size, 1)

    def begin_state(self, batch_size: int) -> State:
        return (self.param_vector.new_zeros(batch_size, self.H.shape[2]),)

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        H = self._hidden_states(self._time_major(X), state)
        return self._outputs(H), (H[-1].clone(),)

    def _time_major(self, indices: Array) -> Tensor:
        """Indices (B, T), in NumPy or a list, as a tensor (T, B) on the device."""
        return torch.as_tensor(indices, device=self.H.device).T.long().contiguous()

    def _hidden_states(self, X: Tensor, state: State) -> Tensor:
        """H_0 ... H_T (T + 1, B, H), valid until the next call."""
        W_xh, W_hh, b_h, _, _ = self.params
        if len(self.H) != len(X) + 1 or self.H.shape[1] != X.shape[1]:
            self._allocate(*X.shape)
        self.H_t[0].copy_(state[0])
        torch.index_select(W_xh + b_h, 0, X.view(-1), out=self.H[1:].flatten(0, 1))
        add_hidden, act = add_product(X.shape[1], W_hh), self.act
        for t in range(1, len(self.H_t)):
            act(add_hidden(self.H_t[t], self.H_t[t - 1]), out=self.H_t[t])
        return self.H

    def _outputs(self, H: Tensor) -> Tensor:
        """Logits (N, V), time-major."""
        return affine(H[1:].flatten(0, 1), self.params[3], self.params[4])

    def _backpropagate(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        """The mean loss and the new state; the gradients go into `grads`."""
        _, W_hh, _, W_hq, _ = self.params
        dW_xh, dW_hh, db_h, dW_hq, db_q = self.grads
        X, Y = self._time_major(X), self._time_major(Y).view(-1)
        H, H_t = self._hidden_states(X, state), self.H_t
        dO = self.dO.flatten(0, 1)
        l = loss_and_gradient(self._outputs(H), Y, dO)

        sum_of_products(H[1:], self.dO, out=dW_hq)
        sum_of_products(self.ones, self.dO, out=db_q.unsqueeze(0))
        dA = multiply(dO, W_hq.T, out=self.dA.flatten(0, 1))
        dA_t, act_backward = self.dA.unbind(), self.act_backward
        act_backward(dA_t[-1], H_t[-1], grad_input=dA_t[-1])
        add_hidden = add_product(X.shape[1], W_hh.T)
        for t in range(len(dA_t) - 2, -1, -1):
            act_backward(add_hidden(dA_t[t], dA_t[t + 1]), H_t[t + 1], grad_input=dA_t[t])
        sum_of_products(H[:-1], self.dA, out=dW_hh)
        sum_by_token(dA, X.view(-1), dW_xh, by_product=dA.is_cuda and SAME_BITS)
        torch.sum(dW_xh, dim=0, out=db_h)  # each token's dA_t lies in one row of dW_xh
        return l, (H_t[-1].clone(),)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        l, state = self._backpropagate(X, Y, state)
        return l, [grad.clone() for grad in self.grads], state

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l, state = self._backpropagate(X, Y, state)
        step = self.lr
        if self.theta:
            norm = float(torch.dot(self.grad_vector, self.grad_vector)) ** 0.5
            step *= self.theta / max(self.theta, norm)
        self.param_vector.sub_(self.grad_vector, alpha=step)
        return l, state
