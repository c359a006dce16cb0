"""Cases of the loss, of random numbers, and of the chapter's network."""

import numpy as np

from tests.backends.mxnet_style.cases_of_arrays import SHAPES
from tests.backends.mxnet_style.comparing import (
    DTYPES,
    FLOATS,
    RNG,
    A,
    gradients,
    recorded,
    value,
    variable,
)

# The loss


def loss(labels, dtype=None):
    return lambda m, x: m.gluon.loss.SoftmaxCrossEntropyLoss()(x, m.nd.array(labels, dtype=dtype))


LOSS = {
    f"{shape}{' and a last 1' * last} {dtype} {kind}": gradients(
        loss(labels[..., None] if last else labels, kind),
        2 * RNG.standard_normal(shape), dtype=dtype)
    for shape in [(4, 5), (2, 3, 4), (2, 2, 3, 4), (3,), (2, 1), (1, 1), (3, 1027)]
    for labels in [RNG.integers(shape[-1], size=shape[:-1] or 1) % 100]
    for last in (False, True)
    for dtype in FLOATS
    for kind in DTYPES
}  # fmt: skip
LOSS |= {
    "labels out of range": gradients(
        loss([-1, 7, 0.9, 1.9, float("nan"), 1e6, -1e9]), np.array([[1, 2, 3]] * 7)),
    "large logits": gradients(loss([1, 0]), np.array([[1e4, -1e4], [1e30, 1]])),
    **{f"logits {x}": gradients(loss([1, 0]), np.array([[x, 0], [1, x]]))
       for x in (np.nan, np.inf, -np.inf)},
    "mean": gradients(lambda m, x: loss([1, 0])(m, x).mean(), A),
    "integer logits": value(loss([1, 0]), A, dtype="int32"),
    "half logits": value(loss([1, 0]), A, dtype="float16"),
    "gradient of labels": lambda m: (lambda y: [
        recorded(m, m.gluon.loss.SoftmaxCrossEntropyLoss(), variable(m, A), y).backward(), y.grad])(
        variable(m, [0.0, 1])),
    "NumPy labels": lambda m: m.gluon.loss.SoftmaxCrossEntropyLoss()(m.nd.ones((2, 3)), np.ones(2)),
    **{f"labels {shape}": value(loss(np.ones(shape)), A)
       for shape in [(3,), (1, 2), (2, 2), (6,), (1,), (2, 1, 1)]},
}  # fmt: skip


# Random numbers


def drawn(seed, *shapes):
    """Numbers of both laws and types; later ones show that earlier ones used up the same words."""

    def case(m):
        m.random.seed(seed)
        return [
            array
            for shape in shapes
            for dtype in FLOATS
            for array in (
                m.nd.random.normal(1.3, 0.7, shape=shape, dtype=dtype),
                m.nd.random.uniform(-1, 3, shape=shape, dtype=dtype),
                m.nd.random.normal(scale=0.01, shape=2, dtype=dtype),
            )
        ]

    return case


RANDOM = {f"seed {seed}": drawn(seed, (3,), (100,)) for seed in (0, 7, -3, 2**31, np.int64(5))}
RANDOM |= {f"{n} numbers": drawn(3, (n,)) for n in (1, 63, 64, 65, 129, 65535, 65537, 131073)}
RANDOM |= {
    f"randn {shape} {named}": lambda m, s=shape, n=named: [
        m.random.seed(2), m.nd.random.randn(*s, **n)]
    for shape in [(), (4,), (2, 3)] for named in ({}, {"loc": 1, "scale": 2, "dtype": "float64"})
}  # fmt: skip
RANDOM |= {
    "a matrix": drawn(1, (70, 30)),
    "defaults": lambda m: [m.nd.random.normal().shape, m.nd.random.uniform().dtype],
    **{
        f"{name} {k}": lambda m, n=name, k=k: [m.random.seed(0), getattr(m.nd.random, n)(**k)]
        for name, choices in {
            "normal": [{"scale": 0}, {"scale": -1}, {"dtype": "int32"}],
            "uniform": [{"low": 1, "high": 0}, {"low": 1}, *[{"shape": s} for s in SHAPES]],
        }.items()
        for k in choices
    },
    **{f"seed {seed!r}": lambda m, s=seed: m.random.seed(s) for seed in (1.5, "a")},
}  # fmt: skip


# The chapter's network


def network(m, dtype):
    arrays = [
        np.sin(np.arange(np.prod(shape)) * 1.7).reshape(shape)
        for shape in [(5, 3), (3, 3), (3,), (3, 5), (5,)]
    ]
    params = W_xh, W_hh, b_h, W_hq, b_q = [variable(m, x, dtype=dtype) for x in arrays]
    X, Y = m.nd.array([[0, 3, 1, 4], [2, 2, 0, 1]]), m.nd.array([[3, 1, 4, 0], [2, 0, 1, 3]])
    H, seen = m.nd.zeros((2, 3), dtype=dtype), []
    for _ in range(3):
        outputs = []
        with m.autograd.record():
            for x in X.T:
                one_hot = m.nd.one_hot(x, 5, dtype=dtype)
                H = m.nd.tanh(m.nd.dot(one_hot, W_xh) + m.nd.dot(H, W_hh) + b_h)
                outputs.append(m.nd.dot(H, W_hq) + b_q)
            y_hat = m.nd.concat(*outputs, dim=0)
            l = m.gluon.loss.SoftmaxCrossEntropyLoss()(y_hat, Y.T.reshape((-1,))).mean()
        l.backward()
        norm = sum((param.grad**2).sum() for param in params).sqrt().asscalar()
        for param in params:
            param.grad[:] *= 0.1 / norm
            param[:] = param - 0.5 * param.grad / 1
        H = H.detach()
        seen += [l, H, *[param.grad.copy() for param in params]]
    return [*seen, *params]


NETWORK = {dtype: lambda m, dtype=dtype: network(m, dtype) for dtype in FLOATS}
