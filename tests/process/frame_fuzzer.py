"""Frames at random, from a seed: commands in any order, with fields that are right, wrong, or odd.

Each is made of the fields that its model has, so a command that is added to the protocol is among
them; what belongs into a field is in `_POOLS`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from common import limits
from common.protocol import messages

COMMANDS: Final[tuple[type[messages.Command], ...]] = get_args(messages.ToServer)
BEFORE_JOINING: Final = (
    messages.Hello,
    messages.Recognize,
    messages.Join,
    messages.SignIn,
    messages.Ping,
    messages.CodeStart,
    messages.CodeProof,
    messages.Knock,
    messages.KnockOpen,
    messages.Withdraw,
)
"""What a connection may say that has not joined."""

_HEX: Final = "0123456789abcdef"
LOW_ORDER: Final = (
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ff" * 32,
)
"""Points of Curve25519 of low order, and encodings that are no number below the prime."""
ODD_TEXTS: Final = (
    "",
    " ",
    "\u202eada",
    "a\u200bda",
    "\u0430da",
    "\uff41\uff44\uff41",
    "ada\ufe0f",
    "A\u0301" * 30,
    "\ufdfa" * 20,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "\u0000",
    "a\nb",
    "a\u2028b",
    "\ud800",
    "Former member",
    "host",
    "Ho\u200dst",
    "%s{0}$(x)`x`",
    "x" * 64,
    "x" * 65,
    "\U0001f600" * 64,
    "x" * 3000,
)
ODD_NUMBERS: Final = (
    0,
    -1,
    1,
    2,
    limits.MAX_INTEGER,
    limits.MAX_INTEGER + 1,
    -limits.MAX_INTEGER,
    2**63,
    2**64,
    10**300,
    0.5,
    1e308,
    -0.0,
)
JUNK: Final[tuple[object, ...]] = (
    None,
    True,
    False,
    [],
    {},
    [[[[]]]],
    {"type": "hello"},
    *ODD_NUMBERS,
    *ODD_TEXTS,
)


class FrameFuzzer:
    """Bodies of frames; the same seed makes the same ones, with the same `known`.

    `known` has values for fields that are right at present, such as a secret or a token.
    """

    def __init__(self, seed: int, known: Mapping[str, Sequence[object]] | None = None) -> None:
        self.random = random.Random(seed)  # noqa: S311 (it has to be repeatable)
        self.known = dict(known or {})
        self._ids = 0

    def command(self, kinds: Sequence[type[messages.Command]] = COMMANDS) -> dict[str, object]:
        """A command of one of these kinds whose fields have the form that they should have."""
        kind = self.random.choice(kinds)
        self._ids += 1
        fields: dict[str, object] = {"id": self._ids}
        for name, field in kind.model_fields.items():
            if name == "type":
                fields[name] = field.default
            elif name != "id" and (field.is_required() or self.random.random() < 0.6):
                fields[name] = self._value(name)
        return fields

    def right(self, kind: type[messages.Command], **fields: object) -> bytes:
        """The body of a command with these fields; what it may leave out, it does."""
        self._ids += 1
        return _json({"type": kind.model_fields["type"].default, "id": self._ids, **fields})

    def body(
        self, kinds: Sequence[type[messages.Command]] = COMMANDS, *, spoil: float = 0.5
    ) -> bytes:
        """The body of a frame; of these a share of `spoil` is not as it should be."""
        fields = self.command(kinds)
        if self.random.random() >= spoil:
            return _json(fields)
        if self.random.random() < 0.7:
            return _json(self.spoilt(fields))
        return self.damaged(_json(fields))

    def spoilt(self, fields: Mapping[str, object]) -> dict[str, object]:
        """The same with one field wrong, missing, or too many."""
        spoilt = dict(fields)
        name = self.random.choice(list(spoilt))
        match self.random.randrange(4):
            case 0:
                del spoilt[name]
            case 1:
                spoilt[self.random.choice([*_POOLS, "x", "re", "__class__"])] = self._junk()
            case 2:
                other = self.random.choice(list(spoilt))
                spoilt[name], spoilt[other] = spoilt[other], spoilt[name]
            case _:
                spoilt[name] = self._junk()
        return spoilt

    def damaged(self, body: bytes) -> bytes:
        """The same with some of its bytes changed, cut off, or repeated."""
        data = bytearray(body)
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randrange(len(data) + 1)
            match self.random.randrange(4):
                case 0:
                    data[at : at + 1] = bytes([self.random.randrange(256)])
                case 1:
                    del data[at:]
                case 2:
                    data[at:at] = data[: self.random.randrange(40)]
                case _:
                    data[at : at + self.random.randrange(9)] = b""
        return bytes(data[: limits.FRAME_BEFORE_SIGN_IN - 1])

    def shuffled(self, frames: Sequence[bytes]) -> list[bytes]:
        """A conversation with some of it left out, said twice, damaged, or in another order."""
        said = list(frames)
        for _ in range(self.random.randint(1, 3)):
            if not said:
                break
            at = self.random.randrange(len(said))
            match self.random.randrange(4):
                case 0:
                    del said[at]
                case 1:
                    said.insert(self.random.randrange(len(said) + 1), said[at])
                case 2:
                    said[at] = self.damaged(said[at])
                case _:
                    said.insert(self.random.randrange(len(said)), said.pop(at))
        return said

    def _value(self, name: str) -> object:
        pool = _POOLS[name]
        known = self.known.get(name)
        if known and self.random.random() < 0.7:
            return self.random.choice(known)
        value = self.random.choice(pool)
        return value(self.random) if callable(value) else value

    def _junk(self) -> object:
        return self.random.choice(JUNK)


def _digits(count: int) -> Any:
    return lambda choose: "".join(choose.choices(_HEX, k=count))


def _secret(choose: random.Random) -> str:
    return "".join(choose.choices("abcXYZ019_-", k=22))


def _number(choose: random.Random) -> int:
    return choose.choice((choose.randint(1, 40), choose.randint(1, limits.MAX_INTEGER)))


_NAMES: Final = ("ada", "BEN", "b3n", "nobody", "host", "x" * 32)
_TEXTS: Final = ("Ada", "Ben", *(text for text in ODD_TEXTS if text.isprintable() and text))
_POOLS: Final[Mapping[str, Sequence[Any]]] = {
    "protocol": (1, 2, 2, 2, 3, 65535),
    "capabilities": ([], ["presence"], ["presence", "x"], ["x"] * 32),
    "program": ("fuzzer", *_TEXTS),
    "secret": (None, _secret),
    "username": _NAMES,
    "nonce": (_digits(64), _digits(64), _digits(32)),
    "display_name": _TEXTS,
    "token": (_digits(64),),
    "device": (_digits(16), _digits(16), *_TEXTS),
    "installation": (_digits(32), "0" * 32, "7" * 32),
    "resume": (None, _digits(32)),
    "positions": ({}, {"general": 0}, {"general": 1}, {"dm:ada:ben": 0}, {"attic": 3}),
    "last": ({}, {"general": "c" * 16}, {"general": "A_-9" * 4}),
    "most": (1, 200),
    "room": ("general", "dm:ada:ben", "dm:ben:ada", "attic"),
    "before": (None, _number, 1),
    "after": (None, 0, _number, "ada"),
    "around": (None, _number),
    "at": (None, 0, limits.MAX_TIME),
    "count": (1, 50, 200),
    "cid": (lambda choose: "".join(choose.choices("ab09_-", k=16)), "c" * 16),
    "kind": ("message",) * 9 + ("join", "account_deleted", "newer"),
    "body": (*({"text": text} for text in _TEXTS), {}, {"messages": "kept"}),
    "since": (0, _number),
    "messages": ("keep", "remove"),
    "connection": (None, _number),
    "reason": ("", "because", None, "\u202e" * 20),
    "until": (None, limits.MAX_TIME, 1),
    "number": (_number, 1),
    "role": ("member", "moderator"),
    "seconds": (0, 1, limits.MAX_SLOW),
    "name": _TEXTS,
    "uses": (None, 1, limits.INVITE_USES),
    "expires_in": (None, limits.SHORTEST_INVITE_LIFE, limits.LONGEST_INVITE_LIFE),
    "note": ("", "for the class", *_TEXTS),
    "rule": ("invite_or_ask", "invite", "ask", "open"),
    "moderators_invite": (True, False),
    "sid": (_digits(32),),
    "share": (_digits(64), *LOW_ORDER),
    "tag": (_digits(128), "0" * 128),
    "request": (_number, 1, 2, 3),
    "block": (True, False),
}
"""By a field's name, values that may be right; a function makes one."""


def _json(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields).encode()
