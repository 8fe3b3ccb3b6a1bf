"""ChatServer: keeps the rooms' log, lets people in, and brings everyone what was said."""
