"""The settings window, its common pages, and what applies the settings to a window."""
