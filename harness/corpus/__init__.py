"""``corpus``: section 9.2, Zipf's law and n-grams."""
