"""Which problems of the server the host is notified of on the desktop, and when."""
