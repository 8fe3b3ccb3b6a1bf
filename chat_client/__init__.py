"""ChatClient: joins a chat on the network, caches its events, and sends messages."""
