"""``history``: results over time, in one file of SQLite; step changes; a static site."""
