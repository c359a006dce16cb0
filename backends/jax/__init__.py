"""The network in JAX."""
