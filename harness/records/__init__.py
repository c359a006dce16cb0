"""Files that a run leaves behind: their columns, how they are read, what they stand on."""
