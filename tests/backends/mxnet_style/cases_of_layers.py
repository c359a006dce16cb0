"""Cases of hand-written operations, of the recurrent and the dense layer, and of their training."""

import numpy as np

from tests.backends.mxnet_style.comparing import FLOATS, RNG, A, gradients, recorded, variable

# Functions


def function(m, forward, backward):
    """An instance of a new `Function`, of these two methods."""
    methods = {"forward": forward, "backward": backward}
    return type("Hand", (m.autograd.Function,), methods)()


def two_outputs(m):
    def forward(self, x, y):
        self.save_for_backward(x, y)
        return x * y, x + y

    def backward(self, dz, ds):
        x, y = self.saved_tensors
        return dz * y + ds, dz * x + ds

    return function(m, forward, backward)


def hand(m, use, **options):
    """The gradients of two outputs, of which `use` makes the head."""
    x, y = variable(m, [2.0, 3]), variable(m, [5.0, 7])
    with m.autograd.record():
        z, s = two_outputs(m)(x * 2, y)
        head = use(z, s)
    head.backward(**options)
    return [z, s, head, x.grad, y.grad, m.autograd.is_recording()]


def in_numpy(m):
    def forward(self, x):
        self.values = np.tanh(x.asnumpy())
        return m.nd.array(self.values)

    def backward(self, dy):
        return m.nd.array(dy.asnumpy() * (1 - self.values**2))

    x = variable(m, A)
    recorded(m, function(m, forward, backward), x).backward()
    return x.grad


def given(m, gradients):
    """What is done with such gradients of two inputs of three elements."""
    hand = function(m, lambda self, x, y: x + y, lambda self, d: gradients(m, d))
    x, y = variable(m, [1.0, 2, 3]), variable(m, [1.0, 2, 3])
    recorded(m, hand, x, y).backward()
    return [x.grad, y.grad]


def sides_off_the_tape(m):
    x, constant = variable(m, [2.0, 3]), m.nd.array([5.0, 7])
    with m.autograd.record():
        z, _ = two_outputs(m)(x, constant)
        free, _ = two_outputs(m)(constant, constant)
        head = z * free
    head.backward()
    return [head, x.grad]


def other_output_later(m):
    x, y = variable(m, [2.0]), variable(m, [5.0])
    with m.autograd.record():
        z, s = two_outputs(m)(x, y)
    z.backward()
    recorded(m, lambda: s * x).backward()  # the graph of s is freed with that of z
    return [x.grad, y.grad]


def called_twice(m):
    hand = two_outputs(m)
    return [hand(m.nd.ones(1), m.nd.ones(1)), hand(m.nd.ones(1), m.nd.ones(1))]


FUNCTION = {
    "first output": lambda m: hand(m, lambda z, s: z),
    "second output": lambda m: hand(m, lambda z, s: s * 3),
    "both outputs": lambda m: hand(m, lambda z, s: z * s * s),
    "retained": lambda m: [hand(m, lambda z, s: z * s, retain_graph=True)],
    "in NumPy": in_numpy,
    "not recorded": lambda m: two_outputs(m)(m.nd.ones(2), m.nd.ones(2)),
    "some inputs alone": sides_off_the_tape,
    "the other output later": other_output_later,
    "called twice": called_twice,
    "too few gradients": lambda m: given(m, lambda m, d: d),
    "gradients of one element": lambda m: given(m, lambda m, d: (m.nd.ones(1), d)),
    "gradients of another type": lambda m: given(m, lambda m, d: (d.astype("float64"), d)),
}

# The operations

STEPS, BATCH, WIDTH, HIDDENS = 3, 2, 5, 4
X, STATE = (RNG.standard_normal(shape) for shape in [(STEPS, BATCH, WIDTH), (1, BATCH, HIDDENS)])
FLAT = RNG.standard_normal(HIDDENS * (WIDTH + HIDDENS + 2)) / 2


def recurrent(m, mode, dtype, use, data=X, parameters=FLAT, state=STATE, **options):
    inputs = [variable(m, x, dtype=dtype) for x in (data, parameters, state)]
    with m.autograd.record():
        outputs, last = m.nd.RNN(
            *inputs, state_size=HIDDENS, num_layers=1, mode=mode, state_outputs=True, **options
        )
        head = use(outputs, last)
    head.backward()
    return [outputs, last, head, *[x.grad for x in inputs]]


USES = {
    "outputs": lambda outputs, last: outputs * outputs,
    "last": lambda outputs, last: last * last,
    "both": lambda outputs, last: (outputs * last).sum() * 3,
}
RECURRENT = {
    f"{mode} {dtype} {name}": lambda m, mode=mode, dtype=dtype, use=use: recurrent(
        m, mode, dtype, use
    )
    for mode, dtype in [("rnn_relu", "float32"), ("rnn_tanh", "float32"), ("rnn_tanh", "float64")]
    for name, use in USES.items()
}
RECURRENT |= {
    "one step of one row": lambda m: recurrent(
        m, "rnn_tanh", "float32", USES["both"], X[:1, :1], state=STATE[:, :1]),
    "without the state": lambda m: m.nd.RNN(
        *[m.nd.array(x) for x in (X, FLAT, STATE)], state_size=4, num_layers=1, mode="rnn_tanh"),
    "nan": lambda m: recurrent(m, "rnn_tanh", "float32", USES["both"], X * np.nan),
    "too few parameters": lambda m: recurrent(
        m, "rnn_tanh", "float32", USES["both"], parameters=FLAT[:-1]),
    "another batch": lambda m: recurrent(
        m, "rnn_tanh", "float32", USES["both"], state=STATE[:, :1]),
    "two types": lambda m: m.nd.RNN(
        m.nd.array(X, dtype="float64"), m.nd.array(FLAT), m.nd.array(STATE), state_size=4,
        num_layers=1, mode="rnn_tanh"),
}  # fmt: skip


def dense(*options):
    return lambda m, x, *parameters: m.nd.FullyConnected(x, *parameters, **dict(options))


FULLY_CONNECTED = {
    f"{shape} {dtype} {'flat' * flat} {'biased' * biased}": gradients(
        dense(("num_hidden", 4), ("flatten", flat), ("no_bias", not biased)),
        RNG.standard_normal(shape),
        RNG.standard_normal((4, int(np.prod(shape[1:])) if flat else shape[-1])),
        *([RNG.standard_normal(4)] if biased else []),
        dtype=dtype)
    for shape in [(2, 3), (2, 3, 5), (2, 2, 3, 5)]
    for dtype in FLOATS
    for flat in (True, False)
    for biased in (True, False)
}  # fmt: skip
FULLY_CONNECTED |= {
    "another width": gradients(dense(("num_hidden", 4)), A, np.ones((4, 2)), np.ones(4)),
    "another bias": gradients(dense(("num_hidden", 4)), A, np.ones((4, 3)), np.ones(5)),
    "two types": lambda m: m.nd.FullyConnected(
        m.nd.array(A), m.nd.ones((4, 3), dtype="float64"), no_bias=True, num_hidden=4),
}  # fmt: skip

# The layers


def layer(m, **options):
    return m.gluon.rnn.RNN(HIDDENS, prefix="r_", **options)


def settled(layer):
    """A layer after its first input, its parameters drawn from seed 3."""

    def case(m, *inputs):
        m.random.seed(3)
        made = layer(m)
        made.initialize(m.init.Normal(0.5))
        made(*[m.nd.array(x, dtype=x.dtype) for x in inputs])
        return made

    return case


def shown(m, made):
    parameters = made.collect_params()
    return [
        repr(made), list(parameters), [p.name for p in parameters.values()],
        [p.shape for p in parameters.values()], list(made.collect_params(".*weight")),
    ]  # fmt: skip


def drawn(made):
    return [p.data() for p in made.collect_params().values()]


def applied(m, activation, dtype, state):
    """What a layer gives for X, and the gradients of everything."""
    made = layer(m, activation=activation, dtype=dtype)
    m.random.seed(1)
    made.initialize(m.init.Uniform(0.5))
    x = variable(m, X, dtype=dtype)
    start = [variable(m, STATE, dtype=dtype)] if state == "given" else made.begin_state(BATCH)
    with m.autograd.record():
        outputs, (last,) = made(x, start)
        head = (outputs * outputs).sum() + last.sum()
    head.backward()
    gradients = [p.grad() for p in made.collect_params().values()]
    return [outputs, last, x.grad, *gradients, start[0].dtype]


def concise(m, steps=3):
    """The network of the concise chapter, trained."""

    class RNNModel(m.gluon.nn.Block):
        def __init__(self, rnn_layer, vocab_size):
            super().__init__()
            self.rnn = rnn_layer
            self.vocab_size = vocab_size
            self.dense = m.gluon.nn.Dense(vocab_size, prefix="d_")

        def forward(self, inputs, state):
            X = m.nd.one_hot(inputs.T, self.vocab_size)
            Y, state = self.rnn(X, state)
            return self.dense(Y.reshape((-1, Y.shape[-1]))), state

        def begin_state(self, *args, **kwargs):
            return self.rnn.begin_state(*args, **kwargs)

    m.random.seed(0)
    model = RNNModel(layer(m), 5)
    model.initialize(ctx=m.cpu(), force_reinit=True, init=m.init.Normal(0.5))
    model.hybridize()
    trainer = m.gluon.Trainer(
        model.collect_params(), "sgd", {"learning_rate": 0.5, "momentum": 0, "wd": 0}
    )
    X, Y = m.nd.array([[0, 3, 1, 4], [2, 2, 0, 1]]), m.nd.array([[3, 1, 4, 0], [2, 0, 1, 3]])
    state, seen = model.begin_state(batch_size=2, ctx=m.cpu()), []
    for number in range(steps):
        state = [s.detach() for s in state]
        with m.autograd.record():
            output, state = model(X, state)
            l = m.gluon.loss.SoftmaxCrossEntropyLoss()(output, Y.T.reshape((-1,))).mean()
        l.backward()
        trainer.step(number + 1)
        trainer.set_learning_rate(trainer.learning_rate / 2)
        seen += [l, *state]
    return [list(model.collect_params()), *seen, *drawn(model)]


def frozen(m):
    """A bias without a gradient stays as it is."""
    made = settled(layer)(m, X.astype(np.float32))
    made.l0_h2h_bias.grad_req = "null"
    with m.autograd.record():
        l = made(m.nd.array(X)).sum()
    l.backward()
    m.gluon.Trainer(made.collect_params(), "sgd", {"learning_rate": 0.1}).step(1)
    return [drawn(made), made.l0_h2h_bias.grad_req]


def converted(m, drawn_before):
    """A network in float64, converted before its first input or after."""

    class Network(m.gluon.nn.Block):
        def __init__(self):
            super().__init__()
            self.rnn = layer(m, activation="tanh")
            self.dense = m.gluon.nn.Dense(3, flatten=False)

        def forward(self, x):
            return self.dense(self.rnn(x))

    m.random.seed(4)
    made = Network()
    made.initialize(m.init.Normal(0.5))
    if drawn_before:
        made(m.nd.array(X))
    made.cast("float64")
    with m.autograd.record():
        y = made(m.nd.array(X, dtype="float64"))
    y.backward()
    gradients = [p.grad() for p in made.collect_params().values()]
    return [y, drawn(made), gradients, made.rnn.begin_state(2)]


def replaced(m, data):
    weight = settled(layer)(m, X.astype(np.float32)).l0_i2h_weight
    weight.set_data(m.nd.array(data))
    weight.grad()[:] = 3
    return [weight.data(), weight.grad(), weight.dtype]


x32 = X.astype(np.float32)
LAYERS = {
    **{
        f"{activation} {dtype} {state}": lambda m, of=(activation, dtype, state): applied(m, *of)
        for activation, dtype in [("relu", "float32"), ("tanh", "float32"), ("tanh", "float64")]
        for state in ("given", "zeros")
    },
    "concise": concise,
    "frozen": frozen,
    "converted at once": lambda m: converted(m, drawn_before=False),
    "converted later": lambda m: converted(m, drawn_before=True),
    "fresh layer": lambda m: shown(m, layer(m)),
    "layer of a known input": lambda m: shown(m, layer(m, input_size=7)),
    "settled layer": lambda m: shown(m, settled(layer)(m, x32)),
    "drawn": lambda m: drawn(settled(layer)(m, x32)),
    "drawn by default": lambda m: [
        m.random.seed(5), (lambda d: [d.initialize(), drawn(d)])(m.gluon.nn.Dense(3, in_units=4))],
    "drawn their own way": lambda m: [m.random.seed(5), (lambda d: [
        d.initialize(m.init.Normal(3)), drawn(d)])(m.gluon.nn.Dense(
            3, in_units=4, weight_initializer=m.init.Uniform(2), bias_initializer=m.init.Normal(1))
    )],
    "drawn again": lambda m: (lambda d: [
        d.initialize(m.init.Zero()), drawn(d),
        m.random.seed(2), d.initialize(m.init.Normal(1), force_reinit=True), drawn(d)])(
            m.gluon.nn.Dense(3, in_units=4)),
    "no state": lambda m: settled(layer)(m, x32)(m.nd.array(X)),
    "one state, not in a list": lambda m: settled(layer)(m, x32)(m.nd.array(X), m.nd.array(STATE)),
    "begin_state": lambda m: [layer(m).begin_state(3), layer(m).begin_state(2, func=m.nd.ones),
                              layer(m, dtype="float64").begin_state(batch_size=1, ctx=m.cpu())],
    "state_info": lambda m: layer(m).state_info(3)[0]["shape"],
    "a state of two axes": lambda m: settled(layer)(m, x32)(m.nd.array(X), m.nd.ones((2, 4))),
    "another width later": lambda m: settled(layer)(m, x32)(m.nd.ones((3, 2, 6))),
    "inputs of another type": lambda m: settled(layer)(m, x32)(m.nd.array(X, dtype="float64")),
    "not initialized": lambda m: layer(m)(m.nd.array(X)),
    "waiting": lambda m: (lambda r: [r.initialize(), r.l0_i2h_weight.data()])(layer(m)),
    "no such activation": lambda m: layer(m, activation="foo"),
    "no such grad_req": lambda m: setattr(layer(m).l0_h2h_bias, "grad_req", "foo"),
    "gradient of a frozen one": lambda m: (lambda d: [
        d.initialize(), setattr(d.bias, "grad_req", "null"), d.bias.grad()])(
            m.gluon.nn.Dense(3, in_units=4)),
    "dense": lambda m: shown(m, settled(lambda m: m.gluon.nn.Dense(3, prefix="d_"))(m, x32)),
    "dense, not flat": lambda m: settled(lambda m: m.gluon.nn.Dense(3, flatten=False))(m, x32)(
        m.nd.array(X)),
    "dense without bias": lambda m: shown(
        m, settled(lambda m: m.gluon.nn.Dense(3, use_bias=False, prefix="d_"))(m, x32)),
    "replaced": lambda m: replaced(m, np.ones((4, 5))),
    "replaced by another shape": lambda m: replaced(m, np.ones((4, 4))),
    "trained by nothing known": lambda m: m.gluon.Trainer([], "foo"),
    "trained no parameters": lambda m: m.gluon.Trainer([m.nd.ones(1)], "sgd"),
    "a block without forward": lambda m: m.gluon.nn.Block()(1),
}  # fmt: skip
