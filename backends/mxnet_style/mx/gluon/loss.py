"""The loss of the book's chapter."""

from __future__ import annotations

import numpy as np

from ..base import MXNetError, quiet
from ..ndarray import NDArray
from ..traced import derive, expect_arrays


class SoftmaxCrossEntropyLoss:
    """Cross-entropy: minus the logarithm of the probability that softmax gives the right class."""

    def __call__(self, pred: NDArray, label: NDArray) -> NDArray:
        """Compare logits with labels.

        Args:
            pred: logits, shape (N, ..., C), float32 or float64.
            label: class indices of any dtype, shape (N, ...) or (N, ..., 1). Fractions are cut
                off; an index outside 0 ... C-1 counts as the nearest one inside.

        Returns:
            Shape (N,), in the dtype of `pred`: the mean over all axes but the first.

        Raises:
            MXNetError: `label` has another shape, or `pred` is not floating point.
        """
        expect_arrays("SoftmaxCrossEntropyLoss", pred, label)
        lead = pred.shape[:-1]
        if label.shape not in (lead, (*lead, 1)):
            raise MXNetError(f"labels of {label.shape} for logits of {pred.shape}: expected {lead}")
        if pred.values.dtype.kind != "f":
            raise MXNetError(f"logits of {pred.values.dtype}: convert with .astype('float32')")

        logits = pred.values.reshape(-1, pred.shape[-1])
        # fmax makes 0 of nan, unlike clip
        classes = np.fmin(np.fmax(label.values.reshape(-1).astype(float), 0), logits.shape[1] - 1)
        right = np.arange(len(logits)), classes.astype(np.intp)
        with quiet():
            # softmax is the same when the largest logit is subtracted, and exp stays in range
            shifted = logits - logits.max(axis=1, keepdims=True)
            chosen = shifted[right]
            weights = np.exp(shifted, out=shifted)
            totals = weights.sum(axis=1)
            losses = (np.log(totals) - chosen).reshape(*lead[:1], -1)
        shape, per_example = pred.shape, losses.shape[-1]

        def to_pred(g: np.ndarray) -> np.ndarray:
            share = np.repeat(g / per_example, per_example)
            gradient: np.ndarray = weights * (share / totals)[:, None]
            gradient[right] -= share
            return gradient.reshape(shape)

        values = losses.mean(axis=-1).reshape(lead[:1] or (1,))
        return derive(values, (pred, to_pred), (label, None))
