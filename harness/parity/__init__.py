"""``parity``: every backend and variant against the reference."""
