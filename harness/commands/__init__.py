"""The commands, one module each: they parse, call one capability and print."""
