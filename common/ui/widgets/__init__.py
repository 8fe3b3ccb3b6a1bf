"""Buttons, fields, menus, dialogs, and editing of text."""
