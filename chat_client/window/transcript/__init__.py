"""The conversation: what is held of it, and how it is drawn."""
