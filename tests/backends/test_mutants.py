"""Faults planted in a backend, one at a time: the parity comparison must catch each of them."""

import numpy as np
import pytest

import backends
from common import judging
from common.inputs import first_weights, load_batches
from common.judging import judge_before_training
from common.parity_grid import check
from common.reference import Reference
from harness.recipes import experiment_of
from harness.run.worker import preflight_batches
from rnn_rosetta_suite import faults as contract
from rnn_rosetta_suite import planted
from rnn_rosetta_suite.haste import caught
from rnn_rosetta_suite.planted import (
    CLIPPING,
    PARTIAL,
    RELU,
    SETTINGS,
    TEXT,
    UNCLIPPED,
    Fault,
    small_case,
)
from tests.backends import faults_of_edges as edges
from tests.backends import faults_of_exercises as exercises
from tests.backends import faults_of_generation as generation
from tests.backends import faults_of_scratch as scratch

LAYERS, EMBEDDING = {"num_layers": 2}, {"input": "embedding", "embed_size": 5}
KEPT, SAMPLED = {"keep_graph": True}, {"decode": "sample", "temperature": 0.5, "alpha": 1.2}

LOOSE, FLOAT32 = {"clip_theta": 5.0}, {"dtype": "float32"}

UPDATE = {"weights", "weights after two steps", "loss of the next step", "drift of weights"}

FAULTS = {
    **planted.FAULTS,
    # the forward pass
    "state dropped": Fault(
        {"scratch.rnn": scratch.state_dropped},
        {"logits", "loss", "gradient W_hh", "carried state", "drift of loss"},
    ),
    "state begins with ones": Fault(
        {"scratch.init_rnn_state": scratch.state_of_ones}, {"first state", "state"}
    ),
    "no hidden bias": Fault(
        {"scratch.rnn": scratch.no_hidden_bias}, {"state", "logits", "loss", "gradient b_h"}
    ),
    "no output bias": Fault(
        {"scratch.rnn": scratch.no_output_bias}, {"logits", "loss", "gradient b_q", "validation"}
    ),
    # the loss and the gradients
    "sum for mean": Fault(
        {"scratch.loss_and_grads": scratch.summed_loss},
        {"loss", "gradient W_xh", "gradient b_q", "loss of the step"},
    ),
    "another derivative": Fault(
        {"scratch.rnn": scratch.another_derivative},
        {"gradient W_xh", "gradient W_hh", "gradient b_h", "weights"},
    ),
    "state not constant": Fault(
        {"scratch.rnn": scratch.state_not_constant},
        {"gradient b_h", "gradients of the next window", "weights", "drift of weights"},
    ),
    # clipping
    "no clip": Fault({"scratch.grad_clipping": scratch.no_clip}, CLIPPING),
    "clipped one by one": Fault({"scratch.grad_clipping": scratch.clip_each}, CLIPPING),
    "another theta": Fault({"scratch.grad_clipping": scratch.another_theta}, CLIPPING),
    "scaled within theta": Fault({"scratch.grad_clipping": scratch.always_scaled}, CLIPPING, LOOSE),
    "theta compiled in": Fault(
        {"backend.build": contract.not_the_first, "scratch.train_step": scratch.first_theta},
        CLIPPING,
        compiled=True,
    ),
    # the update
    "lr applied twice": Fault({"scratch.sgd": scratch.lr_twice}, UPDATE),
    "uphill": Fault({"scratch.sgd": scratch.uphill}, UPDATE),
    "divided by the batch size": Fault({"scratch.sgd": scratch.divided_twice}, UPDATE),
    "W_xh not updated": Fault({"scratch.sgd": scratch.never_updated(0)}, UPDATE),
    "b_q not updated": Fault({"scratch.sgd": scratch.never_updated(4)}, UPDATE),
    # the epochs
    "state carried into the next epoch": Fault(
        {"training.Underway": edges.state_carried_into_the_next_epoch}, {"drift of epochs"}
    ),
    "validation from a carried state": Fault(
        {"training.mean_loss": edges.validation_from_a_carried_state}, {"drift of validation"}
    ),
    # precision
    "state in float32": Fault(
        {"scratch.rnn": scratch.state_in_float32}, {"logits", "gradient W_hh", "carried state"}
    ),
    "products in TF32": Fault(
        {"scratch.rnn": scratch.products_in_tf32}, {"state", "logits", "gradient W_xh"}, FLOAT32
    ),
    # prediction
    "least likely": Fault({"generate.Writer": generation.least_likely}, TEXT),
    "text without the state": Fault({"generate.Writer": generation.state_not_carried}, TEXT),
    "text without the hidden bias": Fault({"generate.Writer": generation.no_hidden_bias}, TEXT),
    "temperature inverted": Fault(
        {"generate.Writer": generation.temperature_inverted}, TEXT, SAMPLED
    ),
    "alpha left out": Fault({"generate.Writer": generation.alpha_left_out}, TEXT, SAMPLED),
    "draws not seeded": Fault({"backend.written": generation.not_seeded}, TEXT, SAMPLED),
    "drawn on from text to text": Fault({"backend.written": generation.drawn_on}, TEXT, SAMPLED),
    # the exercises
    "second layer fed the first one's inputs": Fault(
        {"exercises.rnn": exercises.second_layer_of_inputs},
        {"state", "logits", "loss", "gradient W_xh_2", "gradient W_hh_2", "gradient b_h_2"},
        LAYERS | EMBEDDING | {"embed_size": SETTINGS["num_hiddens"]},
    ),
    "layers share a state": Fault(
        {"exercises.rnn": exercises.layers_share_a_state},
        {"logits", "loss", "gradient W_hh_2", "carried state"},
        LAYERS,
    ),
    "embedding gradient dropped": Fault(
        {"exercises.rnn": exercises.embedding_constant},
        {"gradient W_emb", "gradients of the next window", "weights", "drift of weights"},
        EMBEDDING,
    ),
    "clipping leaves out the embedding": Fault(
        {"scratch.grad_clipping": exercises.clipped_without(0)}, CLIPPING, EMBEDDING
    ),
    "clipping leaves out the second layer": Fault(
        {"scratch.grad_clipping": exercises.clipped_without(3)}, CLIPPING, LAYERS
    ),
    "second layer not updated": Fault({"scratch.sgd": scratch.never_updated(4)}, UPDATE, LAYERS),
    "chain cut at one window": Fault(
        {"exercises.pullbacks_behind": exercises.one_window_behind},
        {"gradients of the next window"},
        KEPT,
    ),
    "chain cut": Fault(
        {"exercises.pullbacks_behind": exercises.none_behind},
        {"gradients of the next window", "weights after two steps", "drift of weights"},
        KEPT,
    ),
    "losses of all windows": Fault(
        {"exercises.through_all": exercises.losses_of_all},
        {"gradients of the next window", "weights after two steps", "drift of weights"},
        KEPT,
    ),
    "gradients of a layer's state go to another": Fault(
        {"exercises.through_all": exercises.layers_exchanged},
        {"gradients of the next window", "weights after two steps", "drift of weights"},
        KEPT | LAYERS,
    ),
}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        LOOSE,
        UNCLIPPED,
        RELU,
        PARTIAL,
        FLOAT32,
        LAYERS,
        EMBEDDING,
        SAMPLED,
        KEPT | LAYERS,
    ],
    ids=str,
)
def test_without_a_fault_nothing_is_caught(backend, settings):
    assert caught(backend, small_case(settings)) == set()


def test_every_quantity_is_there_to_catch_a_fault():
    quantities = set(check(Reference, small_case(LAYERS | EMBEDDING), steps=5))
    assert quantities == set().union(*(f.catchers for f in FAULTS.values()))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_caught(backend, plant, fault):
    plant(fault.planted)
    assert fault.catchers
    assert fault.catchers <= caught(backend, small_case(fault.settings), fault.compiled)


ELSEWHERE = {"lr applied twice", "model in float32", "state in float32"}
ELSEWHERE |= {"state carried into the next epoch", "validation from a carried state"}
"""What the check cannot show: the quick start's lr is 1, its precision float32; no epoch ends."""

BEFORE_TRAINING = [n for n, fault in FAULTS.items() if not fault.settings and n not in ELSEWHERE]


KNOWN = {}
"""Numbers of the reference by their name and the weights."""


def known(name, weights, compute):
    """Numbers that are computed once: nothing that is planted is in them."""
    place = name, *(w.tobytes() for w in weights.values())
    if place not in KNOWN:
        KNOWN[place] = compute()
    return KNOWN[place]


@pytest.fixture
def quick_judge(monkeypatch):
    """The judge computes the reference, and how far rounding moves it, once for all faults."""

    def of_reference(compute):
        def quick(model, *given):
            if type(model) is not Reference:
                return compute(model, *given)
            return known(compute.__name__, model.weights(), lambda: compute(model, *given))

        return quick

    for compute in (judging.one_step, judging.short_epoch, judging.text):
        monkeypatch.setattr(judging, compute.__name__, of_reference(compute))
    spread = judging.spread_by_rounding

    def quick_spread(weights, experiment, compute, expected):
        given = weights, experiment, compute, expected
        return known(f"spread of {compute.__name__}", weights, lambda: spread(*given))

    monkeypatch.setattr(judging, "spread_by_rounding", quick_spread)


@pytest.mark.usefixtures("quick_judge")
@pytest.mark.parametrize("name", BEFORE_TRAINING)
def test_it_is_caught_before_training_at_a_recipes_own_settings(backend, plant, name):
    """The quick start's: float32, 256 hiddens, weights so small that little shows in them.

    In PyTorch alone: the judge is the same for every backend, and each fault takes it a second.
    """
    if backend != "torch":
        pytest.skip("the judge is the same for every backend")
    experiment = experiment_of("quickstart", {"device": "cpu"})
    data, vocab = load_batches(experiment, None)
    weights = first_weights(experiment, len(vocab))
    plant(FAULTS[name].planted)
    model = backends.load(backend).build(experiment, "scratch", weights)
    with np.errstate(all="ignore"):
        batches = preflight_batches(data)
        found = judge_before_training(model, weights, experiment, batches, vocab)
    assert found.verdict == "different", found.reason
