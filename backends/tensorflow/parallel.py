"""The chapter's step on several devices in TensorFlow: a strategy, and variables mirrored by it.

Every replica has a copy of the parameters and its own rows of the minibatch (`common.shards`), and
what it computes of them is compiled. The strategy adds losses and gradients of all and applies the
clipped sum to every copy. See https://www.tensorflow.org/guide/distributed_training.
"""

from __future__ import annotations

import os
from functools import cache, partial

import tensorflow as tf

from backends.tensorflow import adapter, scratch
from common.shards import SplitState, split, too_few


@cache
def join(devices, device):
    """Make a strategy of so many devices; the network that they compute together.

    A CPU becomes several logical ones, before anything is computed on it. Where TF_CONFIG says that
    there are several processes, each brings the one device that it has.

    Raises:
        RequestError: there are not so many devices.
    """
    kind = "GPU" if device != "cpu" and tf.config.list_physical_devices("GPU") else "CPU"
    if "TF_CONFIG" in os.environ:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    else:
        if kind == "CPU":
            (cpu,) = tf.config.list_physical_devices("CPU")
            logical = [tf.config.LogicalDeviceConfiguration()] * devices
            tf.config.set_logical_device_configuration(cpu, logical)
        names = [place.name for place in tf.config.list_logical_devices(kind)]
        strategy = tf.distribute.MirroredStrategy(names[:devices])
    if (found := strategy.num_replicas_in_sync) != devices:
        raise too_few(devices, found, "TensorFlow", kind)
    return partial(ParallelNetwork, strategy)


def own(batch_size, model):
    """The network, the rows and the share of the replica that asks."""
    number = int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))
    rows, share = split(batch_size, model.strategy.num_replicas_in_sync)[number]
    return model.replicas[number % len(model.replicas)], rows, share  # a process has its own alone


@tf.function
def shard(A, model):
    """The rows of a state, on their replicas."""
    return model.strategy.run(lambda: tf.identity(A[own(len(A), model)[1]]))


def add(values, model):
    """The sums of values over all replicas."""
    return [model.strategy.reduce("SUM", value, axis=None) for value in values]


@tf.function
def gather(A, batch_size, model):
    """The rows of all replicas, whose dimension is the last but one: the sum of what each has."""

    def padded(A):
        _, rows, share = own(batch_size, model)
        around = [[0, 0]] * (len(A.shape) - 2) + [[rows.start, batch_size - rows.stop], [0, 0]]
        return tf.pad(A, around) * tf.cast(share > 0, A.dtype)

    return add([model.strategy.run(padded, [A])], model)[0]


@tf.function(jit_compile=True)
def of_shard(replica, X, Y, state, loss, share):
    """The loss and the gradients of a replica's rows, by what they count, and their state."""
    l, grads, state = scratch.loss_and_grads(replica, X, Y, state, loss)
    return l * share, [grad * share for grad in grads], state


@tf.function
def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping, and the new state."""

    def on_each(state):
        replica, rows, share = own(len(X), model)
        return of_shard(replica, X[rows], Y[rows], state, loss, share)

    l, grads, state = model.strategy.run(on_each, [state])
    l, *grads = add([l, *grads], model)
    return l, grads, state


@tf.function
def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, add, clip (not where theta is 0), update."""
    l, grads, state = loss_and_grads(model, X, Y, state, loss)
    if theta:
        grads = scratch.grad_clipping(grads, theta)
    updater(model.params, grads, batch_size=1)  # the loss is a mean already
    return l, state


class ParallelNetwork(adapter.ScratchNetwork):
    """The pages' model mirrored on several devices, as a `common.interface.Network`."""

    def __init__(self, strategy, params, *settings, **extended):
        with strategy.scope():
            params = [tf.Variable(param, name=param.name.split(":")[0]) for param in params]
        super().__init__(params, *settings, **extended)
        self.strategy = strategy
        copies = zip(*[param.values for param in params], strict=True)
        self.replicas = [adapter.ScratchNetwork(c, *settings, **extended) for c in copies]

    def hold(self, H, batch_size):
        """The state of so many rows, of which every device has some."""
        return SplitState(H, partial(gather, batch_size=batch_size, model=self))

    def split_state(self, state):
        """A state of all rows, split: what `common.shards.whole` puts together again."""
        return self.hold([shard(H, self) for H in state], len(state[0]))

    def begin_state(self, batch_size):
        return self.split_state(super().begin_state(batch_size))

    @tf.function
    def forward(self, X, state):
        def on_each(state):
            replica, rows, _ = own(len(X), self)
            Y, new_state = replica(X[rows], state)
            return tf.reshape(Y, [X.shape[1], -1, self.vocab_size]), new_state

        Y, new_state = self.strategy.run(on_each, [state])
        return tf.reshape(gather(Y, len(X), self), [-1, self.vocab_size]), new_state

    def __call__(self, X, state):
        Y, new_state = self.forward(X, tuple(state))
        return Y, self.hold(new_state, len(X))

    def loss_and_grads(self, X, Y, state):
        l, grads, new_state = loss_and_grads(self, X, Y, tuple(state), self.loss)
        return l, grads, self.hold(new_state, len(X))

    def train_step(self, X, Y, state):
        l, new_state = train_step(self, X, Y, tuple(state), self.loss, self.updater, self.theta)
        return l, self.hold(new_state, len(X))


COMPILED = [of_shard, train_step]
