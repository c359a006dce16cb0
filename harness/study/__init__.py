"""``study``: a grid of runs, and what it shows."""
