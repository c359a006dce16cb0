"""The operations that one training step cannot avoid: the floor under every backend.

Rows of W_xh are gathered and scattered, so one-hot inputs need no product. What is left for a
minibatch of B sequences of T tokens, with H hiddens and V outputs, is what backpropagation through
time needs (chapter 9, section 9.7), all steps together wherever no step waits for another.

Beside the products each number of H, dH and O needs a pass: tanh, its gradient, and softmax with
its own. Products and passes together are the floor of all operations; gathering, scattering, sums
of rows and the update, which cost less, are in neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.blocks import CACHE


@dataclass(frozen=True)
class Product:
    """So many matrix products (m, k) x (k, n) with one and the same right-hand matrix.

    Attributes:
        name: purpose in the network.
        count: number in one training step, each after the one before.
        m: rows of the left-hand matrix.
        k: the dimension that is summed over.
        n: columns of the right-hand matrix.
    """

    name: str
    count: int
    m: int
    k: int
    n: int

    @property
    def flops(self) -> int:
        """Multiplications and additions, all products together."""
        return 2 * self.count * self.m * self.k * self.n


@dataclass(frozen=True)
class Pass:
    """One pass over a matrix of (rows, columns), no row of which waits for another.

    Attributes:
        name: one of `PASSES`.
    """

    name: str
    rows: int
    columns: int

    @property
    def blocks(self) -> int:
        """The fewest equal blocks of rows of which a cache holds all that is read and written."""
        most = max(1, CACHE // (3 * 4 * self.columns))  # rows of two operands and a result
        return next(
            count
            for count in range(1, self.rows + 1)
            if self.rows % count == 0 and self.rows // count <= most
        )


TANH, TANH_GRADIENT, SOFTMAX = "tanh A", "dH tanh' A", "softmax O - Y"
PASSES = (TANH, TANH_GRADIENT, SOFTMAX)
"""H of A, dA of dH and H, and dO of the logits O and the labels Y, but for the loss itself."""


def passes(batch_size: int, num_steps: int, num_hiddens: int, vocab_size: int) -> list[Pass]:
    """The passes of one training step, each over all of its steps in time."""
    N = batch_size * num_steps
    columns = {TANH: num_hiddens, TANH_GRADIENT: num_hiddens, SOFTMAX: vocab_size}
    return [Pass(name, N, columns[name]) for name in PASSES]


def unavoidable(
    batch_size: int, num_steps: int, num_hiddens: int, vocab_size: int
) -> list[Product]:
    """The products of one forward and backward pass; a right-hand matrix is new at every step."""
    B, T, H, V = batch_size, num_steps, num_hiddens, vocab_size
    return [
        Product("H W_hh", T, B, H, H),
        Product("dH W_hh'", T - 1, B, H, H),
        Product("H' dH", 1, H, T * B, H),
        Product("H W_hq", 1, T * B, H, V),
        Product("dO W_hq'", 1, T * B, V, H),
        Product("H' dO", 1, H, T * B, V),
    ]
