"""The network of Keras's own layers, loss, optimizer and clipping, whatever the engine.

`SimpleRNN` and `Dense` hold the canonical weights as they are: one bias each, nothing transposed.
All is left at Keras's defaults. The step that trains it is of each engine, as the guides "Writing a
training loop from scratch" in JAX, PyTorch and TensorFlow on https://keras.io/guides have it:
``on_jax.py``, ``on_torch.py``, ``on_tensorflow.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras

from common.interface import Array, Outputs, State, Tensor


class RNNLM(keras.Model):
    """A recurrent layer and an output layer on tokens X (batch, steps)."""

    def __init__(self, vocab_size: int, num_hiddens: int, activation: str) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.rnn = keras.layers.SimpleRNN(
            num_hiddens, activation, return_sequences=True, return_state=True
        )
        self.dense = keras.layers.Dense(vocab_size)
        self.rnn.build((None, None, vocab_size))
        self.dense.build((None, None, num_hiddens))
        self.built = True

    def call(self, X: Array, H: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, steps, V), as Keras orders them, and the state after the last step."""
        inputs = keras.ops.one_hot(X, self.vocab_size, dtype=self.compute_dtype)
        hiddens, H = self.rnn(inputs, initial_state=H)
        return self.dense(hiddens), H


class RNNModel:
    """The model, its loss and its optimizer; see `common.interface.Network`.

    An engine adds `loss_and_grads` and `train_step`.
    """

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.vocab_size, self.num_hiddens = params[0].shape
        self.model = RNNLM(self.vocab_size, self.num_hiddens, activation)
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.optimizer = keras.optimizers.SGD(lr, global_clipnorm=theta or None)
        self.optimizer.build(self.model.trainable_variables)
        self.set_params(params)

    @property
    def params(self) -> list[Tensor]:
        return [variable.value for variable in self.model.trainable_variables]

    def set_params(self, values: Sequence[Tensor]) -> None:
        for variable, value in zip(self.model.trainable_variables, values, strict=True):
            variable.assign(value)

    def begin_state(self, batch_size: int) -> State:
        return (keras.ops.zeros((batch_size, self.num_hiddens), keras.config.floatx()),)

    def logits(self, X: Array, state: State) -> tuple[Tensor, Tensor]:
        """Logits (batch, steps, V) and the new state."""
        found: tuple[Tensor, Tensor] = self.model(X, *state)
        return found

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        logits, H = self.logits(X, state)
        return keras.ops.reshape(keras.ops.swapaxes(logits, 0, 1), (-1, self.vocab_size)), (H,)
