"""The hub: the one thread that applies what happens, and commits it."""
