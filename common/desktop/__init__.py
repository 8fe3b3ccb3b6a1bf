"""What the desktop does for a program: notifications and sounds. No windows, and no Tk."""
