"""``bench``: workers take turns, and are timed."""
