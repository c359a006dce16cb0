"""``predict``: a trained network goes on writing."""
