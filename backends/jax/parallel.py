"""The chapter's step on several devices in JAX: a mesh of them, and arrays laid out on it.

Parameters are replicated, minibatches and states split by rows (`common.shards`): into equal parts
alone, so that a device with fewer rows has some twice, which the second time count nothing.
`shard_map` runs a function on every device, on its own rows, and `psum` adds losses and gradients;
what comes after is on every device the same: https://docs.jax.dev/en/latest/notebooks/shard_map.html
"""

from __future__ import annotations

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from backends.jax import adapter, scratch
from common.shards import SplitState, meeting_point, rank, split, too_few, world_size

ALIKE, ROWS = PartitionSpec(), PartitionSpec("devices")


@cache
def join(devices, device):
    """Lay so many devices out as a mesh; the network that they compute together.

    A process has all that it sees. Where RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT say that
    there are several processes, as ``torchrun`` does, they are brought together first.

    Raises:
        RequestError: there are not so many devices.
    """
    if world_size() > 1:
        jax.distributed.initialize(meeting_point(), world_size(), rank())
    platform = "cpu" if device == "cpu" else jax.default_backend()
    found = jax.devices(platform)
    if len(found) < devices:
        raise too_few(devices, len(found), "JAX", f"{platform} device")
    axes = (devices,), ("devices",), (AxisType.Auto,)
    return partial(ParallelNetwork, jax.make_mesh(*axes, devices=found[:devices]))


@cache
def places(batch_size, devices):
    """The rows of each device, as many on all, and what each of them counts."""
    shards, rows, counts = split(batch_size, devices), [], []
    for mine, share in shards:
        own, most = np.arange(batch_size)[mine], np.arange(shards[0].rows.stop)
        rows.append(np.resize(own, most.shape))
        counts.append((most < len(own)) * share / len(own))
    return np.concatenate(rows), np.concatenate(counts)


def shard(A, mesh):
    """The rows of a state, on their devices."""
    rows, _ = places(len(A), mesh.size)
    return jax.device_put(np.asarray(A)[rows], NamedSharding(mesh, ROWS))


def add(values):
    """The sums of values over all devices."""
    return jax.lax.psum(values, "devices")


@partial(jax.jit, static_argnames=("batch_size", "mesh"))
def gather(A, batch_size, mesh):
    """The rows of all devices, whose dimension is the last but one, each once, on every device."""
    A = jax.lax.with_sharding_constraint(A, NamedSharding(mesh, ALIKE))
    return jnp.take(A, np.flatnonzero(places(batch_size, mesh.size)[1]), axis=-2)


def of_shard(params, X, Y, counts, state, forward_fn, loss):
    """The loss and the gradients of a device's rows, by what they count, and their state."""

    def objective(params):
        y_hat, new_state = scratch.apply(params, X, state, forward_fn)
        losses = loss(y_hat, Y.T.reshape(-1)).reshape(Y.T.shape)
        return (losses.mean(axis=0) * counts).sum(), new_state

    params = jax.lax.pcast(params, "devices", to="varying")  # else JAX adds up by itself
    (l, state), grads = jax.value_and_grad(objective, has_aux=True)(params)
    return l, grads, state


@partial(jax.jit, static_argnames=("mesh", "forward_fn", "loss"))
def loss_and_grads(params, X, Y, state, mesh, forward_fn, loss):
    """The mean loss, the gradients before clipping, and the new state."""
    rows, counts = places(len(X), mesh.size)
    arrays = params, X[rows], Y[rows], counts.astype(params[0].dtype), state
    given, found = (ALIKE, ROWS, ROWS, ROWS, ROWS), (ALIKE, ALIKE, ROWS)

    def on_each(*arrays):
        l, grads, state = of_shard(*arrays, forward_fn, loss)
        return *add((l, grads)), state

    return jax.shard_map(on_each, mesh=mesh, in_specs=given, out_specs=found)(*arrays)


@partial(jax.jit, static_argnames=("mesh", "forward_fn", "loss", "theta"))
def update(params, X, Y, state, mesh, forward_fn, loss, updater, theta):
    """`train_step` as a function of values: the loss, the new state, the new parameters."""
    l, grads, state = loss_and_grads(params, X, Y, state, mesh, forward_fn, loss)
    if theta:
        grads = scratch.grad_clipping(grads, theta)
    return l, state, updater(params, grads, batch_size=1)  # the loss is a mean already


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, add, clip (not where theta is 0), update."""
    given = model.params, X, Y, tuple(state), model.mesh, model.forward_fn
    l, new_state, params = update(*given, loss, updater, theta)
    model.set_params(params)
    return l, model.hold(new_state, len(X))


class ParallelNetwork(adapter.ScratchNetwork):
    """The pages' model on a mesh of devices, as a `common.interface.Network`."""

    def __init__(self, mesh, params, *settings, **extended):
        values = jax.device_put([*map(np.asarray, params)], NamedSharding(mesh, ALIKE))
        super().__init__(values, *settings, **extended)
        self.mesh = mesh

    def hold(self, H, batch_size):
        """The state of so many rows, of which every device has some."""
        return SplitState(H, partial(gather, batch_size=batch_size, mesh=self.mesh))

    def split_state(self, state):
        """A state of all rows, split: what `common.shards.whole` puts together again."""
        return self.hold([shard(H, self.mesh) for H in state], len(state[0]))

    def begin_state(self, batch_size):
        state = self.init_state(batch_size, self.num_hiddens)
        return self.split_state([H.astype(self.params[0].dtype) for H in state])

    def __call__(self, X, state):
        rows, _ = places(len(X), self.mesh.size)
        Y, new_state = super().__call__(np.asarray(X)[rows], state)
        Y = gather(Y.reshape(-1, len(rows), self.vocab_size), len(X), self.mesh)
        return Y.reshape(-1, self.vocab_size), self.hold(new_state, len(X))

    def loss_and_grads(self, X, Y, state):
        given = self.params, X, Y, tuple(state), self.mesh, self.forward_fn
        l, grads, new_state = loss_and_grads(*given, self.loss)
        return l, grads, self.hold(new_state, len(X))

    def train_step(self, X, Y, state):
        return train_step(self, X, Y, state, self.loss, self.updater, self.theta)
