"""The chapter's step on several devices in JAX: a mesh of them, and arrays laid out on it.

Parameters are replicated, minibatches and states split by rows (`common.shards`). `shard_map` runs
one function on every device, on its own rows, and `psum` adds the losses and the gradients of all;
what comes after it, clipping and the update, is on every device the same. See
https://docs.jax.dev/en/latest/notebooks/shard_map.html.

Arrays are split into equal parts alone: a device with fewer rows than the first has some of them
twice, and what it has a second time counts nothing.
"""

from __future__ import annotations

import os
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from backends.jax import adapter, scratch
from common.shards import SplitState, rank, split, too_few, world_size

ALIKE, ROWS = PartitionSpec(), PartitionSpec("devices")
ROWS_OF_STEPS = PartitionSpec(None, "devices")


def on_every_device(mesh, in_specs, out_specs):
    """A decorator: the function runs on every device of a mesh, on what the device has."""
    return partial(jax.shard_map, mesh=mesh, in_specs=in_specs, out_specs=out_specs)


@cache
def join(devices, device):
    """Lay so many devices out as a mesh; the network that they compute together.

    A process has all devices that it sees. Where RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT say
    that there are several processes, as ``torchrun`` does, they are brought together first.

    Raises:
        RequestError: there are not so many devices.
    """
    if world_size() > 1:
        address = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        jax.distributed.initialize(address, world_size(), rank())
    platform = "cpu" if device == "cpu" else jax.default_backend()
    found = jax.devices(platform)
    if len(found) < devices:
        raise too_few(devices, len(found), "JAX", f"{platform} device")
    places, axes = found[:devices], (AxisType.Auto,)
    return partial(ParallelNetwork, jax.make_mesh((devices,), ("devices",), axes, devices=places))


@cache
def places(batch_size, devices):
    """The rows of each device, as many on all, and what each of them counts."""
    shards = split(batch_size, devices)
    most, rows, counts = shards[0].rows.stop, [], []
    for mine, share in shards:
        own = range(batch_size)[mine]
        spare = most - len(own)
        rows += [*own, *[own[0]] * spare]
        counts += [share / len(own)] * len(own) + [0.0] * spare
    return np.array(rows), np.array(counts)


def shard(A, mesh):
    """The rows of a minibatch or of a state, on their devices."""
    rows, _ = places(len(A), mesh.size)
    return jax.device_put(np.asarray(A)[rows], NamedSharding(mesh, ROWS))


def add(values):
    """The sums of values over all devices."""
    return jax.lax.psum(values, "devices")


@partial(jax.jit, static_argnames=("batch_size", "mesh"))
def gather(A, batch_size, mesh):
    """The rows of all devices, whose dimension is the last but one, each once, on every device."""
    _, counts = places(batch_size, mesh.size)
    A = jax.lax.with_sharding_constraint(A, NamedSharding(mesh, ALIKE))
    return jnp.take(A, np.flatnonzero(counts), axis=-2)


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
def loss_and_grads(params, X, Y, counts, state, mesh, forward_fn, loss):
    """The mean loss, the gradients before clipping, and the new state."""

    @partial(
        jax.shard_map, mesh=mesh, in_specs=(ALIKE, *[ROWS] * 4), out_specs=(ALIKE, ALIKE, ROWS)
    )
    def on_each(*arrays):
        l, grads, state = of_shard(*arrays, forward_fn, loss)
        return *add((l, grads)), state

    return on_each(params, X, Y, counts, state)


@partial(jax.jit, static_argnames=("mesh", "forward_fn", "loss", "theta"))
def update(params, X, Y, counts, state, mesh, forward_fn, loss, updater, theta):
    """`train_step` as a function of values: the loss, the new state, the new parameters."""
    l, grads, state = loss_and_grads(params, X, Y, counts, state, mesh, forward_fn, loss)
    if theta:
        grads = scratch.grad_clipping(grads, theta)
    return l, state, updater(params, grads, batch_size=1)  # the loss is a mean already


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, add, clip (not where theta is 0), update."""
    arrays = model.on_devices(X, Y, state)
    l, new_state, params = update(*arrays, model.mesh, model.forward_fn, loss, updater, theta)
    model.set_params(params)
    return l, model.split_state(new_state, len(X))


@partial(jax.jit, static_argnames=("mesh", "forward_fn"))
def forward(params, X, state, mesh, forward_fn):
    """Outputs (steps, rows, vocabulary) and the new state, both split by rows."""

    @partial(
        jax.shard_map, mesh=mesh, in_specs=(ALIKE, ROWS, ROWS), out_specs=(ROWS_OF_STEPS, ROWS)
    )
    def on_each(params, X, state):
        Y, state = scratch.apply(params, X, state, forward_fn)
        return Y.reshape(X.shape[1], X.shape[0], -1), state

    return on_each(params, X, state)


class ParallelNetwork(adapter.ScratchNetwork):
    """The pages' model on a mesh of devices, as a `common.interface.Network`."""

    def __init__(self, mesh, params, *settings, **extended):
        super().__init__(jax.device_put(params, NamedSharding(mesh, ALIKE)), *settings, **extended)
        self.mesh = mesh

    def on_devices(self, X, Y, state):
        """What `loss_and_grads` computes with."""
        _, counts = places(len(X), self.mesh.size)
        counts = jax.device_put(counts.astype(self.params[0].dtype), NamedSharding(self.mesh, ROWS))
        return self.params, shard(X, self.mesh), shard(Y, self.mesh), counts, tuple(state)

    def split_state(self, state, batch_size):
        """The state of a minibatch, whose rows are on all devices."""
        return SplitState(state, partial(gather, batch_size=batch_size, mesh=self.mesh))

    def begin_state(self, batch_size):
        state = super().begin_state(batch_size)
        return self.split_state((shard(H, self.mesh) for H in state), batch_size)

    def __call__(self, X, state):
        X, batch_size = shard(X, self.mesh), len(X)
        Y, state = forward(self.params, X, tuple(state), self.mesh, self.forward_fn)
        Y = gather(Y, batch_size, self.mesh)
        return Y.reshape(-1, self.vocab_size), self.split_state(state, batch_size)

    def loss_and_grads(self, X, Y, state):
        arrays = self.on_devices(X, Y, state)
        l, grads, state = loss_and_grads(*arrays, self.mesh, self.forward_fn, self.loss)
        return l, grads, self.split_state(state, len(X))

    def train_step(self, X, Y, state):
        return train_step(self, X, Y, state, self.loss, self.updater, self.theta)
