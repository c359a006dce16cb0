"""``compare``: two runs, or two benchmarks, side by side."""
