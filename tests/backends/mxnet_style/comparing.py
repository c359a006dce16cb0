"""What a case gives on an engine, whether two engines give the same, and how cases are made."""

import numpy as np

from backends.mxnet_style import mx as ours

FLOATS, INTEGERS = ("float32", "float64"), ("int8", "uint8", "int32", "int64")
DTYPES = [*FLOATS, "float16", *INTEGERS]
TOLERANCES = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-13}

RNG = np.random.default_rng(0)
# Both signs, from 1 to 9: no integer made of them is divided by zero, which ends MXNet's process.
A, B, C, V, W = (
    RNG.choice([-1, 1], shape) * RNG.uniform(1, 9, shape)
    for shape in [(2, 3), (3, 4), (2, 2, 3), (3,), (3,)]
)
ZEROS = np.array([[0.0, -1, 2], [-0.0, 3, -4]])
ALL = slice(None)


def outcome(case, m):
    """What a case gives, with arrays as NumPy, or the class of its error."""
    try:
        result = plain(case(m))
        m.nd.waitall()  # an error of what was not read comes late
        return result
    except NameError:
        raise  # a slip in the case itself
    except Exception as error:
        return "MXNetError" if isinstance(error, m.base.MXNetError) else type(error).__name__


def plain(x):
    if isinstance(x, list | tuple):
        return [plain(each) for each in x]
    if not hasattr(x, "asnumpy"):
        return x
    values = x.asnumpy()
    assert (x.shape, x.dtype, x.size, x.ndim) == (
        values.shape, values.dtype.type, values.size, values.ndim)  # fmt: skip
    return values


def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is not type(b):
        return False
    if not isinstance(a, np.ndarray | np.generic):
        return a == b
    tolerance = TOLERANCES.get(a.dtype.name, 0)
    scale = np.max(np.abs(b), where=np.isfinite(b), initial=0)
    return (a.shape, a.dtype) == (b.shape, b.dtype) and np.allclose(
        a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True
    )


def differences(cases, theirs):
    """Every case whose two outcomes are not the same, with both."""
    pairs = {name: (outcome(case, ours), outcome(case, theirs)) for name, case in cases.items()}
    return {name: pair for name, pair in pairs.items() if not same(*pair)}


def value(function, *sources, dtype="float32"):
    return lambda m: function(m, *[m.nd.array(source, dtype=dtype) for source in sources])


def variable(m, source, grad_req="write", **named):
    x = m.nd.array(source, **named)
    x.attach_grad(grad_req)
    return x


def recorded(m, function, *arguments):
    with m.autograd.record():
        return function(*arguments)


def gradients(function, *sources, dtype="float32"):
    """The value and the gradient of each source, from a head gradient that is not all ones."""

    def case(m):
        inputs = [variable(m, source, dtype=dtype) for source in sources]
        y = recorded(m, function, m, *inputs)
        start = np.linspace(-1, 2, y.size).reshape(y.shape)
        y.backward(m.nd.array(start, dtype=y.dtype))
        return [y, *[x.grad for x in inputs]]

    return case


def in_every_type(name, function, *sources, differentiable=True):
    """Gradients in the two types that train, values alone in the others."""
    cases = {}
    for dtype in DTYPES:
        kind = gradients if differentiable and dtype in FLOATS else value
        fitting = [abs(source) if dtype == "uint8" else source for source in sources]
        cases[f"{name} {dtype}"] = kind(function, *fitting, dtype=dtype)
    return cases
