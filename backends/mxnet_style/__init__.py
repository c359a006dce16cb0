"""The network in MXNet's surface, on an embedded NumPy engine."""
