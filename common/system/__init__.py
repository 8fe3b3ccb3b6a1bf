"""Folders, logs, processes, databases, TLS: what the operating system gives."""
