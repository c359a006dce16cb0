"""Cases of functions of one array, two operands, products, parts and views."""

import numpy as np

from tests.backends.mxnet_style.comparing import ALL, DTYPES, A, B, C, V, W

# Functions of one array

FUNCTIONS = {
    "tanh": lambda m, x: m.nd.tanh(x),
    "sin": lambda m, x: m.nd.sin(x),
    "relu": lambda m, x: m.nd.relu(x),
    "exp": lambda m, x: m.nd.exp(x / 2) + m.nd.exp(-x),
    "log": lambda m, x: m.nd.log(x),
    "sqrt": lambda m, x: m.nd.sqrt(x) * x.sqrt(),
    "minus": lambda m, x: -x,
    "copy": lambda m, x: x.copy() * m.nd.array(x),
    "transpose": lambda m, x: x.T,
    "rows": lambda m, x: sum(row * (k + 1) for k, row in enumerate(x)),
    "to another device": lambda m, x: x.as_in_context(m.cpu(1)) * x.as_in_context(m.cpu()).T.T,
    "concat": lambda m, x: m.nd.concat(x, x * 2, x, dim=0),
    "concat by default": lambda m, x: m.nd.concat(x, x * 2),
    "stack": lambda m, x: m.nd.stack(x, x * 2, axis=-1),
    "one_hot": lambda m, x: m.nd.one_hot(x, 4, dtype="float64"),
    "argmax": lambda m, x: x.argmax(),
    "detach": lambda m, x: x.detach() * x,
    "take": lambda m, x: m.nd.take(x, m.nd.array([1, 0, 1, 1])),
    "take a matrix of rows": lambda m, x: m.nd.take(x, m.nd.array([[0, 1], [1, 1]], dtype="int64")),
    "take from outside": lambda m, x: m.nd.take(x, m.nd.array([-5, -0.5, 0.9, 1.7, 2, 99])),
    "take by a variable": lambda m, x: m.nd.take(m.nd.ones((2, 2)), x) * 3,
    **{
        f"swapaxes {axes}": lambda m, x, axes=axes: m.nd.swapaxes(x, *axes)
        for axes in [(0, 1), (1, 0), (0, 0), (-1, 0), (0, 2)]
    },
    "swapaxes of three": lambda m, x: m.nd.swapaxes(x.reshape((1, 2, 3)), 0, 2),
    "dot with itself": lambda m, x: m.nd.dot(x, x.T),
    "one variable many times": lambda m, x: x * x + x - (x + x) * x[0],
    **{f"astype {dtype}": lambda m, x, dtype=dtype: x.astype(dtype) * 1 for dtype in DTYPES},
    **{
        f"reshape {shape}": lambda m, x, shape=shape: x.reshape(shape)
        for shape in [(3, 2), (-1,), 6, (3, -1), (0, -1), (0, 0, 1), (-1, 0), (0, 0, 0), (4, 2)]
    },
    **{
        f"{name} {axis} {keepdims}": lambda m, x, name=name, axis=axis, keepdims=keepdims: getattr(
            x, name
        )(axis=axis, keepdims=keepdims)
        for name in ("sum", "mean")
        for axis in [None, 0, 1, -1, (0, 1), (1,), (), 2, (0, 2), (0, 0)]
        for keepdims in (False, True)
    },
    **{
        f"argmax {axis}": lambda m, x, axis=axis: x.argmax(axis=axis)
        for axis in (0, 1, -1, -2, 2, (0, 1))
    },
}  # fmt: skip


# Two operands

BINARY = "add sub mul truediv pow eq ne lt le gt ge".split()
IN_PLACE = "iadd isub imul itruediv".split()
NUMBERS = [2, 3, 0.5, 1.9, -1, -2.5, 0, True, np.float64(1.5), np.float32(2.5), np.int64(3)]
SIDES = {
    "alike": (A, -A), "a row": (A, V), "a row of a matrix": (A, V[None]), "a column": (A, A[:, :1]),
    "outer": (V[:, None], W[None]), "one": (A, V[:1]), "three axes": (C, A), "grown": (V, A),
    "unlike": (A, A[:, :2]), "unlike vectors": (V, V[:2]),
}  # fmt: skip

PRODUCTS = {
    "matrices": (A, B), "matrix and vector": (A, V), "vector and matrix": (V, B),
    "vectors": (V, W), "three axes": (C, B), "three axes second": (A, C.reshape(3, 2, 2)),
    "three axes twice": (C, C.reshape(3, 2, 2)),
    "unlike": (A, A), "unlike vectors": (V, V[:2]), "one axis short": (A, V[:2]),
}  # fmt: skip


# Parts

KEYS = {
    "0": 0, "-1": -1, "2": 2, "-3": -3, "a NumPy integer": np.int64(1), ":": ALL,
    "0:1": slice(0, 1), "1:": slice(1, None), "1:9": slice(1, 9),
    "::-1": slice(None, None, -1), "::2": slice(None, None, 2), "0, 1": (0, 1),
    "-1, -1": (-1, -1), "0, :": (0, ALL), ":, 1": (ALL, 1), ":, 0:2": (ALL, slice(0, 2)),
    "0, ::2": (0, slice(None, None, 2)), ":, :": (ALL, ALL), "1, 5": (1, 5), "0, 0, 0": (0, 0, 0),
    "1.0": 1.0, "text": "a",
}  # fmt: skip
ASSIGNED = {
    "int": 7, "float": 1.9, "NumPy number": np.float64(1.5), "bool": True, "list": [7, 8, 9],
    "short list": [8, 9], "nest": [[1, 2, 3], [4, 5, 6]], "vector": V, "one": V[:1], "matrix": A,
    "row": V[None], "three axes": A[None], "six": A.reshape(6), "single": np.array(4.0),
}  # fmt: skip

VIEWS = {
    "row": lambda x: x[0], "element": lambda x: x[0, 1], "element of row": lambda x: x[0][1],
    "reshape": lambda x: x.reshape((3, 2)), "detach": lambda x: x.detach(), "T": lambda x: x.T,
    "copy": lambda x: x.copy(), "astype": lambda x: x.astype("float32"), "itself": lambda x: x[:],
    "as_in_context": lambda x: x.as_in_context(x.context), "iterated": lambda x: list(x)[1],
}  # fmt: skip
