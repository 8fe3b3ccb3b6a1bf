"""Access to the operating system: folders, logs, processes, databases, TLS."""
