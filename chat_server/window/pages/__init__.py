"""The pages of the host's window."""
