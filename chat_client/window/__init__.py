"""The client's window. Only `chat_client.__main__` imports it."""
