"""The matrix products that one training step cannot avoid: the floor under every backend.

Rows of W_xh are gathered and scattered, so one-hot inputs need no product. What is left for a
minibatch of B sequences of T tokens, with H hiddens and V outputs, is what backpropagation through
time needs (chapter 9, section 9.7), all steps together wherever no step waits for another.
"""

from __future__ import annotations

from dataclasses import dataclass


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
