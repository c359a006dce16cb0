"""Needs of `test_d2l` in PyTorch."""

from contextlib import contextmanager

import torch

CANONICAL = {"rnn.W_xh": "W_xh", "rnn.W_hh": "W_hh", "rnn.b_h": "b_h", "W_hq": "W_hq", "b_q": "b_q"}


@contextmanager
def floats_are(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


seed = torch.manual_seed


def linear(num_inputs, num_outputs):
    return torch.nn.Linear(num_inputs, num_outputs)


def set_weights(model, weights):
    values = {mine: torch.tensor(weights[name]) for mine, name in CANONICAL.items()}
    model.load_state_dict(values)


def set_layers(model, weights):
    """The second bias of the framework's layer is zero, and stays so."""
    layer, linear = model.rnn.rnn, model.linear
    layer.bias_hh_l0.requires_grad_(False).zero_()
    trained = [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, linear.weight, linear.bias]
    with torch.no_grad():
        for param, value in zip(trained, weights.values(), strict=True):
            param.copy_(torch.tensor(value).t())
