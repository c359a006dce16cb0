"""Drives every backend through the contract, each in a process of its own; imports no framework."""
