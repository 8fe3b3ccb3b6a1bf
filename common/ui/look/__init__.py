"""Theme, fonts, scale, icons, emoji: how things look."""
