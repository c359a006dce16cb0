"""What the contract suite cannot see of TensorFlow's variants."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backends
from common.experiment import Experiment
from common.weights import draw_weights
from rnn_rosetta_suite.haste import in_haste


@pytest.fixture
def tensorflow(only):
    only("tensorflow")
    return backends.load("tensorflow")


def model_and_batch(tensorflow, variant, weights=None, **settings):
    experiment = Experiment(num_hiddens=8, device="cpu", **settings)
    model = tensorflow.build(experiment, variant, weights or draw_weights(9, 8))
    shape = experiment.batch_size, experiment.num_steps
    X = np.random.default_rng(0).integers(9, size=shape, dtype=np.uint8)
    return model, X, model.begin_state(len(X))


@pytest.mark.parametrize("variant", ["scratch", "fused", "concise"])
def test_a_new_shape_is_compiled_and_an_old_one_is_not(tensorflow, variant):
    model, X, state = model_and_batch(tensorflow, variant, batch_size=5, num_steps=4)
    counts = [tensorflow.compilations()]
    for steps in (4, 4, 3, 3):
        with in_haste("tensorflow", compiled=True):
            model.train_step(X[:, :steps], X[:, :steps], state)
        counts.append(tensorflow.compilations())
    grew = np.diff(counts) > 0
    assert grew.tolist() == [True, False, True, False]


@pytest.mark.parametrize("variant", ["object", "book"])
def test_what_is_eager_compiles_nothing(tensorflow, variant):
    before = tensorflow.compilations()
    model, X, state = model_and_batch(tensorflow, variant, batch_size=5, num_steps=4)
    model.train_step(X, X, state)
    assert tensorflow.compilations() == before


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("variant", ["scratch", "fused", "concise", "object", "book"])
def test_a_diverged_network_looks_diverged(tensorflow, variant, value):
    weights = draw_weights(9, 8)
    weights["b_q"][3] = value
    model, X, state = model_and_batch(tensorflow, variant, weights, batch_size=5, num_steps=4)
    with in_haste("tensorflow", compiled=True):
        loss, _ = model.train_step(X, X, state)
    assert not np.isfinite(float(loss))


def test_keras_computes_with_tensorflow_whatever_the_environment_says(tensorflow):
    code = (
        "import backends; backends.load('tensorflow'); import keras; print(keras.config.backend())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "tensorflow\n", done.stderr


def test_a_d2l_module_tells_keras_layers_when_it_trains(only):
    only("tensorflow")
    import keras

    d2l = backends.section("tensorflow", "d2l")

    class Ones(d2l.DataModule):
        batch_size = 8

        def get_dataloader(self, train):
            return self.get_tensorloader([d2l.ones((8, 4)), d2l.ones((8, 1))], train)

    model = d2l.LinearRegression(lr=0)
    model.net = keras.Sequential(
        [keras.layers.Dropout(0.5, seed=0), keras.layers.Dense(1, kernel_initializer="ones")]
    )
    trainer = d2l.Trainer(max_epochs=1)
    trainer.fit(model, Ones())
    (row,) = trainer.history
    assert row["val_loss"] == 9
    assert row["train_loss"] != 9
    assert len(model.trainable_variables) == 2


def test_lengths_of_texts_are_values_of_one_program(tensorflow):
    """XLA would compile anew for each value that it takes for a constant, and trace nothing."""
    import tensorflow as tf

    model, _, _ = model_and_batch(tensorflow, "scratch")
    generate = tensorflow.generate
    writer = generate.Writer(model.net.params, model.experiment)
    tokens = generate.padded(np.arange(1, 9, dtype=np.int32))

    def program(before, count):
        given = writer.params, writer.state, tokens, tf.constant(before), tf.constant(count)
        return generate.write.experimental_get_compiler_ir(*given, None, "tanh")(stage="hlo")

    assert program(2, 5) == program(7, 9)
