"""Every backend's section 9.7 against the reference, and the faults that must be caught."""

from functools import cache
from types import ModuleType

import numpy as np
import pytest

from common import bptt
from common.parity import over_tolerance
from common.weights import draw_weights
from rnn_rosetta_suite import fixtures
from rnn_rosetta_suite.haste import in_haste

B, T, H, V = 3, 6, 5, 7


@cache
def window():
    """Weights, X, Y and a state, at random."""
    rng = np.random.default_rng(0)
    weights = draw_weights(V, H, sigma=0.6)
    weights |= {name: rng.standard_normal(weights[name].shape) * 0.3 for name in ("b_h", "b_q")}
    X, Y = rng.integers(V, size=(2, B, T)).astype(np.uint8)
    return weights, X, Y, rng.standard_normal((B, H))


LINKS = {
    "full": bptt.full_links(T),
    "truncated": bptt.truncated_links(T, 2),
    "random": bptt.random_links(T, 0.6, 1, np.random.default_rng(2))[0],
    "any": np.random.default_rng(1).standard_normal(T),
}


def over(section, links, loss_weights, activation):
    given = *window(), links, loss_weights, activation
    found = section.gradients(*given)
    return over_tolerance(bptt.errors(found, bptt.gradients(*given)), "float64")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_equals_the_reference(backend, activation):
    section = fixtures.section(backend, "bptt")
    for loss_weights in (bptt.all_steps(T), bptt.last_step(T)):
        for name, links in LINKS.items():
            assert over(section, links, loss_weights, activation) == {}, name


def test_what_is_found_is_float64_and_stays(backend):
    section = fixtures.section(backend, "bptt")
    given = *window(), LINKS["full"], bptt.all_steps(T), "tanh"
    loss, grads, dH = section.gradients(*given)
    assert isinstance(loss, float)
    assert dH.shape == (T, B, H)
    assert {g.dtype for g in [*grads.values(), dH]} == {np.dtype("float64")}
    kept = {name: g.copy() for name, g in grads.items()}
    section.gradients(*given[:4], LINKS["any"], *given[5:])
    for name, g in kept.items():
        np.testing.assert_array_equal(grads[name], g, err_msg=name)


BODY = '`common.bptt.gradients`."""\n'
FAULTS = {
    "the link is ignored": ("link(H, factor)) ", "H) "),
    "the links are off by one step": (
        BODY,
        BODY + "    links = __import__('numpy').roll(links, 1)\n",
    ),
    "the value is multiplied, too": ("factor * (H - ", "(factor - 1) * H + (H - "),
    "the probe is inside the activation": ("+ b_h) + probe", "+ b_h + probe)"),
    "the weights of the loss are ignored": (
        BODY,
        BODY + "    loss_weights = 0 * loss_weights + 1 / len(links)\n",
    ),
    "the labels are those of the step before": (
        BODY,
        BODY + "    Y = __import__('numpy').roll(Y, 1, axis=1)\n",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(backend, fault):
    section = fixtures.section(backend, "bptt")
    with open(section.__file__, encoding="utf-8") as file:
        text = file.read()
    if fault == "the link is ignored":
        head, rest = text.split("def rnn")
        wrong = head + "def rnn" + rest.replace("link(H, factor)", "H")
    else:
        wrong = text.replace(*FAULTS[fault])
    assert wrong != text, "nothing was planted"
    mutant = ModuleType("mutant")
    mutant.__file__ = section.__file__
    exec(compile(wrong, "mutant", "exec"), mutant.__dict__)
    given = LINKS["any"], np.linspace(0.1, 1, T), "tanh"
    with in_haste(backend):
        assert over(section, *given) == {}
        assert over(mutant, *given)


def test_a_probe_at_the_wrong_step_is_caught(backend):
    section = fixtures.section(backend, "bptt")
    given = *window(), LINKS["full"], bptt.all_steps(T), "tanh"
    loss, grads, dH = section.gradients(*given)
    shifted = loss, grads, np.roll(dH, 1, axis=0)
    assert over_tolerance(bptt.errors(shifted, bptt.gradients(*given)), "float64").keys() == {
        "dl/dH"
    }
