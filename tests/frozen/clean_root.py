"""A new Debian in a folder: it has nothing that a package does not ask for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

SUITE: Final = "bookworm"
"""The oldest Debian that the package is for."""
GUEST: Final = "guest"
_MAKING: Final = 300
_COMMAND: Final = 180
"""Seconds, on a machine with other work."""
_OUT_OF_REACH: Final = ("Failed getting release file", "Couldn't download", "Unable to fetch")
_APART: Final = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
_ENTER: Final = """
mount -t proc proc "$1/proc"
if [ -d /tmp/.X11-unix ]; then
    mkdir -p "$1/tmp/.X11-unix"
    mount --bind /tmp/.X11-unix "$1/tmp/.X11-unix"
fi
shift
"$@"
exit $?
"""
"""In namespaces of its own, whose first process this shell stays: with it, whatever was started
in there ends, and all mounts are gone. Nothing has to be undone, however the test ends."""


class CleanRoot:
    """The system in `folder`, with a user `GUEST`. Removing it is removing the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path) -> CleanRoot:
        """Fetch it from debootstrap's own mirror; skips the test where that is not possible."""
        why = _obstacle()
        if why:
            pytest.skip(why)
        command = ["debootstrap", "--variant=minbase", SUITE, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_MAKING, check=False)
        if any(sign in done.stdout + done.stderr for sign in _OUT_OF_REACH):
            pytest.skip("the mirror of Debian is out of reach")
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        root = cls(folder)
        root.run("useradd", "--create-home", GUEST)
        root.run("apt-get", "update")
        return root

    def run(self, *command: str, user: str = "root") -> str:
        """Run a command in there to its end, with the display; what it says. It must succeed."""
        done = subprocess.run(
            [
                *(*_APART, "sh", "-ec", _ENTER, "sh", str(self.folder)),
                *("chroot", f"--userspec={user}:{user}", str(self.folder), *command),
            ],
            env=self._environment(user),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_COMMAND,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-4000:]}"
        return done.stdout

    def paths(self) -> set[str]:
        """All there is, links not followed."""
        return {f"/{path.relative_to(self.folder)}" for path in self.folder.rglob("*")}

    @staticmethod
    def _environment(user: str) -> dict[str, str]:
        proxies = {name: on for name, on in os.environ.items() if name.lower().endswith("_proxy")}
        return {
            **proxies,
            "DEBIAN_FRONTEND": "noninteractive",
            "DISPLAY": os.environ.get("DISPLAY", ""),
            "HOME": "/root" if user == "root" else f"/home/{user}",
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        }


def _obstacle() -> str:
    """Why no system can be made here, or ""."""
    if os.geteuid() != 0:
        return "making a clean Debian needs root"
    for tool in ("debootstrap", "unshare"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    # A container may be root in name only.
    command = [*_APART, "true"]
    may = subprocess.run(command, capture_output=True, check=False)
    return "" if may.returncode == 0 else "no mounts are allowed here"
