"""A right port in PyTorch, as a student may write it; `test_port` plants faults in its text."""

import numpy as np  # noqa: F401  some faults take it
import torch
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_, clip_grad_value_  # noqa: F401  some faults take them


class Port:
    """Parameters and an optimizer that live from call to call, as a module's do."""

    def __init__(self, dtype=torch.float64):
        self.dtype, self.params, self.H = dtype, None, None

    def step(self, weights, X, Y, state, lr, theta):
        if self.params is None:
            self.params = {
                n: torch.tensor(w, dtype=self.dtype, requires_grad=True) for n, w in weights.items()
            }
            self.optimizer = torch.optim.SGD(self.params.values(), lr=lr)
        for name, w in weights.items():
            self.params[name].data = torch.tensor(w, dtype=self.dtype)
        self.optimizer.zero_grad()
        W_xh, W_hh, b_h, W_hq, b_q = params = list(self.params.values())
        H = torch.tensor(state, dtype=self.dtype)
        outputs = []
        for x in torch.tensor(X).T:
            E = F.one_hot(x, len(W_xh)).to(self.dtype)
            H = torch.tanh(E @ W_xh + H @ W_hh + b_h)
            outputs.append(H @ W_hq + b_q)
        logits = torch.cat(outputs)
        loss = F.cross_entropy(logits, torch.tensor(Y).T.reshape(-1))
        loss.backward()
        gradients = [None if p.grad is None else p.grad.clone() for p in params]
        used = [p for p in params if p.grad is not None]
        norm = torch.sqrt(sum((p.grad**2).sum() for p in used))
        for p in used if norm > theta else ():
            p.grad *= theta / norm
        self.optimizer.step()
        self.H = H
        given = [p.detach().clone() for p in params]
        return {
            "logits": logits,
            "loss": loss,
            "gradients": gradients,
            "weights": given,
            "state": H,
        }
