"""The command line of both programs: what is wrong with it is said in one line."""

import argparse
from typing import NoReturn


class ArgumentParser(argparse.ArgumentParser):
    """As argparse's, but an error is one line on standard error, and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """End the program, with what is wrong and where to find what is right."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")
