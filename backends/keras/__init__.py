"""The network in Keras, on whichever of its engines runs: PyTorch, JAX or TensorFlow."""
