"""Connecting to the server, and recognising one with a new identity."""
