"""The message list: which events it holds, and how they are drawn."""
