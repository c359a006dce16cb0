import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from common.checkpoint import FORMAT, Checkpoint, Middle, load_checkpoint, save_checkpoint
from common.errors import RequestError
from common.experiment import Experiment
from common.vocab import Vocab
from common.weights import draw_weights

ROOT = Path(__file__).parents[2]


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
        ({"vocab": '"ab"'}, {}, "metadata is damaged"),
        ({"vocab": "[" * 100_000}, {}, "metadata is damaged"),
        ({"epoch": "-1"}, {}, "metadata is damaged"),
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


def test_the_same_network_is_the_same_bytes(path, tmp_path):
    """In another process, too: there the metadata would be in another order."""
    code = (
        "import sys; from pathlib import Path;"
        "from common.checkpoint import load_checkpoint as load, save_checkpoint as save;"
        "save(Path(sys.argv[2]), load(Path(sys.argv[1])))"
    )
    again = tmp_path / "again.safetensors"
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code, path, again], check=True, cwd=ROOT)
        assert again.read_bytes() == path.read_bytes()


def test_a_bit_that_was_flipped_is_noticed(path):
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    places = [*range(start, len(content), 29), content.index(b'"epoch":"7"') + 9]
    for place in [*places, content.index(b"num_steps") + 12]:
        flipped = bytearray(content)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(RequestError, match="was changed since it was written"):
            load_checkpoint(path)


def test_one_from_before_there_were_hashes_is_read(path):
    rewrite(path)
    assert load_checkpoint(path).epoch == 7


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_network_that_diverged_is_refused(path, wrong):
    rewrite(path, W_hh=np.full((4, 4), wrong))
    with pytest.raises(RequestError, match="W_hh holds what is no finite number"):
        load_checkpoint(path)


def test_the_middle_of_an_epoch(path):
    loaded = load_checkpoint(path)
    assert loaded.middle is None
    state = np.random.default_rng(0).normal(size=(1, 32, 4)).astype(np.float32)
    middle = Middle(np.array([2.5, 1 / 3]), np.array([1120, 1120]), state, 0.1)
    save_checkpoint(path, replace(loaded, middle=middle))
    found = load_checkpoint(path)
    assert found.middle.seconds == 0.1
    for name in ("losses", "tokens", "state"):
        np.testing.assert_array_equal(getattr(found.middle, name), getattr(middle, name))
    assert found.weights.keys() == loaded.weights.keys()

    for wrong in (replace(middle, state=None), replace(middle, tokens=np.array([1120]))):
        save_checkpoint(path, replace(loaded, middle=wrong))
        with pytest.raises(RequestError, match="the epoch under way is not one of these settings"):
            load_checkpoint(path)
