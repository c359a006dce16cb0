"""``scale``: cost as a function of size."""
