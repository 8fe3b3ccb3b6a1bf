"""Sockets, TLS and the threads that own them."""
