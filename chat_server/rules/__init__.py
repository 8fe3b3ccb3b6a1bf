"""The server's rules: pure. Inputs and the time come in, effects come out; no socket, no thread."""
