"""Names, texts, invites, and reasons with their sentences."""
