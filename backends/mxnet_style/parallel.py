"""The chapter's step on several devices in MXNet: a context each, and a store that adds.

Every device has its own copy of the parameters and its own rows of the minibatch
(`common.shards`). The key-value store adds the losses and the gradients of all devices and gives
the sums to each, which clips them and takes the same step. See
https://mxnet.apache.org/versions/1.9.1/api/python/docs/tutorials/packages/kvstore/kvstore.html.
"""

from __future__ import annotations

from functools import partial

from backends.mxnet_style import adapter, scratch
from backends.mxnet_style.engine import cpu, kvstore, nd
from common.errors import RequestError
from common.shards import SplitState, split


def join(devices, device):
    """Take so many devices; the network that they compute together.

    Raises:
        RequestError: the engine has one device.
    """
    if kvstore is None:
        raise RequestError(f"--devices {devices}: the embedded engine has one device")
    return partial(ParallelNetwork, [cpu(i) for i in range(devices)])


def shard(A, contexts):
    """The rows of a minibatch or of a state, a part for each device."""
    shards = split(len(A), len(contexts))
    return [
        nd.array(A[rows], ctx=context) for (rows, _), context in zip(shards, contexts, strict=True)
    ]


def add(store, values):
    """The sums of values, each a list over devices, on every device."""
    for key, parts in enumerate(values):
        store.pushpull(key, parts, out=parts)
    return values


def gather(parts, batch_size):
    """The rows of all devices, whose dimension is the last but one, on the first."""
    first = parts[0].context
    axis = parts[0].ndim - 2
    together = nd.concat(*[part.as_in_context(first) for part in parts], dim=axis)
    return together.slice_axis(axis, 0, batch_size)


def of_shard(replica, X, Y, state, loss, share):
    """The loss and the gradients of a device's rows, by what they count, and their state."""
    l, grads, state = scratch.loss_and_grads(replica, X, Y, state, loss)
    return l * share, [grad * share for grad in grads], scratch.detach(state)


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping (also in ``param.grad``), and the new state."""
    shards = split(len(X), len(model.replicas))
    found = [
        of_shard(replica, X[rows], Y[rows], mine, loss, share)
        for replica, mine, (rows, share) in zip(
            model.replicas, zip(*state, strict=True), shards, strict=True
        )
    ]
    losses, gradients, states = zip(*found, strict=True)
    l, *sums = add(model.store, [list(losses), *map(list, zip(*gradients, strict=True))])
    for i, replica in enumerate(model.replicas):
        for param, grad in zip(replica.params, sums, strict=True):
            param.grad[:] = grad[i]
    return l[0], [grad[0] for grad in sums], model.hold(zip(*states, strict=True), len(X))


def train_step(model, X, Y, state, loss, updaters, theta):
    """Forward, backward, add, clip (not where theta is 0), update, the last two on each device."""
    l, _, state = loss_and_grads(model, X, Y, state, loss)
    for replica, updater in zip(model.replicas, updaters, strict=True):
        if theta:
            scratch.grad_clipping(replica, theta)
        updater(batch_size=1)  # the loss is a mean already
    return l.asscalar(), state


class ParallelNetwork(adapter.ScratchNetwork):
    """The pages' model in a copy on each of several devices, as a `common.interface.Network`."""

    def __init__(self, contexts, params, *settings, **extended):
        super().__init__(params, *settings, **extended)
        self.contexts, self.store = contexts, kvstore.create("local")
        self.store.init([*range(1 + len(params))], [nd.zeros(1, dtype=params[0].dtype), *params])
        self.replicas = [
            adapter.ScratchNetwork([param.copyto(c) for param in params], *settings, **extended)
            for c in contexts
        ]
        self.updaters = [replica.updater for replica in self.replicas]
        self.params = self.replicas[0].params

    def set_params(self, values):
        for replica in self.replicas:
            replica.set_params(values)

    def hold(self, H, batch_size):
        """The state of so many rows, of which every device has some."""
        return SplitState(H, partial(gather, batch_size=batch_size))

    def split_state(self, state):
        """A state of all rows, split: what `common.shards.whole` puts together again."""
        return self.hold([shard(H, self.contexts) for H in state], len(state[0]))

    def begin_state(self, batch_size):
        return self.split_state(super().begin_state(batch_size))

    def __call__(self, X, state):
        batch_size, num_steps = len(X), len(X[0])
        shards = zip(self.replicas, shard(X, self.contexts), zip(*state, strict=True), strict=True)
        found = [replica(rows, mine) for replica, rows, mine in shards]
        outputs, states = zip(*found, strict=True)
        parts = [Y.reshape((num_steps, -1, self.vocab_size)) for Y in outputs]
        Y = gather(parts, batch_size).reshape((-1, self.vocab_size))
        return Y, self.hold(zip(*states, strict=True), batch_size)

    def loss_and_grads(self, X, Y, state):
        return loss_and_grads(self, X, Y, state, self.loss)

    def train_step(self, X, Y, state):
        return train_step(self, X, Y, state, self.loss, self.updaters, self.theta)
