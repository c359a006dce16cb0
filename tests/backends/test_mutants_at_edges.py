"""Faults that show at an edge alone, where no other case of the grid is: `parity` misses none."""

import pytest

from common.parity_grid import cases
from rnn_rosetta_suite.haste import caught
from tests.backends import faults_of_edges as edges

BINDS = "tanh, clipping binds, carried state"
WINDOW = "window of 40 steps"
ALIKE = "T = B, V = H = T B, logits overflow"
SLICES = "a slice for every CPU, units at 0, ties, another vocabulary"
CASES = {case.name: case for case in cases("float64")}
STEPS = dict.fromkeys(
    ["Model.loss_and_grads", "Model.train_step"], edges.labels_not_transposed_where_square
)

FAULTS = {
    "relu6 for relu": ({"scratch.rnn": edges.relu6}, SLICES, {"state", "logits", "loss"}),
    "slope of relu at 0": (
        {"scratch.rnn": edges.slope_at_zero},
        SLICES,
        {"gradient W_xh", "gradient b_h", "weights", "drift of weights"},
    ),
    "softmax without its maximum": (
        {"scratch.cross_entropy": edges.without_its_maximum},
        ALIKE,
        {"gradient W_hq", "weights"},
    ),
    "values clipped before the norm": (
        {"scratch.grad_clipping": edges.values_clipped(1)},
        SLICES,
        {"clipped norm", "weights", "drift of weights"},
    ),
    "values clipped for the norm": (
        {"scratch.grad_clipping": edges.values_clipped()},
        BINDS,
        {"clipped norm", "weights", "drift of weights"},
    ),
    "gradients cut eight steps from the end": (
        {"scratch.rnn": edges.cut_eight_steps_from_the_end},
        WINDOW,
        {"gradient W_hh", "gradient b_h", "weights"},
    ),
    "last of equals": ({"Model.predict": edges.last_of_equals}, SLICES, {"text"}),
    "alphabetical": ({"Model.predict": edges.alphabetical}, SLICES, {"text"}),
    "W_hh transposed where V = H": (
        {"backend.build": edges.transposed_where_square},
        ALIKE,
        {"state", "gradient W_hh", "weights before"},
    ),
    "labels not transposed where T = B": (STEPS, ALIKE, {"gradient W_hq", "weights"}),
    "logits transposed where T B = V": (
        {"Model.forward": edges.logits_transposed_where_square},
        ALIKE,
        {"logits", "validation"},
    ),
    "last row lost": (
        dict.fromkeys(["Model.loss_and_grads", "Model.train_step"], edges.last_row_lost),
        SLICES,
        {"loss", "gradient W_hh", "loss of the step"},
    ),
}
"""By name: what is planted, the case that shows it, and the quantities that must be wrong."""


@pytest.mark.parametrize("name", [WINDOW, ALIKE, SLICES])
def test_without_a_fault_nothing_is_caught(backend, name):
    assert caught(backend, CASES[name]) == set()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_caught(backend, plant, fault):
    planted, case, catchers = fault
    plant(planted)
    assert catchers <= caught(backend, CASES[case])
