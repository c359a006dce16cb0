"""``run``: every backend trains on the same batches from the same weights."""
