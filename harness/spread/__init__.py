"""Runs and benchmarks with several seeds or shapes, which an engine may spread over machines."""
