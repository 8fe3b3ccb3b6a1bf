"""The command line of both programs, with errors in one line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


SCHEME: Final = "chat://"
"""How invite links begin."""
_LINK: Final = re.compile(r"chat:[^\s'\"]*", re.IGNORECASE)
_LONG: Final = re.compile(r"('[^']{40})[^']{80,}(?=')|(\S{40})\S{80,}")
_LONGEST: Final = 400
"""Characters of an error at most."""


class ArgumentParser(argparse.ArgumentParser):
    """Like argparse's, but an error is one line on standard error, with exit status 2.

    Help that can't be written, as on a full disk, is such an error with status 1.
    """

    def error(self, message: str) -> NoReturn:
        """Exit with the error, and a hint at `--help`.

        Of an invite link that is where it does not belong nothing is repeated: it has a secret, and
        what programs say is kept in logs. What is very long is cut.
        """
        message = _LONG.sub(r"\1\2…", _LINK.sub(f"{SCHEME}…", message))
        if len(message) > _LONGEST:
            message = f"{message[:_LONGEST]}…"
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Print the usage."""
        if file is None:
            self.show(self.format_help().removesuffix("\n"))
        else:
            super().print_help(file)

    def show(self, text: str) -> None:
        """Print a text on standard output, or exit with status 1."""
        from common.system.output import OutputError, print_lines

        try:
            print_lines([text])
        except OutputError as error:
            self.exit(1, f"{self.prog}: {error}\n" if str(error) else None)


def device_prefix(text: str) -> str:
    """A device by its id, or some of the first digits of it. Raises ArgumentTypeError."""
    if not 4 <= len(text) <= 16 or not set(text.lower()) <= set("0123456789abcdef"):
        why = f"{text[:40]!r} is no device; use the first column of “devices”"
        raise argparse.ArgumentTypeError(why)
    return text.lower()


class ShowVersion(argparse.Action):
    """`--version`: print which build this is, and exit. Evaluated lazily, as it may run git."""

    def __init__(self, option_strings: Sequence[str], **settings: Any) -> None:
        super().__init__(option_strings, **{**settings, "dest": argparse.SUPPRESS, "nargs": 0})

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print it."""
        from common.system.build import version_line

        assert isinstance(parser, ArgumentParser)  # noqa: S101  # both programs' is
        parser.show(version_line(parser.prog))
        parser.exit(0)
