"""Notifications and sounds of the desktop. No windows, and no Tk."""
