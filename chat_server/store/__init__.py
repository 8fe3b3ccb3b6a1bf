"""The durable store: its interface, and the engine behind it."""
