"""The pages of the settings window that are this program's own."""
