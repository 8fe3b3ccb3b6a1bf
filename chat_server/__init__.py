"""ChatServer: stores the rooms' events, authenticates clients, and delivers events to them."""
