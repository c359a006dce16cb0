import json

import pytest

from common.errors import RequestError
from common.experiment import Experiment
from common.weights import NAMES, by_layer, draw, draw_weights


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"state": "carry", "sampling": "sliding"}, "^--state carry does not go with"),
        ({"keep_graph": True, "sampling": "random"}, "^--keep-graph has nothing to keep"),
        ({"keep_graph": True, "state": "fresh"}, "^--keep-graph has nothing to keep"),
        ({"alpha": 0}, "^--alpha 0: "),
        ({"temperature": -1}, "^--temperature -1: "),
        ({"temperature": float("nan")}, "^--temperature nan: "),
        ({"alpha": float("inf")}, "^--alpha inf: "),
        ({"num_layers": 17}, "^--num-layers 17: "),
        ({"min_freq": -1}, "^--min-freq -1: "),
        ({"input": "hot"}, "^--input 'hot': "),
        ({"device": "cuda"}, "^--device 'cuda': input should be 'auto', 'mixed', 'cpu', 'gpu'"),
        ({"device": "gup"}, 'Did you mean "gpu"'),
        ({"device": "gpu:"}, "^--device 'gpu:': .* or a GPU's number, as gpu:1"),
        ({"device": "gpu:1", "devices": 2}, "^--device gpu:N is a single device: give --device"),
    ],
)
def test_what_cannot_be_is_one_line(settings, message):
    with pytest.raises(RequestError, match=message) as raised:
        Experiment.of(settings)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "carries"),
    [
        ({}, True),
        ({"sampling": "random"}, False),
        ({"sampling": "sliding"}, False),
        ({"state": "fresh"}, False),
        ({"state": "carry", "sampling": "random", "keep_graph": True}, True),
    ],
)
def test_the_state_is_carried_as_asked_or_as_the_sampling_has_it(settings, carries):
    assert Experiment.of(settings).carries_state == carries


def test_settings_of_before_the_exercises_are_still_read():
    new = "input embed_size num_layers state keep_graph decode alpha temperature min_freq".split()
    new += ["devices", "deterministic"]
    saved = json.loads(Experiment(num_hiddens=7).model_dump_json())
    old = {name: value for name, value in saved.items() if name not in new}
    assert Experiment.of(old) == Experiment(num_hiddens=7)


def test_shapes_and_their_parts():
    shapes = Experiment(input="embedding", embed_size=3, num_layers=2, num_hiddens=4).shapes(5)
    assert shapes == {
        "W_emb": (5, 3),
        **{"W_xh": (3, 4), "W_hh": (4, 4), "b_h": (4,)},
        **{"W_xh_2": (4, 4), "W_hh_2": (4, 4), "b_h_2": (4,)},
        **{"W_hq": (4, 5), "b_q": (5,)},
    }
    layers = [("W_xh", "W_hh", "b_h"), ("W_xh_2", "W_hh_2", "b_h_2")]
    assert by_layer([*shapes]) == ("W_emb", layers, ("W_hq", "b_q"))
    assert by_layer(NAMES) == (None, layers[:1], ("W_hq", "b_q"))


def test_the_chapters_network_is_drawn_as_before():
    weights = draw(Experiment(num_hiddens=4).shapes(5), "normal", 0.01, seed=1)
    assert all((weights[name] == w).all() for name, w in draw_weights(5, 4, seed=1).items())
    assert weights["W_xh"][0, 0] == pytest.approx(0.0034558419, rel=1e-6)
