"""Endpoints: what stands between a session and the hub."""
