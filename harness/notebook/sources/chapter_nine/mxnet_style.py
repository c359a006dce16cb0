"""Chapter 9 in MXNet's `nd` and Gluon, a cell for each cell of its document, on either engine.

The notebook of document 003 is made of it, with `max_epochs` in the place of the chapter's 100.
"""
# ruff: noqa

# cell 1
from backends.mxnet_style import d2l
from backends.mxnet_style.engine import gluon, nd


# cell 2
class Data(d2l.DataModule):
    def __init__(self, batch_size=16, T=1000, num_train=600, tau=4):
        self.save_hyperparameters()
        self.time = d2l.arange(1, 1 + T, dtype=d2l.float32)
        noise = 0.2 * d2l.randn(T)
        self.x = noise + d2l.sin(self.time / 100)


# cell 3
data = Data()
d2l.plot(data.time, data.x, "time", "x", xlim=[1, 1000], figsize=(6, 3))


# cell 4
@d2l.add_to_class(Data)
def get_dataloader(self, train):
    num_examples = self.T - self.tau
    lags = [self.x[lag : lag + num_examples] for lag in range(self.tau)]
    self.features = d2l.stack(lags, 1)
    self.labels = d2l.reshape(self.x[self.tau :], (-1, 1))
    part = slice(self.num_train) if train else slice(self.num_train, None)
    return self.get_tensorloader([self.features, self.labels], train, part)


# cell 5
model = d2l.LinearRegression(lr=0.01)
trainer = d2l.Trainer(max_epochs=5)
trainer.fit(model, data)

# cell 6
one_step = d2l.numpy(model(data.features))
d2l.plot(
    data.time[data.tau :],
    [data.labels, one_step],
    "time",
    "x",
    legend=["labels", "one step"],
    figsize=(6, 3),
)

# cell 7
first = data.num_train + data.tau
multi_step = d2l.zeros(data.T)
multi_step[:] = data.x
for t in range(first, data.T):
    multi_step[t] = d2l.reshape(model(d2l.reshape(multi_step[t - data.tau : t], (1, -1))), 1)
multi_step = d2l.numpy(multi_step)

# cell 8
d2l.plot(
    [data.time[data.tau :], data.time[first:]],
    [one_step, multi_step[first:]],
    "time",
    "x",
    legend=["one step", "many steps"],
    figsize=(6, 3),
)


# cell 9
def k_step_pred(k):
    length = data.T - data.tau - k + 1
    columns = [data.x[lag : lag + length] for lag in range(data.tau)]
    for step in range(k):
        column = model(d2l.stack(columns[step : step + data.tau], 1))
        columns.append(d2l.reshape(column, -1))
    return columns[data.tau :]


# cell 10
steps = 1, 4, 16, 64
preds = k_step_pred(max(steps))
d2l.plot(
    data.time[data.tau + max(steps) - 1 :],
    [d2l.numpy(preds[k - 1]) for k in steps],
    "time",
    "x",
    legend=[f"{k} steps" for k in steps],
    figsize=(6, 3),
)

# cell 11
import collections
import random
import re

from backends.mxnet_style import d2l
from backends.mxnet_style.engine import nd


# cell 12
class TimeMachine(d2l.DataModule):
    def _download(self):
        path = d2l.download(
            d2l.DATA_URL + "timemachine.txt", self.root, "090b5e7e70c295757f55df93cb0a180b9691891a"
        )
        with open(path, encoding="utf-8") as file:
            return file.read()


data = TimeMachine()
raw_text = data._download()
raw_text[:60]


# cell 13
@d2l.add_to_class(TimeMachine)
def _preprocess(self, text):
    return re.sub(r"[^a-z]+", " ", text.lower())


text = data._preprocess(raw_text)
text[:60]


# cell 14
@d2l.add_to_class(TimeMachine)
def _tokenize(self, text):
    return [*text]


tokens = data._tokenize(text)
",".join(tokens[:30])


# cell 15
class Vocab:
    def __init__(self, tokens=(), min_freq=0, reserved_tokens=()):
        counted = collections.Counter(tokens)
        self.token_freqs = counted.most_common()
        frequent = {token for token, count in counted.items() if count >= min_freq}
        self.idx_to_token = sorted(frequent | {"<unk>", *reserved_tokens})
        self.token_to_idx = {token: i for i, token in enumerate(self.idx_to_token)}

    def __len__(self):
        return len(self.idx_to_token)

    def __getitem__(self, tokens):
        if isinstance(tokens, (list, tuple)):
            return [self[token] for token in tokens]
        return self.token_to_idx.get(tokens, self.unk)

    def to_tokens(self, indices):
        return [self.idx_to_token[i] for i in indices]

    @property
    def unk(self):
        return self.token_to_idx["<unk>"]


# cell 16
vocab = Vocab(tokens)
indices = vocab[tokens[:10]]
indices, vocab.to_tokens(indices), d2l.Vocab(tokens)[tokens[:10]]


# cell 17
@d2l.add_to_class(TimeMachine)
def build(self, raw_text, vocab=None):
    tokens = self._tokenize(self._preprocess(raw_text))
    vocab = Vocab(tokens) if vocab is None else vocab
    return vocab[tokens], vocab


corpus, vocab = data.build(raw_text)
len(corpus), len(vocab)

# cell 18
words = text.split()
vocab = Vocab(words)
vocab.token_freqs[:10]

# cell 19
freqs = [count for _, count in vocab.token_freqs]
d2l.plot(freqs, xlabel="rank", ylabel="frequency", xscale="log", yscale="log")

# cell 20
bigrams = Vocab(["--".join(words[i : i + 2]) for i in range(len(words) - 1)])
bigrams.token_freqs[:10]

# cell 21
trigrams = Vocab(["--".join(words[i : i + 3]) for i in range(len(words) - 2)])
trigrams.token_freqs[:10]

# cell 22
bigram_freqs = [count for _, count in bigrams.token_freqs]
trigram_freqs = [count for _, count in trigrams.token_freqs]
d2l.plot(
    [freqs, bigram_freqs, trigram_freqs],
    xlabel="rank",
    ylabel="frequency",
    xscale="log",
    yscale="log",
    legend=["one word", "two words", "three words"],
)

# cell 23
from backends.mxnet_style import d2l
from backends.mxnet_style.engine import nd


# cell 24
@d2l.add_to_class(d2l.TimeMachine)
def __init__(self, batch_size, num_steps, num_train=10000, num_val=5000):
    super(d2l.TimeMachine, self).__init__()
    self.save_hyperparameters()
    corpus, self.vocab = self.build(self._download())
    starts = range(len(corpus) - num_steps)
    windows = d2l.tensor([corpus[i : i + num_steps + 1] for i in starts], dtype=d2l.int64)
    self.X, self.Y = windows[:, :-1], windows[:, 1:]


# cell 25
@d2l.add_to_class(d2l.TimeMachine)
def get_dataloader(self, train):
    start, stop = (0, self.num_train) if train else (self.num_train, self.num_train + self.num_val)
    return self.get_tensorloader([self.X, self.Y], train, slice(start, stop))


# cell 26
data = d2l.TimeMachine(batch_size=2, num_steps=10)
for X, Y in data.train_dataloader():
    break
X, Y

# cell 27
from backends.mxnet_style import d2l
from backends.mxnet_style.engine import nd

# cell 28
X, W_xh = d2l.randn(3, 1), d2l.randn(1, 4)
H, W_hh = d2l.randn(3, 4), d2l.randn(4, 4)
d2l.matmul(X, W_xh) + d2l.matmul(H, W_hh)

# cell 29
d2l.matmul(d2l.concat((X, H), 1), d2l.concat((W_xh, W_hh), 0))

# cell 30
import math

from backends.mxnet_style import d2l
from backends.mxnet_style.engine import autograd, gluon, nd


# cell 31
class RNNScratch(d2l.Module):
    def __init__(self, num_inputs, num_hiddens, sigma=0.01):
        super().__init__()
        self.save_hyperparameters()
        self.W_xh = sigma * d2l.randn(num_inputs, num_hiddens)
        self.W_hh = sigma * d2l.randn(num_hiddens, num_hiddens)
        self.b_h = d2l.zeros(num_hiddens)
        for param in (self.W_xh, self.W_hh, self.b_h):
            param.attach_grad()


# cell 32
@d2l.add_to_class(RNNScratch)
def forward(self, inputs, state=None):
    if state is None:
        H = d2l.zeros((inputs.shape[1], self.num_hiddens), ctx=inputs.context)
    else:
        (H,) = state
    outputs = []
    for X in inputs:
        H = d2l.tanh(self.b_h + d2l.matmul(X, self.W_xh) + d2l.matmul(H, self.W_hh))
        outputs.append(H)
    return outputs, H


# cell 33
batch_size, num_inputs, num_hiddens, num_steps = 2, 16, 32, 100
rnn = RNNScratch(num_inputs, num_hiddens)
X = d2l.ones((num_steps, batch_size, num_inputs))
outputs, state = rnn(X)


# cell 34
def check_len(a, n):
    assert len(a) == n


def check_shape(a, shape):
    assert a.shape == shape


for checks in ((check_len, check_shape), (d2l.check_len, d2l.check_shape)):
    checks[0](outputs, num_steps)
    checks[1](outputs[0], (batch_size, num_hiddens))
    checks[1](state, (batch_size, num_hiddens))


# cell 35
class RNNLMScratch(d2l.Classifier):
    def __init__(self, rnn, vocab_size, lr=0.01):
        super().__init__()
        self.save_hyperparameters()
        self.init_params()

    def init_params(self):
        self.W_hq = self.rnn.sigma * d2l.randn(self.rnn.num_hiddens, self.vocab_size)
        self.b_q = d2l.zeros(self.vocab_size)
        for param in (self.W_hq, self.b_q):
            param.attach_grad()

    def training_step(self, batch):
        *inputs, labels = batch
        l = self.loss(self(*inputs), labels)
        self.plot("ppl", d2l.exp(l), train=True)
        return l

    def validation_step(self, batch):
        *inputs, labels = batch
        self.plot("ppl", d2l.exp(self.loss(self(*inputs), labels)), train=False)


# cell 36
nd.one_hot(nd.array([0, 2]), 5)


# cell 37
@d2l.add_to_class(RNNLMScratch)
def one_hot(self, X):
    return nd.one_hot(X.T, self.vocab_size)


# cell 38
@d2l.add_to_class(RNNLMScratch)
def output_layer(self, rnn_outputs):
    return d2l.stack([self.b_q + d2l.matmul(H, self.W_hq) for H in rnn_outputs], 1)


@d2l.add_to_class(RNNLMScratch)
def forward(self, X, state=None):
    hiddens, _ = self.rnn(self.one_hot(X), state)
    return self.output_layer(hiddens)


# cell 39
model = RNNLMScratch(rnn, num_inputs)
outputs = model(d2l.ones((batch_size, num_steps), dtype=d2l.int64))
check_shape(outputs, (batch_size, num_steps, num_inputs))


# cell 40
@d2l.add_to_class(d2l.Trainer)
def clip_gradients(self, grad_clip_val, model):
    grads = [param.grad for param in model.parameters()]
    norm = math.sqrt(sum(float((grad**2).sum().asscalar()) for grad in grads))
    if norm > grad_clip_val:
        for grad in grads:
            grad *= grad_clip_val / norm


# cell 41
data = d2l.TimeMachine(batch_size=1024, num_steps=32)
rnn = RNNScratch(num_inputs=len(data.vocab), num_hiddens=32)
model = RNNLMScratch(rnn, vocab_size=len(data.vocab), lr=1)
trainer = d2l.Trainer(max_epochs=max_epochs, gradient_clip_val=1, num_gpus=1)
trainer.fit(model, data)


# cell 42
@d2l.add_to_class(RNNLMScratch)
def predict(self, prefix, num_preds, vocab, device=None):
    state, indices = None, [vocab[prefix[0]]]
    for place in range(1, len(prefix) + num_preds):
        inputs = self.one_hot(d2l.tensor([indices[-1:]], ctx=device))
        hiddens, state = self.rnn(inputs, state)
        if place < len(prefix):
            indices.append(vocab[prefix[place]])
        else:
            logits = self.output_layer(hiddens)
            indices.append(int(d2l.argmax(logits, axis=2).asscalar()))
    return "".join(vocab.idx_to_token[i] for i in indices)


# cell 43
model.predict("it has", 20, data.vocab, d2l.try_gpu())

# cell 44
from backends.mxnet_style import d2l
from backends.mxnet_style.engine import gluon, nd


# cell 45
class RNN(d2l.Module):
    def __init__(self, num_inputs, num_hiddens):
        super().__init__()
        self.save_hyperparameters()
        self.rnn = gluon.rnn.RNN(num_hiddens, activation="tanh", input_size=num_inputs)

    def forward(self, inputs, H=None):
        if H is None:
            (H,) = self.rnn.begin_state(inputs.shape[1], ctx=inputs.context)
        outputs, (H,) = self.rnn(inputs, [H])
        return outputs, H


# cell 46
class RNNLM(d2l.RNNLMScratch):
    def init_params(self):
        self.linear = gluon.nn.Dense(self.vocab_size, flatten=False)
        self.initialize()

    def output_layer(self, hiddens):
        return d2l.swapaxes(self.linear(hiddens), 0, 1)


# cell 47
data = d2l.TimeMachine(batch_size=1024, num_steps=32)
rnn = RNN(num_inputs=len(data.vocab), num_hiddens=32)
model = RNNLM(rnn, vocab_size=len(data.vocab), lr=1)
model.predict("it has", 20, data.vocab)

# cell 48
trainer = d2l.Trainer(max_epochs=max_epochs, gradient_clip_val=1, num_gpus=1)
trainer.fit(model, data)

# cell 49
model.predict("it has", 20, data.vocab, d2l.try_gpu())
