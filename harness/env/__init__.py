"""``env``: environments of versions of a framework."""
