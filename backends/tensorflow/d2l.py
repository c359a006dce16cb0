"""Names that chapter 9 imports as `d2l`, in TensorFlow.

The networks at the end are as the chapter builds them: inputs are (num_steps, batch_size,
num_inputs), outputs of a language model (batch_size, num_steps, vocab_size). Floats are of the
type `keras.config.floatx()`, which Keras's own layers follow until the first of them is made.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from backends.tensorflow import scratch
from common.batches import NUM_TRAIN, NUM_VAL
from common.d2l import data, training
from common.d2l.base import HyperParameters, add_to_class
from common.d2l.checks import check_inputs, check_len, check_prefix, check_shape, check_sizes
from common.d2l.data import DATA_URL, TimeMachineText, Vocab, download, windows
from common.d2l.plotting import ProgressBoard, plot


class TensorLoader(data.TensorLoader):
    """Minibatches of tensors; see `common.d2l.data.TensorLoader`."""

    def take(self, tensor, places):
        """The rows of a tensor at these places (n,)."""
        return tf.gather(tensor, places)


class DataModule(data.DataModule):
    """Base of data; see `common.d2l.data.DataModule`."""

    Loader = TensorLoader


# Short functions of section 2.1 and later
float32, int64 = tf.float32, tf.int64
tensor, arange = tf.constant, tf.range
sin, exp, tanh, matmul, argmax = tf.sin, tf.exp, tf.tanh, tf.matmul, tf.argmax
concat, stack, swapaxes = tf.concat, tf.stack, tf.experimental.numpy.swapaxes


def zeros(shape, dtype=None):
    """A tensor of zeros."""
    return tf.zeros(shape, dtype or keras.config.floatx())


def ones(shape, dtype=None):
    """A tensor of ones."""
    return tf.ones(shape, dtype or keras.config.floatx())


def randn(*shape):
    """A tensor drawn from N(0, 1)."""
    return tf.random.normal(shape, dtype=keras.config.floatx())


def reshape(x, shape):
    """The tensor in another shape, which may be a number."""
    return tf.reshape(x, [shape] if isinstance(shape, int) else shape)


def numpy(x):
    """The tensor or variable as a NumPy array."""
    return x.numpy()


def try_gpu(i=0):
    """GPU i where there is one, else the CPU, as a context: ``with d2l.try_gpu(): ...``."""
    return tf.device(f"GPU:{i}" if len(tf.config.list_physical_devices("GPU")) > i else "CPU:0")


class Module(training.Module, tf.Module):
    """Base of models; see `common.d2l.training.Module`.

    Attributes:
        net: Keras layer or model that `forward` applies.
        training: True while it trains, for layers that tell the two apart.
    """

    training = False

    def __init__(self):
        super().__init__()
        self.board = ProgressBoard()

    def __call__(self, *inputs):
        """`forward` of the inputs."""
        return self.forward(*inputs)

    def forward(self, X):
        """The predictions of the inputs X."""
        return self.net(X, training=self.training)

    @property
    def trainable_variables(self):
        """Variables of its own, of the modules in it, and of the Keras layers in all of them."""
        layers = self._flatten(predicate=lambda part: isinstance(part, keras.layers.Layer))
        weights = [weight.value for layer in layers for weight in layer.trainable_weights]
        return (*super().trainable_variables, *weights)

    def configure_optimizers(self):
        """Minibatch stochastic gradient descent, with the learning rate `lr`."""
        # Cast to each variable's type, where Keras would keep a number in float32
        return keras.optimizers.SGD(lambda: tf.constant(self.lr, tf.float64))


class Trainer(training.Trainer):
    """Loop of training and validation; see `common.d2l.training.Trainer`.

    TensorFlow itself computes on a GPU it sees, also with num_gpus=0: to keep it off, make and
    train the model in ``with tf.device("CPU"): ...``.
    """

    def all_gpus(self):
        """The GPUs that TensorFlow sees."""
        return [try_gpu(i) for i in range(len(tf.config.list_physical_devices("GPU")))]

    def train_on(self, batch):
        """Forward, backward, clip, update: the loss before the update."""
        self.model.training = True
        with tf.GradientTape() as tape:
            l = self.model.training_step(batch)
        params = self.model.trainable_variables
        grads = tape.gradient(l, params)
        if self.gradient_clip_val > 0:
            grads = self.clip_gradients(self.gradient_clip_val, grads)
        self.optim.apply_gradients(zip(grads, params, strict=True))
        return l

    def validate_on(self, batch):
        """Forward alone."""
        self.model.training = False
        self.model.validation_step(batch)

    def clip_gradients(self, grad_clip_val, grads):
        """The gradients, scaled together so that their norm is at most grad_clip_val."""
        return scratch.grad_clipping(grads, grad_clip_val)


class Classifier(Module):
    """Base of models whose outputs are logits, of one class or more, the last axis theirs."""

    def loss(self, Y_hat, Y):
        """The mean cross-entropy of logits (..., classes) against labels (...)."""
        return tf.reduce_mean(scratch.cross_entropy(Y_hat, Y))

    def accuracy(self, Y_hat, Y):
        """The part of the labels whose logit is the largest."""
        right = argmax(Y_hat, axis=-1, output_type=Y.dtype) == Y
        return tf.reduce_mean(tf.cast(right, Y_hat.dtype))

    def validation_step(self, batch):
        """Plot loss and accuracy of a minibatch."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)


class LinearRegression(Module):
    """Linear regression (section 3.5), of inputs of any width: weights N(0, 0.01²), bias zero."""

    def __init__(self, lr):
        super().__init__()
        self.save_hyperparameters()
        normal = keras.initializers.RandomNormal(stddev=0.01)
        self.net = keras.layers.Dense(1, kernel_initializer=normal, dtype=keras.config.floatx())

    def loss(self, y_hat, y):
        """The mean squared error."""
        return tf.reduce_mean((y_hat - y) ** 2)


class TimeMachine(TimeMachineText, DataModule):
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
        self.W_xh = tf.Variable(randn(num_inputs, num_hiddens) * sigma)
        self.W_hh = tf.Variable(randn(num_hiddens, num_hiddens) * sigma)
        self.b_h = tf.Variable(zeros(num_hiddens))

    def forward(self, inputs, state=None):
        """The hidden states as a list, and the last: (batch_size, num_hiddens) each.

        The state may be one such, alone or in a tuple; None is zeros.
        """
        H = state[0] if isinstance(state, tuple) else state
        check_inputs(inputs, H, self.num_inputs, self.num_hiddens)
        if H is None:
            H = zeros((inputs.shape[1], self.num_hiddens), self.b_h.dtype)
        outputs = []
        for X in tf.unstack(inputs):
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
        self.W_hq = tf.Variable(randn(self.rnn.num_hiddens, self.vocab_size) * self.rnn.sigma)
        self.b_q = tf.Variable(zeros(self.vocab_size))

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
        return tf.one_hot(tf.transpose(X), self.vocab_size, dtype=keras.config.floatx())

    def output_layer(self, rnn_outputs):
        """The logits (batch_size, num_steps, vocab_size) of the hidden states."""
        return stack([matmul(H, self.W_hq) + self.b_q for H in rnn_outputs], 1)

    def forward(self, X, state=None):
        """The logits after each of the indices X (batch_size, num_steps)."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state)
        return self.output_layer(rnn_outputs)

    def predict(self, prefix, num_preds, vocab, device=None):
        """The prefix and the num_preds most likely characters after it, computed on a device."""
        check_prefix(prefix, vocab)
        state, outputs = None, [vocab[prefix[0]]]
        with device or tf.device(None):
            for i in range(len(prefix) + num_preds - 1):
                X = tensor([[outputs[-1]]])
                rnn_outputs, state = self.rnn(self.one_hot(X), state)
                if i < len(prefix) - 1:  # Warm the state up with the prefix
                    outputs.append(vocab[prefix[i + 1]])
                else:
                    outputs.append(int(argmax(self.output_layer(rnn_outputs), axis=2)[0, 0]))
        return "".join(vocab.idx_to_token[i] for i in outputs)


class RNN(Module):
    """The RNN of section 9.6, by `keras.layers.SimpleRNN`: the hidden states are one tensor."""

    def __init__(self, num_inputs, num_hiddens):
        super().__init__()
        check_sizes(num_inputs=num_inputs, num_hiddens=num_hiddens)
        self.save_hyperparameters()
        self.rnn = keras.layers.SimpleRNN(
            num_hiddens, return_sequences=True, return_state=True, dtype=keras.config.floatx()
        )
        self.rnn.build((None, None, num_inputs))

    def forward(self, inputs, H=None):
        """The hidden states (num_steps, batch_size, num_hiddens), and the last of them."""
        hiddens, H = self.rnn(swapaxes(inputs, 0, 1), initial_state=H)  # Keras puts batches first
        return swapaxes(hiddens, 0, 1), H


class RNNLM(RNNLMScratch):
    """The language model of section 9.6.

    Keras's layers have one bias each: from the weights of `RNNLMScratch` it is the same network.
    Their own first weights are others, Glorot's and an orthogonal W_hh.
    """

    def init_params(self):
        """Draw the output layer."""
        self.linear = keras.layers.Dense(self.vocab_size, dtype=keras.config.floatx())
        self.linear.build((None, None, self.rnn.num_hiddens))

    def output_layer(self, hiddens):
        """The logits (batch_size, num_steps, vocab_size) of the hidden states."""
        return swapaxes(self.linear(hiddens), 0, 1)
