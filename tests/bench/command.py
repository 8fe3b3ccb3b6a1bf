"""What the command lines of all benchmarks share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable


def at_least(kind: Callable[[str], float], least: float) -> Callable[[str], float]:
    """A kind of number for the command line, from `least` on."""

    def number(text: str) -> float:
        value = kind(text)
        if not least <= value < 100_000:
            raise argparse.ArgumentTypeError(f"{text} is too small or too large")
        return value

    return number


def say(what: str) -> None:
    """Tell whoever waits, not whoever reads the tables."""
    sys.stderr.write(f"bench: {what}\n")


def fail(why: object, status: int) -> int:
    """Tell why it failed; the status."""
    say(str(why))
    return status
