"""Faults of the contract, each with what must catch it, for whatever keeps the contract."""

from dataclasses import dataclass, field

import backends
from common import judging, parity_grid
from common.experiment import Experiment
from common.parity_grid import Case
from rnn_rosetta_suite import faults

# Small, in float64, with clipping that binds and a state that is carried.
SETTINGS = {"num_hiddens": 8, "batch_size": 3, "num_steps": 3}
SETTINGS |= {"dtype": "float64", "clip_theta": 0.1, "lr": 0.5}

UNCLIPPED, RELU, PARTIAL = {"clip_theta": 0}, {"activation": "relu"}, {"sampling": "sliding"}


class SmallCase(Case):
    """A case of nine tokens, whose last batch lacks a row where no state is carried to it."""

    def batches(self, count):
        *full, (X, Y) = super().batches(count)
        if self.experiment.carries_state:
            return [*full, (X, Y)]
        return [*full, (X[:-1], Y[:-1])]


def small_case(settings):
    """A case of nine tokens in which much shows."""
    return SmallCase("", Experiment(**SETTINGS | settings), vocab_size=9, sigma=0.5)


def places_of(backend):
    """Owners of the functions that faults of the contract take the place of."""
    module = backends.load(backend)
    entry = backends.entry(backend)
    experiment = Experiment(dtype=entry.dtypes[0], num_hiddens=2)
    model = module.build(experiment, entry.variants[0], SmallCase("", experiment, 9).weights())
    return {
        "backend": module,
        "Model": type(model),
        "parity_grid": parity_grid,
        "judging": judging,
    }


@dataclass(frozen=True)
class Fault:
    """What is planted and what must catch it.

    Attributes:
        planted: gives a wrong function of the right one, by the right one's place.
        catchers: quantities of the comparison that must be wrong.
        settings: those in which the fault shows.
        compiled: True for a fault of what is compiled, which shows nowhere else.
    """

    planted: dict
    catchers: set
    settings: dict = field(default_factory=dict)
    compiled: bool = False


CLIPPING = {"clipped norm", "weights", "drift of weights"}
TEXT = {"text"}
LOOPS = ("parity_grid.run_epoch", "judging.run_epoch")
STEPS = ("Model.forward", "Model.loss_and_grads", "Model.train_step")

FAULTS = {
    # the forward pass
    "relu for tanh": Fault(
        {"backend.build": faults.built_with(activation="relu")}, {"state", "logits", "loss"}
    ),
    "tanh for relu": Fault(
        {"backend.build": faults.built_with(activation="tanh")}, {"state", "logits", "loss"}, RELU
    ),
    "W_hh transposed": Fault(
        {"backend.build": faults.transposed_weights}, {"state", "logits", "weights before"}
    ),
    "one-hot shifted": Fault(
        dict.fromkeys(STEPS, faults.shifted_one_hot),
        {"state", "logits", "loss", "gradient W_xh"},
    ),
    "X not transposed": Fault(
        dict.fromkeys(STEPS, faults.inputs_not_transposed),
        {"state", "logits", "loss"},
    ),
    "logits not time-major": Fault(
        {"Model.forward": faults.logits_of_the_batch}, {"logits", "validation"}
    ),
    "weights compiled in": Fault(
        {"backend.build": faults.weights_compiled_in}, {"validation"}, compiled=True
    ),
    # the loss and the gradients
    "labels not transposed": Fault(
        dict.fromkeys(["Model.loss_and_grads", "Model.train_step"], faults.labels_not_transposed),
        {"loss", "gradient W_hq", "loss of the step", "weights", "drift of loss"},
    ),
    "gradients given clipped": Fault(
        {"Model.loss_and_grads": faults.clipped_gradients},
        {"gradient W_xh", "gradient W_hh", "gradient b_h", "gradient W_hq", "gradient b_q"},
    ),
    "gradients accumulated": Fault(
        {"Model.loss_and_grads": faults.accumulated_gradients}, {"gradients of the next window"}
    ),
    "gradients given with the old state": Fault(
        {"Model.loss_and_grads": faults.old_state}, {"gradients of the next window"}
    ),
    "gradients asked for, weights updated": Fault(
        {"Model.loss_and_grads": faults.trains_unasked}, {"weights before"}
    ),
    # clipping
    "theta zero clips": Fault(
        {"backend.build": faults.built_with(clip_theta=1e-9)}, CLIPPING, UNCLIPPED
    ),
    # the step and the epoch
    "old state after the step": Fault(
        {"Model.train_step": faults.old_state},
        {"carried state", "loss of the next step", "drift of loss", "drift of weights"},
    ),
    "loss after the update": Fault(
        {"Model.train_step": faults.loss_after_the_update}, {"loss of the step", "drift of loss"}
    ),
    "loss over a full batch": Fault(
        {"Model.train_step": faults.loss_over_a_full_batch}, {"drift of loss"}, PARTIAL
    ),
    "batches count alike": Fault(
        dict.fromkeys(LOOPS, faults.batches_count_alike),
        {"drift of loss"},
        PARTIAL,
    ),
    "state never carried": Fault(
        dict.fromkeys(LOOPS, faults.state_never_carried),
        {"drift of loss", "drift of weights"},
    ),
    # weights in and out
    "warming up trains": Fault(
        {"Model.load_weights": faults.loads_nothing}, {"weights after warming up"}
    ),
    "weights given as views": Fault({"Model.weights": faults.views}, {"clipped norm"}),
    # precision
    "model in float32": Fault(
        {"backend.build": faults.built_with(dtype="float32")},
        {"state", "logits", "loss", "gradient W_xh", "weights"},
    ),
    # prediction
    "prefix not read": Fault({"Model.predict": faults.prefix_not_read}, TEXT),
    "prefix not finished": Fault({"Model.predict": faults.prefix_not_finished}, TEXT),
    "last token read twice": Fault({"Model.predict": faults.last_token_twice}, TEXT),
}
