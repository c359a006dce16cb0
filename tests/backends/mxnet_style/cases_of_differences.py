"""Cases that are known to differ, each with the reason and with what each engine gives."""

import numpy as np

from tests.backends.mxnet_style.comparing import ALL, recorded, variable


def written(m, write):
    """What `write` leaves in a variable, and the gradient of its square."""
    x = variable(m, [2.0, 3])
    with m.autograd.record():
        y = x * x
        z = write(m, x, y)
    (y if z is None else z).backward()
    return [x, x.grad]


def copied_into(m, x, y):
    z = m.nd.zeros(2)
    z[:] = y
    return z * x


def relu_layer(m):
    """A state of 0.1, exactly or rounded."""
    data = [m.nd.array(x, dtype="float64") for x in ([[[0.1]]], [1, 0, 0, 0], [[[0]]])]
    return m.nd.RNN(*data, state_size=1, num_layers=1, mode="rnn_relu").sum().asscalar() == 0.1


def hand(m, forward):
    """A `Function` whose `backward` fails."""
    methods = {"forward": forward, "backward": lambda self, d: 1 / 0}
    return type("Hand", (m.autograd.Function,), methods)()


STRICTER = "an answer that is easily wrong: refused here"
LIMITED = "not offered here: the chapter has no use for it"
DIFFERENCES = {
    # name: (reason, case, ours, theirs)
    "z[:] = recorded": (
        "here a copy is made by y.copy() or nd.array(y); theirs is recorded",
        lambda m: written(m, copied_into), "MXNetError", [[2, 3], [12, 27]]),
    "recorded[:] = NumPy": (
        STRICTER, lambda m: written(m, lambda m, x, y: x.__setitem__(ALL, np.ones(2))),
        "MXNetError", [[1, 1], [2, 2]]),
    "a head gradient of another shape": (
        "theirs reads past its end where it is shorter",
        lambda m: recorded(m, lambda: variable(m, [1.0, 2]) * 2).backward(m.nd.ones((2, 1))),
        "MXNetError", None),
    "the same head twice": (
        "heads are summed, whichever they are; theirs drops one",
        lambda m: (lambda x, y: [m.autograd.backward([y, y]), x.grad])(*(lambda x: (
            x, recorded(m, lambda: x * 2)))(variable(m, [1.0]))),
        [None, [4]], [None, [2]]),
    ".grad is one object": (
        "theirs makes a new one of the same memory each time",
        lambda m: (lambda x: x.grad is x.grad)(variable(m, [1.0])), True, False),
    "the gradient of a null array": (
        "there is none", lambda m: variable(m, [1.0], "null").grad, None, [0]),
    "the scalar of a matrix": (
        "theirs gives a matrix", lambda m: m.nd.ones((1, 1)).asscalar(), 1, [[1]]),
    "reshaping to a wrong count": (
        "one class for every reshape that fails", lambda m: m.nd.ones(6).reshape((7, -1)),
        "MXNetError", "ValueError"),
    "reshaping by code": (
        LIMITED, lambda m: m.nd.ones((1, 2)).reshape(-2), "MXNetError", [[1, 1]]),
    "an unsupported type": (
        "one class for what the engine cannot do", lambda m: m.nd.array([1], dtype="complex64"),
        "MXNetError", "KeyError"),
    "arrays of bool": (LIMITED, lambda m: m.nd.zeros(1, dtype="bool"), "MXNetError", [False]),
    "random float16": (
        LIMITED, lambda m: m.nd.random.normal(shape=3, dtype="float16").shape, "MXNetError", [3]),
    "dtype=None": (
        "float32 is the default everywhere; theirs takes NumPy's in some places",
        lambda m: [x.dtype.__name__ for x in (
            m.nd.arange(2, dtype=None), m.nd.one_hot(m.nd.ones(1), 2, dtype=None),
            m.nd.random.normal(dtype=None), m.nd.zeros(1, dtype=None))],
        ["float32"] * 4, ["float64"] * 3 + ["float32"]),
    "becoming NumPy unasked": (
        "theirs nests until NumPy gives up, and warns", lambda m: np.asarray(m.nd.ones(1)),
        "TypeError", "VisibleDeprecationWarning"),
    "a list first": (
        "one class for either side", lambda m: [1, 2] - m.nd.ones(2), "TypeError",
        "AssertionError"),
    "None as input": (
        "one class for every input that is no array", lambda m: m.nd.tanh(None),
        "AssertionError", "MXNetError"),
    "text in a NumPy array": (
        "one class for every source that is not numbers", lambda m: m.nd.array(np.array(["a"])),
        "TypeError", "ValueError"),
    "None as a number": (
        STRICTER, lambda m: m.nd.ones(2).__setitem__(0, None), "TypeError", None),
    "a number too large for its type": (
        STRICTER, lambda m: (m.nd.ones(2, dtype="int32") * 1e300).shape, "OverflowError", [2]),
    "rows of no length": (
        STRICTER, lambda m: m.nd.one_hot(m.nd.ones(2), 0).shape, "MXNetError", [2, 0]),
    "an empty part": (
        "computes like any other; theirs cannot", lambda m: (m.nd.ones((2, 3))[2:] * 2).shape,
        [0, 3], "MXNetError"),
    "indexing with a list": (LIMITED, lambda m: m.nd.arange(3)[[0, 2]], "ValueError", [0, 2]),
    "indexing with None": (LIMITED, lambda m: m.nd.ones(1)[None], "ValueError", [[1]]),
    "indexing with an ellipsis": (LIMITED, lambda m: m.nd.ones(1)[...], "ValueError", [1]),
    "a device by its name": (
        "one class for everything that is no device", lambda m: m.nd.array([1], ctx="cpu"),
        "MXNetError", "AttributeError"),
    "moving to a device by its name": (
        "the same", lambda m: m.nd.ones(1).as_in_context("cpu"), "MXNetError", "TypeError"),
    "a layer's relu in float64": (
        "exact; theirs rounds to float32", relu_layer, True, False),
    "an error inside backward": (
        "it comes through; theirs is printed, and another raised",
        lambda m: recorded(m, hand(m, lambda self, x: x * 2), variable(m, [1.0])).backward(),
        "ZeroDivisionError", "MXNetError"),
    "a Function of numbers": (
        "one class for every input that is no array",
        lambda m: recorded(m, hand(m, lambda self, x: m.nd.ones(1)), 1),
        "AssertionError", "AttributeError"),
    "a Function that gives what it took": (
        "gives an array of its own; theirs takes it for a write in place",
        lambda m: recorded(m, hand(m, lambda self, x: x), variable(m, [1.0])), [1], "MXNetError"),
    "a parameter without a new gradient": (
        "the old one is used; theirs refuses, to find layers that were left out",
        lambda m: (lambda d: [d.initialize(), m.gluon.Trainer(
            d.collect_params(), "sgd").step(1)])(m.gluon.nn.Dense(1, in_units=1)),
        [None, None], "UserWarning"),
    "another optimizer": (
        LIMITED, lambda m: (lambda d: [d.initialize(), m.gluon.Trainer(
            d.collect_params(), "adam").learning_rate])(m.gluon.nn.Dense(1, in_units=1)),
        "ValueError", [None, 0.001]),
    "initialized twice": (
        "the first stays; theirs warns that it does",
        lambda m: (lambda d: [d.initialize(), d.initialize()])(m.gluon.nn.Dense(1, in_units=1)),
        [None, None], "UserWarning"),
    "a stack of layers": (
        LIMITED, lambda m: m.gluon.rnn.RNN(2, num_layers=2).state_info(3)[0]["shape"],
        "TypeError", [2, 3, 2]),
    "an LSTM": (
        LIMITED, lambda m: m.nd.RNN(
            m.nd.ones((1, 1, 1)), m.nd.ones(16), m.nd.ones((1, 1, 1)), m.nd.ones((1, 1, 1)),
            state_size=1, num_layers=1, mode="lstm").shape, "TypeError", [1, 1, 1]),
    "an unknown device": (
        "refused where it is used", lambda m: repr(m.Context("foo")), "foo(0)", "KeyError"),
}  # fmt: skip
# Not run: an integer divided by zero, which is 0 here, ends the process there.
