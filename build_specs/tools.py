"""Running the tools that building needs."""

import os
import subprocess
from typing import Final

PACKAGES: Final = {"dpkg": "dpkg", "dpkg-deb": "dpkg", "readelf": "binutils"}
"""What Debian calls the package that a tool is in."""


class BuildError(Exception):
    """Something can't be built; the text says why, in one sentence."""


def run(*command: str, **environment: str) -> str:
    """What a tool prints. Raises BuildError."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            # Tools speak the language of the person, but not to us.
            env={**os.environ, "LC_ALL": "C", **environment},
        )
    except FileNotFoundError as error:
        package = PACKAGES[command[0]]
        raise BuildError(f"{command[0]} is missing; install the package {package}") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(f"{' '.join(command)} failed: {error.stderr.strip()}") from error
    return done.stdout
