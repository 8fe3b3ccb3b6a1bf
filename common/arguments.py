"""The command line of both programs: what is wrong with it is said in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn


class ArgumentParser(argparse.ArgumentParser):
    """As argparse's, but an error is one line on standard error, and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """End the program, with what is wrong and where to find what is right."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


class ShowVersion(argparse.Action):
    """`--version`: print which build this is, and end. Finding that out takes a moment."""

    def __init__(self, option_strings: Sequence[str], **settings: Any) -> None:
        super().__init__(option_strings, **{**settings, "dest": argparse.SUPPRESS, "nargs": 0})

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print it."""
        from common.build import version_line

        sys.stdout.write(f"{version_line(parser.prog)}\n")
        parser.exit(0)
