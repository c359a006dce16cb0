"""What every framework shares: text, indices, batches, settings, weights and the contract.

Nothing in here imports a framework, a backend or the harness.
"""
