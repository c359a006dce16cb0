"""The JAX edition's modules in Flax NNX, he_normal: the parameters; ``scratch.py`` computes.

The book's functions take them as they take `scratch.RNNModelScratch`.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx

from backends.jax import scratch


class RNNScratch(nnx.Module):
    """The recurrent layer, tanh."""

    def __init__(self, num_inputs: int, num_hiddens: int, rngs: nnx.Rngs):
        he_normal, zeros = nnx.initializers.he_normal(), nnx.initializers.zeros_init()
        self.W_xh = nnx.Param(he_normal(rngs(), (num_inputs, num_hiddens)))
        self.W_hh = nnx.Param(he_normal(rngs(), (num_hiddens, num_hiddens)))
        self.b_h = nnx.Param(zeros(rngs(), (num_hiddens,)))
        self.num_hiddens = num_hiddens

    def __call__(self, inputs, state=None):
        """The hidden states as a list, and the last of them, for inputs (steps, batch, inputs)."""
        if state is None:
            state = scratch.init_rnn_state(inputs.shape[1], self.num_hiddens)
        params = [self.W_xh[...], self.W_hh[...], self.b_h[...]]
        state, outputs = scratch.hidden_states(inputs, state[0], params, jnp.tanh)
        return list(outputs), state


class RNNLMScratch(nnx.Module):
    """The language model, which that edition leaves open, completed."""

    init_state, forward_fn = staticmethod(scratch.init_rnn_state), staticmethod(scratch.rnn)
    forward, begin_state = scratch.RNNModelScratch.forward, scratch.RNNModelScratch.begin_state

    def __init__(self, rnn: RNNScratch, vocab_size: int, rngs: nnx.Rngs):
        he_normal, zeros = nnx.initializers.he_normal(), nnx.initializers.zeros_init()
        self.vocab_size, self.num_hiddens = vocab_size, rnn.num_hiddens
        self.rnn = rnn
        self.W_hq = nnx.Param(he_normal(rngs(), (rnn.num_hiddens, vocab_size)))
        self.b_q = nnx.Param(zeros(rngs(), (vocab_size,)))

    @property
    def params(self):
        """The five parameters, in the book's order, as values."""
        return [param.get_value() for param in self._params()]

    def set_params(self, values):
        """Replace the values of the five parameters."""
        for param, value in zip(self._params(), values, strict=True):
            param.set_value(value)

    def _params(self):
        return self.rnn.W_xh, self.rnn.W_hh, self.rnn.b_h, self.W_hq, self.b_q

    def __call__(self, X, state=None):
        """The outputs and the new state for indices X, once it is seen that they fit."""
        state = self.begin_state(len(X)) if state is None else state
        return scratch.RNNModelScratch.__call__(self, X, state)
