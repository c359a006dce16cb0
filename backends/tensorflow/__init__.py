"""The network in TensorFlow."""
