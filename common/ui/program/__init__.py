"""The life of a program's window: creating the root, loading, running, closing."""
