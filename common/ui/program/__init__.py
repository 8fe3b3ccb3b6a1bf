"""A program's window from its first moment to its last."""
