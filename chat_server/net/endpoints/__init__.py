"""Endpoints: the adapters between a kind of client and the hub."""
