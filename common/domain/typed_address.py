"""An address that somebody types: HOST, or HOST and PORT, in whatever way they are told it.

The host's window writes "192.0.2.10, port 12345", programs write 192.0.2.10:12345 and
[2001:db8::10]:12345 (RFC 3986 §3.2.2): people copy either, and read out both.
"""

import ipaddress
import re
from typing import Final

from common.domain.typed_text import as_ascii
from common.limits import DEFAULT_PORT

LONGEST: Final = 300
"""Maximum length in characters: that of a name, and a port."""
_PORT_IN_WORDS: Final = re.compile(r"[\s,;]+(?:port[\s:]*)?([0-9]{1,6})$", re.IGNORECASE)
_COLON: Final = re.compile(r"\s*:\s*")
_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_ZONE: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_LONGEST_NAME: Final = 253


class AddressError(ValueError):
    """The text is no address; the message says what is wrong with it, for a person."""


def parse_address(text: str) -> tuple[str, int]:
    """The host and the port in `text`; without a port, that of ChatServer.

    The host is an IPv4 address, an IPv6 address without brackets, perhaps with a zone, or a name.
    Raises AddressError.
    """
    typed = as_ascii(text).strip().strip("<>\"'“”").removeprefix("at ").rstrip(".,;")
    if not typed:
        raise AddressError("type the address that the host's window shows")
    if len(typed) > LONGEST:
        raise AddressError("this is too long for an address")
    typed = _COLON.sub(":", _SCHEME.sub("", typed).partition("/")[0])
    host, port = _parted(typed)
    if not 1 <= port <= 65535:
        raise AddressError("a port is a number from 1 to 65535")
    return _checked(host), port


def _parted(typed: str) -> tuple[str, int]:
    """The text of the host, without brackets, and the port; 0 for one that is no number."""
    words = _PORT_IN_WORDS.search(typed)
    if words:
        return typed[: words.start()].strip().strip("[]"), int(words[1])
    if typed.startswith("["):
        host, bracket, rest = typed[1:].partition("]")
        if bracket and rest in {"", ":"}:
            return host, DEFAULT_PORT
        return host, _port(rest.removeprefix(":"))
    if typed.count(":") == 1:
        host, _, rest = typed.partition(":")
        return host.strip(), _port(rest.strip()) if rest.strip() else DEFAULT_PORT
    return typed, DEFAULT_PORT  # of a bare IPv6 address, every colon is its own


def _port(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0


def _checked(host: str) -> str:
    address, percent, zone = host.partition("%")
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        pass
    else:
        if percent and (known.version == 4 or not _ZONE.fullmatch(zone)):
            raise AddressError("the part behind % is no network interface")
        if known.is_unspecified:
            raise AddressError(f"{host} is no address of one computer")
        return f"{known}{percent}{zone}"
    # Numbers and dots alone are a mistyped address and no name: a resolver would make one of them.
    if set(address) <= set("0123456789."):
        raise AddressError("an address has four numbers from 0 to 255, as in 192.168.1.20")
    if ":" in address:
        raise AddressError("this is no IPv6 address; copy the whole of it")
    name = host.removesuffix(".")
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise AddressError("this is no address; type it as the host's window shows it")
    return name
