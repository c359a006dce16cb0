import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from common.checkpoint import FORMAT, Checkpoint, load_checkpoint, save_checkpoint
from common.errors import RequestError
from common.experiment import Experiment
from common.vocab import Vocab
from common.weights import draw_weights


@pytest.fixture
def path(tmp_path):
    vocab = Vocab("ab\nÿ分", order="distinct")
    checkpoint = Checkpoint(Experiment(num_hiddens=4), vocab, 7, draw_weights(5, 4))
    save_checkpoint(tmp_path / "made" / "it.safetensors", checkpoint)
    return tmp_path / "made" / "it.safetensors"


def rewrite(path, metadata=None, **tensors):
    found = {
        "format": FORMAT,
        "experiment": Experiment(num_hiddens=4).model_dump_json(),
        "vocab": json.dumps(list("ab\nÿ分")),
        "epoch": "7",
    }
    metadata = {k: v for k, v in (found | (metadata or {})).items() if v is not None}
    save_file(load_file(path) | tensors, path, metadata)


def test_what_is_saved_is_loaded(path):
    loaded = load_checkpoint(path)
    assert loaded.epoch == 7
    assert loaded.experiment == Experiment(num_hiddens=4)
    assert loaded.vocab.idx_to_token == sorted("ab\nÿ分")
    assert loaded.vocab.unk is None
    for name, w in draw_weights(5, 4).items():
        np.testing.assert_array_equal(loaded.weights[name], w)
    assert [p.name for p in path.parent.iterdir()] == ["it.safetensors"]


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RequestError, match="truncated"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("metadata", "tensors", "message"),
    [
        ({"format": None}, {}, "not written by this project"),
        ({"vocab": None}, {}, "metadata is damaged"),
        ({"vocab": '["a", "a"]'}, {}, "metadata is damaged"),
        ({"vocab": "{"}, {}, "metadata is damaged"),
        ({"experiment": "[]"}, {}, "metadata is damaged"),
        ({"experiment": '{"lr": -1}'}, {}, "metadata is damaged"),
        ({"epoch": "soon"}, {}, "metadata is damaged"),
        ({"vocab": '["a", "b", "c"]'}, {}, "this is another network"),
        ({}, {"W_hh": np.zeros((4, 5))}, "W_hh has shape"),
    ],
)
def test_foreign_or_damaged(path, metadata, tensors, message):
    rewrite(path, metadata, **tensors)
    with pytest.raises(RequestError, match=message):
        load_checkpoint(path)


def test_absent(tmp_path):
    with pytest.raises(RequestError, match="no such file"):
        load_checkpoint(tmp_path / "absent.safetensors")
