"""Runs a program of ours in which the messages of a deleted account go in very small steps."""

from __future__ import annotations

import runpy
import sys

from chat_server.store.sqlite import store


def main() -> None:
    """Make the steps small, and be the program."""
    store._ERASED_AT_ONCE = 4  # type: ignore[misc]  # it is a constant for everybody else
    _, *sys.argv = sys.argv
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
