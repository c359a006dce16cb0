"""The chapter's step on several devices in PyTorch: a rank is a process with a device of its own.

Every rank runs the same program on the same minibatches, and computes its own rows of them
(`common.shards`). One all-reduce adds the losses and the gradients of all; each rank then clips the
same sums and takes the same step, so that parameters stay equal. `DistributedDataParallel` does
this while ``backward`` runs, but takes the mean over ranks, as if all had as many rows: see
https://docs.pytorch.org/docs/stable/notes/ddp.html.
"""

from __future__ import annotations

import atexit
import os
from functools import partial

import torch
import torch.distributed as dist

from backends.torch import adapter, scratch
from common.errors import RequestError
from common.shards import SplitState, rank, split, too_few, world_size


def join(devices, device):
    """Become one of so many ranks; the network that they compute together.

    RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT bring them together. The harness sets them for the
    ranks that it starts, ``torchrun`` for those on several machines.

    Raises:
        RequestError: there are not so many ranks, or not so many GPUs.
    """
    if world_size() != devices:
        raise RequestError(
            f"--devices {devices}: PyTorch takes as many processes, and WORLD_SIZE says "
            f"{world_size()}: let the harness start them, or torchrun"
        )
    if not dist.is_initialized():
        gpu = device != "cpu" and torch.cuda.is_available()
        if gpu:
            place, found = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
            if place >= found:
                raise too_few(devices, found, "PyTorch", "GPU")
            torch.cuda.set_device(place)
        dist.init_process_group("nccl" if gpu else "gloo")
        atexit.register(dist.destroy_process_group)  # its threads may abort a Python that ends
    return ParallelNetwork


def own(batch_size):
    """The shard of this rank."""
    return split(batch_size, world_size())[rank()]


def shard(A):
    """The rows of a minibatch or of a state that are this rank's."""
    return A[own(len(A)).rows]


def add(tensors):
    """The sums of tensors over all ranks: laid end to end, they take a single all-reduce."""
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    sums = flat.split([tensor.numel() for tensor in tensors])
    return [values.view_as(tensor) for values, tensor in zip(sums, tensors, strict=True)]


def gather(A, batch_size):
    """The rows of all ranks, whose dimension is the last but one, on each of them."""
    rows, share = own(batch_size)
    full = A.new_zeros((*A.shape[:-2], batch_size, A.shape[-1]))
    if share:
        full[..., rows, :] = A
    return add([full])[0]


def of_shard(replica, X, Y, state, loss, share):
    """The loss and the gradients of a rank's rows, by what they count, and their state."""
    l, grads, state = scratch.loss_and_grads(replica, X, Y, state, loss)
    return l * share, [grad * share for grad in grads], scratch.detach(state)


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping (also in ``param.grad``), and the new state."""
    rows, share = own(len(X))
    l, grads, state = of_shard(model.replica, X[rows], Y[rows], state, loss, share)
    l, *grads = add([l, *grads])
    for param, grad in zip(model.params, grads, strict=True):
        param.grad = grad
    return l, grads, model.hold(state, len(X))


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, add, clip (not where theta is 0), update."""
    l, _, state = loss_and_grads(model, X, Y, state, loss)
    if theta:
        scratch.grad_clipping(model, theta)
    updater(batch_size=1)  # the loss is a mean already
    return l, state


class ParallelNetwork(adapter.ScratchNetwork):
    """The pages' model on one of several ranks, as a `common.interface.Network`."""

    def __init__(self, params, *settings, **extended):
        super().__init__(params, *settings, **extended)
        self.replica = adapter.ScratchNetwork(params, *settings, **extended)

    def hold(self, H, batch_size):
        """The state of so many rows, of which every device has some."""
        return SplitState(H, partial(gather, batch_size=batch_size))

    def split_state(self, state):
        """A state of all rows, split: what `common.shards.whole` puts together again."""
        return self.hold([shard(H) for H in state], len(state[0]))

    def begin_state(self, batch_size):
        return self.split_state(super().begin_state(batch_size))

    def __call__(self, X, state):
        batch_size, num_steps = len(X), len(X[0])
        Y, state = self.replica(shard(X), state)
        Y = gather(Y.reshape(num_steps, -1, self.vocab_size), batch_size)
        return Y.reshape(-1, self.vocab_size), self.hold(state, batch_size)

    def loss_and_grads(self, X, Y, state):
        return loss_and_grads(self, X, Y, state, self.loss)

    def train_step(self, X, Y, state):
        return train_step(self, X, Y, state, self.loss, self.updater, self.theta)
