"""The one connection to the server, and the thread that owns it."""
