"""How a client joins that was written from docs/protocol.md alone: found, by asking, by a code.

With the standard library and the other stranger. Sections of that page are named.
"""

import base64
import hashlib
import hmac
import secrets
import socket
import struct
import time
from dataclasses import dataclass, replace
from typing import Final

from tests.process.stranger import Fields, Link, Stranger, WrongServerError

_PRIME: Final = 2**255 - 19
_A: Final = 486662
_PTR, _TXT, _SRV = 12, 16, 33
_SERVICE: Final = (b"_lan-chat", b"_tcp", b"local")
_QUESTIONS: Final = (0.0, 1.0, 3.0)


class Guest(Stranger):
    """Somebody who has no link, and knows where a server is; or has one, for a device."""

    def __init__(self, host: str, port: int, username: str, display_name: str = "") -> None:
        super().__init__("", username, display_name)
        self.link = Link((host,), port, b"", "", "")
        self.answers: list[Fields] = []
        """What came of requests."""
        self._takers["knock_answered"] = self.answers.append

    def knock(self) -> str:
        """Ask the host; the digits, once the host sees the request (section 19)."""
        committed = self.ask(
            "knock",
            username=self.username,
            display_name=self.display_name,
            device="stranger",
            installation=self.installation,
        )
        mine = secrets.token_bytes(32)
        shown = self.ask("knock_open", nonce=mine.hex())
        theirs = bytes.fromhex(shown["nonce"])
        if hashlib.sha256(b"Chat knock 1" + theirs).hexdigest() != committed["commitment"]:
            raise WrongServerError
        made = hashlib.sha256(b"Chat knock digits 1" + self.line.fingerprint + mine + theirs)
        return f"{int.from_bytes(made.digest()[:8]) % 10000:04}"

    def wait_for_answer(self) -> str:
        """What the host said; with "admitted" there is an invite to join with."""
        self.until(lambda: self.answers)
        answer = self.answers.pop(0)
        if answer["code"] == "admitted":
            self._invited(answer["secret"])
        return str(answer["code"])

    def prove(self, code: str) -> None:
        """Show to know a spoken code, however it is typed; then there is an invite to join with."""
        exchange = Exchange(plain(code), self.line.fingerprint, secrets.token_bytes(16))
        begun = self.ask("code_start", sid=exchange.sid.hex(), share=exchange.share.hex())
        exchange.agree(bytes.fromhex(begun["share"]))
        invited = self.ask("code_proof", tag=exchange.tag.hex())
        if not hmac.compare_digest(bytes.fromhex(invited["tag"]), exchange.other_tag):
            raise WrongServerError
        self._invited(invited["secret"])
        self.username = invited["username"] or self.username

    def _invited(self, secret: str) -> None:
        self.link = replace(self.link, pin=self.line.fingerprint, secret=secret)


def plain(code: str) -> bytes:
    """The eight characters of a code, in ASCII."""
    kept = "".join(each for each in code.upper() if not each.isspace() and each != "-")
    return kept.translate(str.maketrans("OIL", "011")).encode()


class Exchange:
    """The guest's side of CPace, step by step as in section 19."""

    def __init__(self, code: bytes, fingerprint: bytes, sid: bytes) -> None:
        self.sid = sid
        channel = b"Chat spoken code 1" + fingerprint
        start = lv(b"CPace255", code, bytes(109), channel, sid)
        self._scalar = secrets.token_bytes(32)
        point = elligator2(hashlib.sha512(start).digest()[:32])
        self.share = x25519(self._scalar, point)
        self.tag = self.other_tag = b""

    def agree(self, other: bytes) -> None:
        """Take the server's share."""
        shared = x25519(self._scalar, other)
        if shared == bytes(32) or other == self.share:
            raise WrongServerError
        transcript = lv(self.share, b"") + lv(other, b"")
        isk = hashlib.sha512(lv(b"CPace255_ISK", self.sid, shared) + transcript).digest()
        key = hashlib.sha512(b"CPaceMac" + self.sid + isk).digest()
        self.tag = hmac.digest(key, lv(self.share, b""), "sha512")
        self.other_tag = hmac.digest(key, lv(other, b""), "sha512")


def lv(*parts: bytes) -> bytes:
    """Parts behind their lengths."""
    joined = b""
    for part in parts:
        assert len(part) < 128
        joined += bytes([len(part)]) + part
    return joined


def elligator2(encoded: bytes) -> bytes:
    """The u-coordinate that RFC 9380 §6.7.1 maps a number to."""
    r = (int.from_bytes(encoded, "little") & (1 << 255) - 1) % _PRIME
    x = -_A * pow(1 + 2 * r * r, -1, _PRIME) % _PRIME
    is_square = pow(x**3 + _A * x**2 + x, (_PRIME - 1) // 2, _PRIME) in {0, 1}
    return (x if is_square else (-x - _A) % _PRIME).to_bytes(32, "little")


def x25519(scalar: bytes, point: bytes) -> bytes:
    """The Montgomery ladder of RFC 7748 §5."""
    k = int.from_bytes(scalar, "little") & ~(7 | 1 << 255) | 1 << 254
    u = (int.from_bytes(point, "little") & (1 << 255) - 1) % _PRIME
    x2, z2, x3, z3, swapped = 1, 0, u, 1, 0
    for place in reversed(range(255)):
        bit = k >> place & 1
        if bit != swapped:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b = x2 + z2, x2 - z2
        da, cb = (x3 - z3) * a, (x3 + z3) * b
        x3, z3 = (da + cb) ** 2 % _PRIME, u * (da - cb) ** 2 % _PRIME
        aa, bb = a * a, b * b
        x2, z2 = aa * bb % _PRIME, (aa - bb) * (aa + 121665 * (aa - bb)) % _PRIME
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, -1, _PRIME) % _PRIME if z2 % _PRIME else 0).to_bytes(32, "little")


# Finding a server (section 2)


@dataclass(frozen=True, slots=True)
class Found:
    """What an advert says. `host` is where it came from."""

    fingerprint: bytes
    name: str
    host: str
    port: int


def find(fingerprint: bytes, interface: str, within: float) -> Found | None:
    """Look for a server for some seconds, on the network of the interface with this address."""
    began = time.monotonic()
    due = list(_QUESTIONS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        asking.settimeout(0.05)
        while (passed := time.monotonic() - began) < within:
            if due and passed >= due[0]:
                del due[0]
                asking.sendto(question(), ("224.0.0.251", 5353))
            try:
                packet, (host, _) = asking.recvfrom(9000)
            except TimeoutError:
                continue
            for found in adverts(packet, host):
                if found.fingerprint == fingerprint:
                    return found
    return None


def question() -> bytes:
    """The question who has our service."""
    name = b"".join(bytes([len(label)]) + label for label in _SERVICE) + b"\0"
    return struct.pack(">6H", 4711, 0, 1, 0, 0, 0) + name + struct.pack(">2H", _PTR, 1)


def adverts(packet: bytes, host: str) -> list[Found]:
    """The servers that a packet tells of."""
    _, _, questions, *counts = struct.unpack_from(">6H", packet)
    at = 12
    for _ in range(questions):
        at = _name(packet, at)[1] + 4
    instances: set[tuple[bytes, ...]] = set()
    ports: dict[tuple[bytes, ...], int] = {}
    texts: dict[tuple[bytes, ...], dict[bytes, bytes]] = {}
    for _ in range(sum(counts)):
        name, at = _name(packet, at)
        kind, _, _, length = struct.unpack_from(">HHIH", packet, at)
        at += 10
        if kind == _PTR and name == _SERVICE:
            instances.add(_name(packet, at)[0])
        elif kind == _SRV:
            (ports[name],) = struct.unpack_from(">H", packet, at + 4)
        elif kind == _TXT:
            texts[name] = dict(_pairs(packet[at : at + length]))
        at += length
    found = []
    for each in instances & ports.keys() & texts.keys():
        text = texts[each]
        pin = base64.urlsafe_b64decode(text[b"fp"] + b"=")
        if text[b"v"] == b"1" and each[0] == pin.hex()[:16].encode():
            found.append(Found(pin, text[b"name"].decode(), host, ports[each]))
    return found


def _name(packet: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
    """A name, whose labels may go on at a former place, and where what follows it is."""
    labels: list[bytes] = []
    behind = 0
    while size := packet[at]:
        if size >= 0xC0:
            behind = behind or at + 2
            at = struct.unpack_from(">H", packet, at)[0] & 0x3FFF
        else:
            labels.append(packet[at + 1 : at + 1 + size])
            at += 1 + size
    return tuple(labels), behind or at + 1


def _pairs(data: bytes) -> list[tuple[bytes, bytes]]:
    pairs, at = [], 0
    while at < len(data):
        key, _, value = data[at + 1 : at + 1 + data[at]].partition(b"=")
        pairs.append((key, value))
        at += 1 + data[at]
    return pairs
