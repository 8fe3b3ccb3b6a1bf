"""What docs/protocol.md says of joining without a link: its examples and its numbers."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any, Final

from chat_server.rules import address_limits, codes, join_requests, spoken_codes
from common import limits
from common.domain.invite import parse_invite
from common.domain.spoken_code import ALPHABET, LENGTH, written_code
from common.protocol.cpace import Exchange, Role
from common.protocol.joining_proofs import commitment, knock_digits
from common.protocol.x25519 import x25519

PAGE: Final = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text("utf-8")
SECTION: Final = PAGE[PAGE.index("## 19. Joining without a link") : PAGE.index("\n## 20.")]


def example(kind: str) -> dict[str, Any]:
    """The example of a message."""
    for block in re.findall(r"```json to-\w+\n(.*?)```", SECTION, re.DOTALL):
        found: dict[str, Any] = json.loads(block)
        if found["type"] == kind:
            return found
    raise AssertionError(kind)


def fingerprint() -> bytes:
    """That of the invite in section 2."""
    (link,) = re.findall(r"```invite\n(.*?)```", PAGE, re.DOTALL)
    return parse_invite(link).fingerprint or b""


def test_the_exchange_of_the_page_is_what_the_programs_compute() -> None:
    """With the code, the channel and the scalars that it names."""
    sid = bytes.fromhex(example("code_start")["sid"])
    channel = b"Chat spoken code 1" + fingerprint()
    guest = Exchange(Role.INITIATOR, b"K7QM3XPA", channel, sid, x25519, bytes(range(32)))
    server = Exchange(Role.RESPONDER, b"K7QM3XPA", channel, sid, x25519, bytes(range(32, 64)))
    guest.agree(server.share)
    server.agree(guest.share)
    assert guest.share.hex() == example("code_start")["share"]
    assert server.share.hex() == example("code_share")["share"]
    assert guest.tag().hex() == example("code_proof")["tag"]
    assert server.tag().hex() == example("invited")["tag"]
    assert example("code")["code"] == "K7QM3XPA"
    assert f"written as `{written_code('K7QM3XPA')}`" in SECTION
    assert f"is {LENGTH} characters of `{ALPHABET}`" in SECTION


def test_the_digits_of_the_page_are_what_the_programs_compute() -> None:
    """From its two nonces; and its commitment is that to the server's."""
    theirs = bytes.fromhex(example("knock_open")["nonce"])
    ours = bytes.fromhex(example("knock_shown")["nonce"])
    assert commitment(ours).hex() == example("knock_committed")["commitment"]
    digits = knock_digits(fingerprint(), theirs, ours)
    assert f"these nonces make the digits {digits}" in SECTION
    assert example("requests")["requests"][0]["digits"] == digits


def test_the_limits_of_the_page_are_the_real_ones() -> None:
    """Number for number, as they stand in its sentences."""
    factor = address_limits.NETWORK_FACTOR
    wrong, waiting = spoken_codes.WRONG_AT_ONCE, join_requests.OF_AN_ADDRESS
    for said in (
        (
            f"{wrong} wrong codes from one address within {spoken_codes.WRONG_WINDOW // 1000} s, "
            f"{factor * wrong} from all of an IPv6 /64"
        ),
        f"no codes from there for {spoken_codes.PAUSE // 1000} s",
        f"{spoken_codes.MOST_WRONG} wrong codes in all",
        f"{spoken_codes.MOST_OPEN} exchanges that have begun",
        (
            f"{spoken_codes.STARTS:.0f} exchanges that an address begins at once, "
            f"then one in {1 / spoken_codes.START_RATE:.0f} s"
        ),
        f"valid for {spoken_codes.LIFE // 3_600_000} h",
        (
            f"{limits.REQUESTS} requests that wait, {waiting} from one address, "
            f"{factor * waiting} from all of an IPv6 /64"
        ),
        (
            f"{join_requests.SHOWN_AT_ONCE:.0f} requests of one address at once, "
            f"then one in {1 / join_requests.SHOWN_RATE:.0f} s"
        ),
        f"may ask again after {join_requests.REFUSED_FOR // 1000} s",
        f"{join_requests.LIFE // 60_000} minutes at most",
        f"may take it for {join_requests.RESERVED_FOR // 60_000} minutes after it was admitted",
        f"that is {join_requests.SHOWN_FOR // 60_000} minutes longer than",
    ):
        assert said in " ".join(SECTION.split()), said
    assert join_requests.BLOCKED_FOR == codes.INVITE_LIFE == 3_600_000, "an hour, both"


def lv(*parts: bytes) -> bytes:
    """Parts behind their lengths, all of which are below 128 here."""
    return b"".join(bytes([len(part)]) + part for part in parts)


def mapped(h: bytes) -> bytes:
    """Elligator 2, as RFC 9380 §6.7.1 has it for curve25519."""
    prime, a = 2**255 - 19, 486662
    r = int.from_bytes(h, "little") % 2**255 % prime
    x = -a * pow(1 + 2 * r * r, -1, prime) % prime
    is_square = pow(x**3 + a * x**2 + x, (prime - 1) // 2, prime) in {0, 1}
    return (x if is_square else (-x - a) % prime).to_bytes(32, "little")


def test_the_steps_of_the_page_lead_to_its_example() -> None:
    """Step by step, as who writes another client has nothing but the page."""
    (zeros,) = re.findall(r"where z is (\d+) zero bytes", SECTION)
    sid = bytes.fromhex(example("code_start")["sid"])
    channel = b"Chat spoken code 1" + fingerprint()
    start = lv(b"CPace255", b"K7QM3XPA", bytes(int(zeros)), channel, sid)
    point = mapped(hashlib.sha512(start).digest()[:32])
    guest, server = bytes(range(32)), bytes(range(32, 64))
    ya, yb = x25519(guest, point), x25519(server, point)
    assert (ya.hex(), yb.hex()) == (example("code_start")["share"], example("code_share")["share"])
    parts = lv(b"CPace255_ISK", sid, x25519(guest, yb)) + lv(ya, b"") + lv(yb, b"")
    key = hashlib.sha512(b"CPaceMac" + sid + hashlib.sha512(parts).digest()).digest()
    tags = [hmac.digest(key, lv(share, b""), "sha512").hex() for share in (ya, yb)]
    assert tags == [example("code_proof")["tag"], example("invited")["tag"]]
