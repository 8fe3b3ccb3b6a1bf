"""Which addresses of this computer others can reach it by."""

import contextlib
import socket
from typing import Final

_LOOPBACK: Final = "127.0.0.1"
# Addresses kept for documentation (RFC 5737, RFC 3849). Connecting a datagram socket sends
# nothing: it only makes the system choose the interface it would use.
_SOMEWHERE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def reachable_addresses(host: str | None) -> tuple[str, ...]:
    """The addresses to put into an invite, the likeliest first.

    A server that listens on one address has that one; else all that the system names, and
    the loopback address last, for clients on the same computer.
    """
    if host not in {None, "0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
        return (host or _LOOPBACK,)
    found: list[str] = []
    for family, address in _SOMEWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        named = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        found += [str(address[0]) for *_, address in named]
    usable = (address for address in found if not _useless(address))
    return (*dict.fromkeys(usable), _LOOPBACK)


def _useless(address: str) -> bool:
    """Loopback is added once at the end; link-local IPv6 means nothing without an interface."""
    return address.startswith(("127.", "fe80:", "169.254.")) or address == "::1"
