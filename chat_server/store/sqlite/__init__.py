"""The store in SQLite: one connection that writes, any number that read."""
