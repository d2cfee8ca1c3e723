"""The contestants: a module for each says how it starts, how it is filled and what answers."""
