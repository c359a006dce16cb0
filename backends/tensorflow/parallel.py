"""The chapter's step on several devices in TensorFlow: a strategy, and variables mirrored by it.

Every replica has its own copy of the parameters and its own rows of the minibatch
(`common.shards`); what it computes of them is compiled. The strategy adds the losses and the
gradients of all replicas, and applies what is clipped of them to every copy. See
https://www.tensorflow.org/guide/distributed_training.
"""

from __future__ import annotations

import os
from functools import cache, partial

import tensorflow as tf

from backends.tensorflow import adapter, scratch
from common.errors import RequestError
from common.shards import SplitState, split, too_few


@cache
def join(devices, device):
    """Make a strategy of so many devices; the network that they compute together.

    Of a CPU several logical ones are made, before anything is computed on it. Where TF_CONFIG says
    that there are several processes, each brings the one device that it has.

    Raises:
        RequestError: there are not so many devices.
    """
    gpus = tf.config.list_physical_devices("GPU") if device != "cpu" else []
    if "TF_CONFIG" in os.environ:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    elif gpus:
        strategy = tf.distribute.MirroredStrategy(
            [f"GPU:{i}" for i in range(min(devices, len(gpus)))]
        )
    else:
        (cpu,) = tf.config.list_physical_devices("CPU")
        logical = [tf.config.LogicalDeviceConfiguration()] * devices
        try:
            tf.config.set_logical_device_configuration(cpu, logical)
        except RuntimeError as error:
            raise RequestError(
                f"--devices {devices}: TensorFlow computes on one CPU already in this process: "
                "ask for several before it begins"
            ) from error
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(devices)])
    if strategy.num_replicas_in_sync != devices:
        found = strategy.num_replicas_in_sync
        raise too_few(devices, found, "TensorFlow", "GPU" if gpus else "process")
    return partial(ParallelNetwork, strategy)


def shard(A, strategy):
    """The rows of a minibatch or of a state, on their replicas."""
    shards = split(len(A), strategy.num_replicas_in_sync)
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.identity(A[shards[context.replica_id_in_sync_group].rows])
    )


def add(strategy, values):
    """The sums of values over all replicas."""
    return [strategy.reduce("SUM", value, axis=None) for value in values]


def gather(A, batch_size, strategy):
    """The rows of all replicas, whose dimension is the last but one."""
    first = strategy.experimental_local_results(A)[0]
    return strategy.gather(A, axis=len(first.shape) - 2)[..., :batch_size, :]


@tf.function(jit_compile=True)
def of_shard(replica, X, Y, state, loss, share):
    """The loss and the gradients of a replica's rows, by what they count, and their state."""
    l, grads, state = scratch.loss_and_grads(replica, X, Y, state, loss)
    return l * share, [grad * share for grad in grads], state


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping, and the new state."""
    shards = split(len(X), model.strategy.num_replicas_in_sync)

    def on_each(X, Y, state):
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        return of_shard(model.replica(), X, Y, state, loss, shards[number].share)

    arrays = shard(X, model.strategy), shard(Y, model.strategy), tuple(state)
    l, grads, state = model.strategy.run(on_each, arrays)
    l, *grads = add(model.strategy, [l, *grads])
    return l, grads, model.split_state(state, len(X))


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

    def replica(self):
        """The model with the copies of the parameters that are on this replica's device."""
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        return self.replicas[number % len(self.replicas)]

    def split_state(self, state, batch_size):
        """The state of a minibatch, whose rows are on all replicas."""
        return SplitState(state, partial(gather, batch_size=batch_size, strategy=self.strategy))

    def begin_state(self, batch_size):
        state = super().begin_state(batch_size)
        return self.split_state((shard(H, self.strategy) for H in state), batch_size)

    def __call__(self, X, state):
        def on_each(X, state):
            Y, state = self.replica()(X, state)
            return tf.reshape(Y, [X.shape[1], X.shape[0], -1]), state

        Y, new_state = self.strategy.run(on_each, (shard(X, self.strategy), tuple(state)))
        Y = gather(Y, len(X), self.strategy)
        return tf.reshape(Y, [-1, self.vocab_size]), self.split_state(new_state, len(X))

    def loss_and_grads(self, X, Y, state):
        return loss_and_grads(self, X, Y, state, self.loss)

    def train_step(self, X, Y, state):
        return train_step(self, X, Y, state, self.loss, self.updater, self.theta)


COMPILED = [of_shard]
