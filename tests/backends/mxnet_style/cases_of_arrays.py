"""Cases of new arrays, of arrays in Python, and of devices."""

import numpy as np

from tests.backends.mxnet_style.comparing import DTYPES, A, variable

# New arrays

SOURCES = [
    3, 2.5, [1, 2], (1, 2), [[1, 2], [3, 4]], [1.7, True], range(4), A, A.T, A[:, ::2],
    np.arange(6, dtype="uint16")[::2], np.arange(3), np.float32(3), np.array(3.0),
    np.array([True]), [np.ones(2), np.ones(2)], [], "x", None, [[1, 2], [3]], {1: 2}, [None],
]  # fmt: skip
SHAPES = [2, (2,), (2, 3), [2, 3], (), 0, (2, 0), -1, (2, -1), 2.0, None, np.int64(3)]
RANGES = [
    (3,), (1, 4), (1, 4, 2), (0, 1, 0.25), (0, 1, 0.3), (2.5,), (-2, 2), (3, 1, -1), (0,), (3, 1),
    (0, 3, 0),
]  # fmt: skip


def shared_with_numpy(m, source):
    """What NumPy sees of what is written, and whether it may write itself."""
    x = m.nd.from_numpy(source)
    x[:] = x * 3
    x.wait_to_read()
    return [x, source.tolist(), source.flags.writeable]


CREATION = {
    **{
        f"array {source!r} {dtype}": lambda m, s=source, d=dtype: m.nd.array(s, dtype=d)
        for source in SOURCES for dtype in [None, "float64", np.int32, "float16"]
    },
    "array of an array": lambda m: m.nd.array(m.nd.ones(2, dtype="int8")),
    "array of an array, converted": lambda m: m.nd.array(m.nd.ones(2), dtype="float64"),
    **{
        f"from_numpy {dtype}": lambda m, d=dtype: shared_with_numpy(m, np.ones((2, 3), d))
        for dtype in ("float32", "float64", "int32")
    },
    "from_numpy of a part": lambda m: m.nd.from_numpy(np.ones((2, 3))[:, :2]),
    "array of arrays": lambda m: m.nd.array([m.nd.ones(1)]),
    **{
        f"{name} {shape}": lambda m, n=name, s=shape: getattr(m.nd, n)(shape=s)
        for name in ("zeros", "ones") for shape in SHAPES
    },
    **{
        f"arange {numbers} {dtype}": lambda m, n=numbers, d=dtype: m.nd.arange(*n, dtype=d)
        for numbers in RANGES for dtype in ("float32", "float64", "int32")
    },
    **{
        f"{name} of {dtype}": lambda m, n=name, d=dtype: getattr(m.nd, n)(2, dtype=d)
        for name in ("zeros", "ones")
        for dtype in [*DTYPES, float, np.int32, np.dtype("float64"), None, "foo"]
    },
    **{
        f"one_hot {dtype}": lambda m, d=dtype: m.nd.one_hot(m.nd.array([0, 2, 7], dtype=d), 3)
        for dtype in DTYPES
    },
    "one_hot of fractions": lambda m: m.nd.one_hot(
        m.nd.array([0, 1.7, -0.5, -1, 3, 1e20, -1e20, float("nan")]), 3),
    "one_hot of rows": lambda m: m.nd.one_hot(m.nd.zeros((2, 5)), 7),
    "one_hot of a list": lambda m: m.nd.one_hot([0, 2], 3),
    **{f"one_hot depth {d}": lambda m, d=d: m.nd.one_hot(m.nd.ones(1), d)
       for d in (1, -1, 3.0, None)},
    **{
        f"{name} axis {axis} of {shapes}": lambda m, n=name, a=axis, s=shapes: getattr(m.nd, n)(
            *map(m.nd.ones, s), **{"dim" if n == "concat" else "axis": a})
        for name in ("concat", "stack") for axis in range(-4, 4)
        for shapes in ([(2, 3)], [(2, 3)] * 2, [(2, 3), (1, 3)], [(2, 3), (3,)], [(2,), (3,)], [])
    },
    **{
        f"{name} of {what}": lambda m, n=name, x=make: getattr(m.nd, n)(*x(m))
        for name in ("concat", "stack", "dot")
        for what, make in {
            "a list": lambda m: [[m.nd.ones((1, 1))]] * 2, "NumPy": lambda m: [np.ones((1, 1))] * 2,
            "two types": lambda m: [m.nd.ones((1, 1)), m.nd.ones((1, 1), dtype="float64")],
        }.items()
    },
    **{f"{name} of {x!r}": lambda m, n=name, x=x: getattr(m.nd, n)(x)
       for name in "tanh relu sin exp log sqrt".split() for x in (1.0, [1.0], np.ones(1))},
}  # fmt: skip


# Arrays in Python, and devices


def element_replaced(m, shape, key, by):
    x = m.nd.zeros(shape)
    x[key] = m.nd.ones(by)
    return x


PYTHON = {
    f"{name} {shape}": lambda m, f=function, s=shape: f(m.nd.ones(s))
    for shape in [(1,), (2,), (2, 3)]
    for name, function in {
        "asscalar": lambda x: x.asscalar(), "bool": bool, "len": len, "int": int, "float": float,
        "repr": repr, "str": str, "list": list, "sum": sum, "in": lambda x: 1 in x,
        "hash": lambda x: len({x, x.copy(), x}), "copies": lambda x: x.asnumpy() is x.asnumpy(),
        "wait": lambda x: x.wait_to_read(), "NumPy number first": lambda x: np.float64(2) * x,
    }.items()
}  # fmt: skip
PYTHON |= {f"bool of {x}": lambda m, x=x: bool(m.nd.array([x])) for x in (0, -2, float("nan"))}
PYTHON |= {
    f"{function.__name__} of {dtype}": lambda m, f=function, d=dtype: f(m.nd.ones(1, dtype=d))
    for dtype in DTYPES
    for function in (repr, float, lambda x: x.asscalar())
}
PYTHON |= {
    f"one of {by} into {shape}": lambda m, s=shape, k=key, by=by: element_replaced(m, s, k, by)
    for shape, key in [((3,), 1), ((2, 3), (0, 1)), ((3, 1), 1)]
    for by in [(1,), (1, 1), (1, 1, 1), (2,)]
}
PYTHON |= {
    "isinstance": lambda m: isinstance(m.nd.ones(1), m.nd.NDArray),
    "waitall": lambda m: m.nd.waitall(),
    "first of equals": lambda m: m.nd.array([[1, 5, 5], [9, 0, 9]]).argmax(axis=1),
}
DEVICES = {
    "equal": lambda m: [m.cpu() == m.cpu(0) == m.Context("cpu", 0), m.cpu() == m.cpu(1)],
    "in a set": lambda m: len({m.cpu(), m.cpu(0), m.cpu(1), m.gpu(1)}),
    "names": lambda m: [repr(m.cpu()), str(m.gpu(1)), m.cpu(2).device_type, m.cpu(2).device_id],
    "no GPU": lambda m: m.context.num_gpus(),
    "kept": lambda m: [
        repr(x.ctx) for y in [m.nd.ones((1, 1), ctx=m.cpu(1))]
        for x in (y + 1, m.nd.one_hot(y, 2), m.nd.concat(y), m.nd.dot(y, y), y.T, m.nd.array(y))],
    "of a gradient": lambda m: repr(variable(m, [1.0], ctx=m.cpu(2)).grad.context),
    "zeros on a GPU": lambda m: m.nd.zeros(1, ctx=m.gpu()),
    "array on a GPU": lambda m: m.nd.array([1], ctx=m.gpu(0)),
    "random on a GPU": lambda m: m.nd.random.normal(ctx=m.gpu(1)),
    "moved to a GPU": lambda m: m.nd.ones(1).as_in_context(m.gpu()),
    "by its name": lambda m: m.nd.zeros(1, ctx="cpu"),
}  # fmt: skip
