"""The part of MXNet's `gluon` that the book's chapter uses: its loss."""

from . import loss

__all__ = ["loss"]
