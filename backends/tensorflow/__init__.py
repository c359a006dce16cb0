"""The network in TensorFlow."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # before TensorFlow is imported, which imports Keras
