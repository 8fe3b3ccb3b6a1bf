"""The durable log: SQLite, one connection that writes, any number that read."""
