"""``bench --generate``: how fast each backend writes, against the book's loop."""
