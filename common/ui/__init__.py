"""The Tk kit of both windows; only windows import it."""
