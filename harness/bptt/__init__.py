"""``bptt``: section 9.7, backpropagation through time."""
