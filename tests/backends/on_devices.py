"""A program: a backend on two devices against the reference, then with faults planted in it.

It prints, as JSON, the errors over tolerance by case, and the quantities that caught each fault.
Several devices have to be asked for before a framework begins, so that it is a process of its own;
or several, each with its RANK.
"""

import json
import sys

import numpy as np

import backends
from common import shards
from common.experiment import Experiment
from common.parity import over_tolerance
from common.parity_grid import Case, cases_of_devices, check
from rnn_rosetta_suite.haste import in_haste
from tests.backends import faults_of_devices as faults

SETTINGS = {"num_hiddens": 8, "num_steps": 3, "devices": 2, "dtype": "float64"}
SETTINGS |= {"clip_theta": 0.05, "lr": 0.5}

FAULTS = {
    "mean over unequal shards": (
        *("shards.share", faults.mean_over_devices, 5),
        {"loss", "gradient W_hh", "loss of the step", "weights", "drift of loss"},
    ),
    "clip before the sum": (
        *("parallel.of_shard", faults.clipped_before_the_sum, 5),
        {"gradient W_hh", "clipped norm", "weights", "drift of weights"},
    ),
    "the state of another device": (
        *("network.train_step", faults.state_of_another, 4),
        {"carried state", "loss of the next step", "drift of loss", "drift of weights"},
    ),
    "one device not updated": (
        *("network.train_step", faults.one_not_updated, 4),
        {"loss of the next step", "weights after two steps", "drift of loss", "drift of weights"},
    ),
}
"""Where it is planted, what, the rows of a minibatch that show it, and what must catch it."""


def compared(backend, case, steps):
    """The errors of a case that are over tolerance."""
    module = backends.load(backend)
    errors = check(lambda given, w: module.build(given, "scratch", w), case, steps)
    return over_tolerance(errors, "float64")


def changed_on_the_way(backend):
    """The quantities that differ where a training goes on from the state that was written down."""
    module = backends.load(backend)
    case = Case("", Experiment(**SETTINGS | {"batch_size": 5}), 9, sigma=0.5)
    models = [module.build(case.experiment, "scratch", case.weights()) for _ in range(2)]
    whole, other = models
    (first, second) = case.batches(2)
    _, state = whole.train_step(*first, whole.begin_state(5))
    H = whole.read_state(state)
    other.load_weights(whole.weights())
    states = [state, other.write_state(H)]
    found = {"state": [H, other.read_state(states[1])]}
    steps = [model.train_step(*second, s) for model, s in zip(models, states, strict=True)]
    found["loss"] = [float(loss) for loss, _ in steps]
    found["next state"] = [m.read_state(s) for m, (_, s) in zip(models, steps, strict=True)]
    for name in whole.weights():
        found[name] = [model.weights()[name] for model in models]
    return [name for name, pair in found.items() if not np.array_equal(*pair)]


def begin_anew(parallel):
    """Forget what was traced with functions that are wrong now, or were."""
    if hasattr(parallel, "places"):
        parallel.places.cache_clear()
        parallel.jax.clear_caches()


def caught(backend, place, fault, batch_size, _):
    """The quantities of a small case that a planted fault makes wrong."""
    parallel = backends.load(backend).parallel
    owners = {"shards": shards, "parallel": parallel, "network": parallel.ParallelNetwork}
    owner, name = place.split(".")
    right = getattr(owners[owner], name)
    setattr(owners[owner], name, fault(right))
    begin_anew(parallel)
    try:
        experiment = Experiment(**SETTINGS | {"batch_size": batch_size})
        with in_haste(backend, compiled=True), np.errstate(all="ignore"):
            return sorted(compared(backend, Case("", experiment, 9, sigma=0.5), steps=4))
    finally:
        setattr(owners[owner], name, right)
        begin_anew(parallel)


def main(backend, *names):
    """Compare the cases of these names, or all; plant every fault."""
    grid = [case for case in cases_of_devices("float64", 2) if case.name in names or not names]
    found = {
        "wrong": {case.name: compared(backend, case, steps=12) for case in grid},
        "changed": changed_on_the_way(backend),
        "caught": {name: caught(backend, *fault) for name, fault in FAULTS.items()},
    }
    if shards.rank() == 0:
        print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
