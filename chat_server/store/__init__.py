"""The durable store: its face, and the engine behind it."""
