"""ChatClient: joins a chat on the network, keeps what was said, and sends what you say."""
