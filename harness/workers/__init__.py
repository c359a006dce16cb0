"""The processes that do the work: one a backend, and how the harness talks to it."""
