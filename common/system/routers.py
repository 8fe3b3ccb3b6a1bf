"""The router of the local network, from the operating system alone."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Final

_TABLE: Final = Path("/proc/net/route")
_USES_GATEWAY: Final = 0x2
_PATIENCE: Final = 2.0
_COMMANDS: Final = {
    "darwin": ("/usr/sbin/netstat", "-rn", "-f", "inet"),
    "win32": ("route", "print", "-4", "0.0.0.0"),  # noqa: S104 (a destination in a table)
}
_DEFAULT: Final = re.compile(r"\s*(?:default|0\.0\.0\.0\s+0\.0\.0\.0)\s+([0-9.]+)\s")


def routers() -> list[str]:
    """The IPv4 addresses of the default routes' routers, the preferred one first.

    Empty without one, and where the system does not tell.
    """
    command = _COMMANDS.get(sys.platform)
    if command is None:
        with suppress(OSError):
            return list(dict.fromkeys(of_table(_TABLE.read_text())))
        return []
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        done = subprocess.run(  # noqa: S603 (a program of the system, with fixed arguments)
            command, capture_output=True, timeout=_PATIENCE, check=False, creationflags=flags
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return list(dict.fromkeys(of_listing(done.stdout.decode(errors="replace"))))


def of_table(table: str) -> Iterator[str]:
    """The routers in a table as Linux has it in /proc/net/route, by their metric."""
    found: list[tuple[int, str]] = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        with suppress(ValueError, IndexError):
            destination, gateway, flags, metric = (
                int(fields[1], 16),
                bytes.fromhex(fields[2]),
                int(fields[3], 16),
                int(fields[6]),
            )
            if destination == 0 and flags & _USES_GATEWAY and len(gateway) == 4:
                # The bytes are a number in the order of this computer.
                raw = gateway[::-1] if sys.byteorder == "little" else gateway
                found.append((metric, str(ip_address(raw))))
    return (address for _, address in sorted(found, key=lambda each: each[0]))


def of_listing(listing: str) -> Iterator[str]:
    """The routers in what `netstat -rn` (macOS) or `route print` (Windows) prints."""
    for line in listing.splitlines():
        match = _DEFAULT.match(f"{line} ")
        if match is not None:
            with suppress(ValueError):
                yield str(ip_address(match[1]))
