"""What the host is told by the desktop, and when."""
