"""Names, texts, invites, and reasons as people read them."""
