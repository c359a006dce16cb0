"""``list``: backends, variants, recipes, corpora."""
