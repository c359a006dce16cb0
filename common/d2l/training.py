"""Training in object style (section 3.2): the loop, and what a model does with a minibatch."""

from __future__ import annotations

import math
from typing import Any

from common.d2l.base import HyperParameters
from common.d2l.plotting import mean
from common.vocab import as_numpy


class Module(HyperParameters):
    """Base of models, beside the framework's own: steps on a minibatch, and what they plot.

    Attributes:
        plot_train_per_epoch, plot_valid_per_epoch: number of points an epoch of each curve.
    """

    plot_train_per_epoch = 2
    plot_valid_per_epoch = 1

    def loss(self, y_hat: Any, y: Any) -> Any:
        """The mean loss of predictions."""
        raise NotImplementedError(f"{type(self).__name__} has no loss yet: add it")

    def plot(self: Any, key: str, value: Any, train: bool) -> None:
        """Add a minibatch's number to the curve ``train_<key>`` or ``val_<key>``."""
        trainer = self.trainer
        self.board.xlabel = "epoch"
        label = ("train_" if train else "val_") + key
        if train:
            x = trainer.train_batch_idx / trainer.num_train_batches
            every_n = trainer.num_train_batches // self.plot_train_per_epoch
        else:
            x = trainer.epoch + 1
            every_n = trainer.num_val_batches // self.plot_valid_per_epoch
        number = float(as_numpy(value).item())
        trainer.record(label, number)
        self.board.draw(x, number, label, every_n, trainer.num_labels)

    def training_step(self: Any, batch: Any) -> Any:
        """The loss of a minibatch, plotted."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=True)
        return l

    def validation_step(self: Any, batch: Any) -> None:
        """Plot the loss of a minibatch."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=False)


class Trainer(HyperParameters):
    """Loop of training and validation; a framework's own says what is done with a minibatch.

    Args:
        max_epochs: passes over the training part.
        num_gpus: 1 trains on a GPU, where there is one.
        gradient_clip_val: largest norm of the gradient; 0 clips nothing.

    Attributes:
        history: a row an epoch, its number and the mean of each number that the model plotted, each
            minibatch weighted by its number of labels; see `plotting.mean`.
        gpus: those in use.
    """

    max_epochs: int
    num_gpus: int
    gradient_clip_val: float

    def __init__(self, max_epochs: int, num_gpus: int = 0, gradient_clip_val: float = 0) -> None:
        self.save_hyperparameters()
        self.gpus = self.all_gpus()[:num_gpus]
        self.history: list[dict[str, float]] = []
        if len(self.gpus) < num_gpus:
            rest = (
                f"{len(self.gpus)} alone: it is used" if self.gpus else "none: training on the CPU"
            )
            print(f"num_gpus={num_gpus}, but this machine has {rest}")

    def all_gpus(self) -> list[Any]:
        """The GPUs that the framework sees."""
        raise NotImplementedError

    def prepare_data(self, data: Any) -> None:
        """Take the loaders of the data."""
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()
        self.num_train_batches = len(self.train_dataloader)
        self.num_val_batches = len(self.val_dataloader or ())

    def prepare_model(self, model: Any) -> None:
        """Take the model, and begin its curves."""
        model.trainer, self.model = self, model
        model.board.curves.clear()
        model.board.xlim = [0, self.max_epochs]

    def prepare_batch(self, batch: Any) -> Any:
        """The minibatch where the model is."""
        return batch

    def fit(self, model: Any, data: Any) -> None:
        """Train a model on data, and validate it after each epoch."""
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        self.history = []
        for epoch in range(self.max_epochs):
            self.epoch = epoch
            self.fit_epoch()
        model.board.show()

    def fit_epoch(self) -> None:
        """Train on each minibatch, then validate with each."""
        self._recorded: dict[str, list[tuple[float, int]]] = {}
        for batch in self.train_dataloader:
            self.num_labels = math.prod(batch[-1].shape)
            self.train_on(self.prepare_batch(batch))
            self.train_batch_idx += 1
        for batch in self.val_dataloader or ():
            self.num_labels = math.prod(batch[-1].shape)
            self.validate_on(self.prepare_batch(batch))
            self.val_batch_idx += 1
        means = {
            label: mean(label, *zip(*recorded, strict=True))
            for label, recorded in self._recorded.items()
        }
        self.history.append({"epoch": self.epoch + 1} | means)

    def record(self, label: str, value: float) -> None:
        """Keep a number of the minibatch at hand for the epoch's mean."""
        self._recorded.setdefault(label, []).append((value, self.num_labels))

    def train_on(self, batch: Any) -> Any:
        """Forward, backward, clip, update: the loss before the update."""
        raise NotImplementedError

    def validate_on(self, batch: Any) -> None:
        """Forward alone."""
        raise NotImplementedError
