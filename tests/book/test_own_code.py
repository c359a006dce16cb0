"""The code of the book itself, d2l 1.0.3 in PyTorch, and ours train the same network alike.

`tox run -e d2l` installs it; where it is missing, this fails. The figures are printed (`-s`).
"""

import importlib.metadata
import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from backends.torch import d2l
from common.d2l.plotting import mean
from common.inputs import first_weights, load_batches
from common.weights import NAMES
from harness.recipes import experiment_of


def published():
    """The book's package, without torchvision: it imports that for other chapters, on images."""
    for name in ("torchvision", "torchvision.transforms"):
        sys.modules[name] = ModuleType(name)
    sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]
    from d2l import torch as book

    assert importlib.metadata.version("d2l") == "1.0.3"
    return book


def trained(edition, experiment, weights, data):
    """Each minibatch's perplexity, in training and in validation, (epochs, batches) each."""
    found = {True: [], False: []}

    class Kept(edition.RNNLMScratch):
        def plot(self, key, value, train):
            found[train].append(float(value.detach()))

    rnn = edition.RNNScratch(weights["W_xh"].shape[0], experiment.num_hiddens)
    model = Kept(rnn, weights["W_xh"].shape[0], lr=experiment.lr)
    with torch.no_grad():
        for name in NAMES:
            owner = model if hasattr(model, name) else rnn
            getattr(owner, name).copy_(torch.as_tensor(weights[name]))
    trainer = edition.Trainer(experiment.num_epochs, gradient_clip_val=experiment.clip_theta)
    trainer.fit(model, data)
    text = model.predict("it has", 20, data.vocab)
    return [np.array(each).reshape(experiment.num_epochs, -1) for each in found.values()], text


@pytest.mark.parametrize("changed", [{"num_epochs": 10}, {"num_epochs": 2, "clip_theta": 0.05}])
def test_chapter_nine(changed):
    """As the book has it, where no gradient is long enough to be clipped; and where each is."""
    book = published()
    assert book.Trainer.__module__ == "d2l.torch"
    experiment = experiment_of("chapter-9", {"device": "cpu"} | changed)
    _, vocab = load_batches(experiment)
    weights = first_weights(experiment, len(vocab))

    data = d2l.TimeMachine(experiment.batch_size, experiment.num_steps)
    _, their_vocab = book.TimeMachine.build(data, data._download())
    assert their_vocab.idx_to_token == data.vocab.idx_to_token == vocab.idx_to_token
    theirs, their_text = trained(book, experiment, weights, data)
    ours, our_text = trained(d2l, experiment, weights, data)
    loaders = data.train_dataloader(), data.val_dataloader()
    sizes = [[Y.numel() for _, Y in loader] for loader in loaders]
    for part, their, our, weight in zip(("train", "validation"), theirs, ours, sizes, strict=True):
        worst = np.abs(our / their - 1).max()
        ends = [mean("ppl", each[-1], weight) for each in (their, our)]
        print(
            f"{part}: {their.size} minibatches, worst relative difference {worst:.1e}; "
            f"epoch {len(their)}: the book's {ends[0]:.6f}, ours {ends[1]:.6f}"
        )
        assert their.shape == (changed["num_epochs"], {"train": 10, "validation": 5}[part])
        np.testing.assert_allclose(our, their, rtol=1e-5)
    assert our_text == their_text
