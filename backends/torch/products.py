"""Operations of a training step in PyTorch, the floor under it; see `common.floor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from backends.torch import devices
from common.experiment import Experiment
from common.floor import SOFTMAX, TANH, TANH_GRADIENT, Pass, Product

aten, onednn = torch.ops.aten, torch.ops.mkldnn


def mkl(A: Tensor, W: Tensor, C: Sequence[Tensor]) -> None:
    """Compute A_i W into C_i, which is there already, for every i."""
    for A_i, C_i in zip(A, C, strict=True):
        torch.mm(A_i, W, out=C_i)


def onednn_packed(A: Tensor, W: Tensor, C: list[Tensor]) -> None:
    """Compute A_i W as a new C_i (the operation takes no place for it), W being packed first."""
    packed = onednn._reorder_linear_weight(W.T, A.shape[1])
    for i, A_i in enumerate(A):
        C[i] = onednn._linear_pointwise(A_i, packed, None, "none", [], "")


def onednn_plain(A: Tensor, W: Tensor, C: list[Tensor]) -> None:
    """Compute the same without packing, which does not pay for a single product."""
    for i, A_i in enumerate(A):
        C[i] = onednn._linear_pointwise(A_i, W.T, None, "none", [], "")


def on_gpu(A: Tensor, W: Tensor, C: Tensor) -> None:
    """Compute all A_i W into C, one after the other as a step must; wait for them."""
    for A_i, C_i in zip(A, C, strict=True):
        torch.mm(A_i, W, out=C_i)
    C[-1, -1, -1].item()


def ways(product: Product, device: str) -> dict[str, Callable[[], None]]:
    """Calls that each compute a product as often as a step does, in float32.

    On the CPU, each library has W (k, n) as it likes it best: MKL by rows, oneDNN by columns.

    Raises:
        DeviceError: the device is not there.
    """
    place, _ = devices.taken(Experiment(device=device))
    A = torch.randn(product.count, product.m, product.k, device=place)
    W = torch.randn(product.k, product.n, device=place)
    results = torch.empty(product.count, product.m, product.n, device=place)
    if place != "cpu":
        by_columns = W.T.contiguous().T
        return {
            "GPU": partial(on_gpu, A, W, results),
            "GPU, transposed": partial(on_gpu, A, by_columns, results),
        }
    C = results.unbind()
    found: dict[str, Callable[[], None]] = {"MKL": partial(mkl, A, W, C)}
    if torch.backends.mkldnn.is_available():
        by_columns = W.T.contiguous().T
        found["oneDNN packed"] = partial(onednn_packed, A, by_columns, list(C))
        found["oneDNN"] = partial(onednn_plain, A, by_columns, list(C))
    return found


def tanh(A: Tensor, B: Tensor, Y: Tensor, out: Tensor) -> None:
    """H of A (n, H)."""
    torch.tanh(A, out=out)


def tanh_gradient(dH: Tensor, H: Tensor, Y: Tensor, out: Tensor) -> None:
    """DA of dH and H, both (n, H)."""
    aten.tanh_backward.grad_input(dH, H, grad_input=out)


def softmax_gradient(O: Tensor, B: Tensor, Y: Tensor, out: Tensor) -> None:
    """N dO of logits O (n, V) and labels Y (n, 1)."""
    torch.softmax(O, dim=1, out=out)
    out.scatter_add_(1, Y, out.new_full((), -1).expand_as(Y))


COMPUTED = {TANH: tanh, TANH_GRADIENT: tanh_gradient, SOFTMAX: softmax_gradient}


def ways_of_pass(each: Pass, device: str) -> dict[str, Callable[[], None]]:
    """Calls that each compute a pass, in float32, at once or in blocks that a CPU's cache holds.

    Raises:
        DeviceError: the device is not there.
    """
    place, _ = devices.taken(Experiment(device=device))
    A, B = torch.randn(2, each.rows, each.columns, device=place)
    Y = torch.randint(each.columns, (each.rows, 1), device=place)
    operands, compute = (A, B, Y, torch.empty_like(A)), COMPUTED[each.name]
    found: dict[str, Callable[[], None]] = {"PyTorch": partial(pass_over, compute, [operands])}
    if place == "cpu":
        blocks = zip(*(Z.chunk(each.blocks) for Z in operands), strict=True)
        found["PyTorch, in blocks"] = partial(pass_over, compute, [*blocks])
    return found


def pass_over(compute: Callable[..., None], blocks: Sequence[tuple[Tensor, ...]]) -> None:
    """Compute (A, B, Y, out) block by block; wait for the last, where it is not on a CPU."""
    for block in blocks:
        compute(*block)
    if not blocks[-1][-1].is_cpu:
        blocks[-1][-1][-1, -1].item()
