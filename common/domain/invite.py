"""The invite: a link that says where a server is, how to know it, and that one may come in.

    chat://HOST:PORT/join?as=USERNAME&fp=FINGERPRINT&secret=SECRET&name=NAME&also=HOST&also=HOST

`fp` is the SHA-256 of the server's certificate in DER (base64url without padding), so a
client needs no trust on first use. A `chat+plaintext` link has no `fp` and leads only to
loopback addresses. IPv6 hosts stand in brackets (RFC 3986 §3.2.2). Only an invite for one more
device of an account has `as`: it is for nobody else.
"""

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from common.domain.names import USERNAME_PATTERN
from common.limits import INVITE_LENGTH, SERVER_NAME_LENGTH

SCHEME: Final = "chat"
PLAINTEXT_SCHEME: Final = "chat+plaintext"
_SECRET = re.compile(r"[A-Za-z0-9_-]{22}")
_USERNAME = re.compile(USERNAME_PATTERN)
_HOST = re.compile(r"[A-Za-z0-9.:%_-]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ENDINGS: Final = {".": "%2E", "-": "%2D", "_": "%5F", "~": "%7E"}
"""Signs that `urlencode` leaves as they are, and what stands for them at the end of a link."""
MOST_HOSTS: Final = 16


class InviteError(ValueError):
    """The text is no invite; the message says what is wrong with it, for a person."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is: its addresses, and how to know it.

    `fingerprint` is 32 bytes. None is for a certificate that is not known yet, or for a plaintext
    server on this computer, which has none.
    """

    hosts: tuple[str, ...]
    port: int
    fingerprint: bytes | None
    server_name: str

    def invite(self, secret: str, username: str = "") -> "Invite":
        """The invite to this place with a secret, for one more device of an account if named."""
        return Invite(self.hosts, self.port, self.fingerprint, secret, self.server_name, username)


@dataclass(frozen=True, slots=True)
class Invite:
    """Where a server is and what lets one in.

    `fingerprint` is 32 bytes, or None for a plaintext server on this computer. `secret` is "" where
    nobody needs one: everyone on the host's network may join there. `username` is "", or whose
    account this invite adds a device to.
    """

    hosts: tuple[str, ...]
    port: int
    fingerprint: bytes | None
    secret: str
    server_name: str
    username: str = ""

    @property
    def place(self) -> Place:
        """Where the server is."""
        return Place(self.hosts, self.port, self.fingerprint, self.server_name)

    def link(self) -> str:
        """The invite as text to send to somebody."""
        query: list[tuple[str, str]] = []
        if self.username:
            # First: of a link that was cut in it the rest is missed.
            query.append(("as", self.username))
        if self.fingerprint is not None:
            query.append(("fp", _to_base64url(self.fingerprint)))
        if self.secret:
            query.append(("secret", self.secret))
        query.append(("name", self.server_name))
        query += [("also", host) for host in self.hosts[1:]]
        first = f"[{self.hosts[0]}]" if ":" in self.hosts[0] else self.hosts[0]
        scheme = PLAINTEXT_SCHEME if self.fingerprint is None else SCHEME
        link = f"{scheme}://{first}:{self.port}/join?{urlencode(query)}"
        # A link that ended with punctuation could not be told from a sentence that ends there.
        return link[:-1] + _ENDINGS.get(link[-1], link[-1])


def parse_invite(text: str, *, needs_secret: bool = True) -> Invite:
    """The invite in `text`, which may have white space around it. Raises InviteError.

    Only what a program has stored itself may lack the secret: see `Invite.secret`.
    """
    link = "".join(text.split())
    if len(link) > INVITE_LENGTH:
        raise InviteError("this is too long for an invite link")
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError as error:
        raise InviteError("the invite link is damaged; copy the whole link again") from error
    if parts.scheme not in {SCHEME, PLAINTEXT_SCHEME}:
        raise InviteError(f"an invite link starts with {SCHEME}://")
    if not parts.hostname or not port or parts.path != "/join":
        raise InviteError("the invite link is incomplete; copy the whole link again")
    query = parse_qs(parts.query)
    hosts = (parts.hostname, *query.get("also", []))[:MOST_HOSTS]
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise InviteError("the invite link has an address that is none")
    secret = query.get("secret", [""])[0]
    if not (_SECRET.fullmatch(secret) or (not secret and not needs_secret)):
        raise InviteError("the invite link has lost its secret; copy the whole link again")
    plaintext = parts.scheme == PLAINTEXT_SCHEME
    if plaintext and not all(is_loopback(host) for host in hosts):
        raise InviteError("a conversation without encryption stays on one computer")
    fingerprint = None if plaintext else _fingerprint(query.get("fp", [""])[0])
    name = cleaned_server_name(query.get("name", [""])[0])
    username = query.get("as", [""])[0]
    if username and not _USERNAME.fullmatch(username):
        raise InviteError("the invite link's username is damaged; copy the whole link again")
    return Invite(hosts, port, fingerprint, secret, name or parts.hostname, username.lower())


def cleaned_server_name(name: str) -> str:
    """A chat's name that somebody else sent, on one line and cut to its longest; may be empty."""
    return " ".join(_CONTROL.sub(" ", name).split())[:SERVER_NAME_LENGTH].strip()


def is_loopback(host: str) -> bool:
    """Whether an address is this computer's own. A name is not, but for localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_unspecified(host: str) -> bool:
    """Whether an address stands for all interfaces, as a server listens to them: 0.0.0.0 or ::."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def is_link_local(host: str) -> bool:
    """Whether an address means something on one link only: 169.254.0.0/16 or fe80::/10."""
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def _fingerprint(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise InviteError("the invite link's fingerprint is damaged") from error
    if len(raw) != 32:
        raise InviteError("the invite link has lost its fingerprint; copy the whole link again")
    return raw


def _to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
