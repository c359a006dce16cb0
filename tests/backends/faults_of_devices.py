"""Faults of one model on several devices: each takes a right function and gives a wrong one.

Functions have the same names in every ``parallel.py``; what a device's copy of the parameters is,
each framework has in its own way.
"""

import inspect
import sys
from types import SimpleNamespace

import numpy as np

from common.shards import rank, whole, world_size


def mean_over_devices(share):
    """The mean over devices, as if all had as many rows."""
    return lambda rows, batch_size, devices: 1 / devices


def clipped_before_the_sum(of_shard):
    """Every device clips its own gradients, and the sum is clipped once more."""
    scratch = sys.modules[of_shard_module(of_shard)].scratch

    def clipped(grads, theta):
        if "grads" in inspect.signature(scratch.grad_clipping).parameters:
            return scratch.grad_clipping(grads, theta)
        params = [SimpleNamespace(grad=grad) for grad in grads]
        scratch.grad_clipping(SimpleNamespace(params=params), theta)
        return grads

    def wrong(*given):
        l, grads, state = of_shard(*given)
        return l, clipped([*grads], 0.03), state

    return wrong


def of_shard_module(of_shard):
    """The name of the module of a function, compiled or not."""
    return getattr(of_shard, "python_function", of_shard).__module__


def state_of_another(train_step):
    """After a step, every device goes on with the rows of another; there are as many on each."""

    def moved(H):
        order = np.roll(np.arange(len(H)), len(H) // 2)
        framework = sys.modules.get("tensorflow")
        return framework.gather(H, order) if framework else H[order]

    def wrong(self, X, Y, state):
        l, state = train_step(self, X, Y, state)
        return l, self.split_state([*map(moved, whole(state))])

    return wrong


def one_not_updated(train_step):
    """The last device keeps its parameters as they were before the step."""

    def wrong(self, X, Y, state):
        keep = stale_copy(self)
        found = train_step(self, X, Y, state)
        keep()
        return found

    return wrong


def stale_copy(net):
    """A function that gives the last device back the parameters that it has now."""
    if hasattr(net, "mesh"):  # JAX: an array is what each device has of it
        old = [param.addressable_shards[-1].data for param in net.params]

        def keep():
            import jax

            net.params = [
                jax.make_array_from_single_device_arrays(
                    param.shape,
                    param.sharding,
                    [*[each.data for each in param.addressable_shards[:-1]], stale],
                )
                for param, stale in zip(net.params, old, strict=True)
            ]

        return keep
    if hasattr(net, "replicas"):  # TensorFlow and MXNet: a network a device
        last = net.replicas[-1]
        old = [param.copy() if hasattr(param, "copy") else param.numpy() for param in last.params]
        return lambda: last.set_params(old)
    old = [param.detach().clone() for param in net.params]  # PyTorch: a process
    return lambda: net.set_params(old) if rank() == world_size() - 1 else None
