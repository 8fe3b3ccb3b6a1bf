"""The hub: the one thread that applies commands and inputs, and commits them."""
