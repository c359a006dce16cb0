"""Engines: where the cells of a study are run, here, on a Ray cluster or through Slurm."""
