"""A small disk of one's own, which can be filled in earnest: a tmpfs in a mount namespace.

Mounting needs a namespace (Linux, unshare(1)); where the system does not allow one, there is no
small disk, and `namespace` says why.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_STEP: Final = 256 * 1024
_COMMAND: Final = 'mount -t tmpfs -o size=1m none "$1"'


class NoNamespaceError(Exception):
    """This system lets nobody, or not us, mount a disk; the text says why."""


def namespace() -> Sequence[str]:
    """How to start a program that may mount. Raises NoNamespaceError.

    As root it takes a namespace of mounts, else one of users as well, in which we are root.
    """
    unshare = shutil.which("unshare")
    if sys.platform != "linux" or unshare is None:
        raise NoNamespaceError("there is no unshare(1) here")
    command = [unshare, *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--mount"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, "/bin/sh", "-c", _COMMAND, "sh", folder],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise NoNamespaceError(done.stderr.strip() or f"unshare ended with {done.returncode}")
    return command


class SmallDisk:
    """Mounted at a folder during the block; what is in it then stays there."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._ballast = folder / "ballast"

    def __enter__(self) -> Self:
        self._folder.mkdir(mode=0o700)
        options = f"size={self._size},mode=700"
        command = ["mount", "-t", "tmpfs", "-o", options, "none", str(self._folder)]
        subprocess.run(command, check=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.free()
        kept = self._folder.with_name(f"{self._folder.name}.kept")
        shutil.copytree(self._folder, kept, ignore=shutil.ignore_patterns("ctl"))
        subprocess.run(["umount", str(self._folder)], check=True)
        self._folder.rmdir()
        kept.rename(self._folder)

    def fill(self) -> None:
        """Leave no room, but for what somebody frees meanwhile."""
        file = os.open(self._ballast, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            size = os.fstat(file).st_size
            for step in (_STEP, 4096):
                with suppress(OSError):  # No space left.
                    while True:
                        os.posix_fallocate(file, size, step)
                        size += step
        finally:
            os.close(file)

    def free(self) -> None:
        """Room again."""
        self._ballast.unlink(missing_ok=True)
