"""Frames, messages, events, and the phases of a conversation."""
