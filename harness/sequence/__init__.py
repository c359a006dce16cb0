"""``sequence``: section 9.1, autoregression on a noisy sine."""
