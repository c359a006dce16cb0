"""Shared parts of every framework: text, indices, batches, settings, weights and the contract.

Nothing in here imports a framework, a backend or the harness.
"""
