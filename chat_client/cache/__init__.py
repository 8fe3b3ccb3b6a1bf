"""What this device keeps: the rooms' events, how far it has them, and the outbox. SQLite."""
