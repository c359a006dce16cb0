"""Chapter 9's helper package `d2l`, as far as it is the same in every framework."""
