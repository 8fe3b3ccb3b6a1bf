"""The durable cache of this device: the rooms' events, positions, and the outbox, in SQLite."""
