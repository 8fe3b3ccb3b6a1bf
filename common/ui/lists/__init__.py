"""Lists and tables that draw only what is in view."""
