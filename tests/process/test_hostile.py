"""Hostile input: a typed error or the end of the connection, one line in the log, no harm done.

What must happen is in common/protocol/codec.py and docs/protocol.md. A well-behaved pair of people
talks before and after each attack, on sessions that stay open through all of them.
"""

import json
import random
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pytest

from common import limits
from common.protocol import messages
from common.protocol.codec import Arrival, Phase
from common.protocol.events import Event
from common.protocol.frames import LENGTH, encode_frame
from common.protocol.messages import Ack, Error, Goodbye, Pong, Synced, Welcome
from tests.process.harness import DEADLINE, Server, a_house, wait_until
from tests.process.wire import HungUpError, Raw, Session

HELLO = {"type": "hello", "id": 7, "protocol": 2, "program": "hostile"}
PING = {"type": "ping", "id": 7}
CID = "c" * 16
CANARY = "canary-7f3a"
"""Is in everything hostile, and must be nowhere in the log."""
INVALID = "sent something invalid"
VIOLATIONS = {"malformed", "unknown_type", "too_long", "out_of_order"}


@dataclass
class Town:
    """A server, and two people who want to talk."""

    server: Server
    ada: Session
    ben: Session
    said: int = 0
    violations: int = 0

    def goes_on(self) -> None:
        """Nobody noticed a thing."""
        self.said += 1
        self.ada.say(f"all is well {self.said}")
        self.ada.expect(Ack, within=5)
        event = self.ben.hear(f"all is well {self.said}", within=5)
        assert event.seq == 2 + self.said

    def violated(self) -> None:
        """A connection broke a rule: the log says so in one line.

        That there is no second one is seen at the very end, when all of the log has come.
        """
        self.violations += 1
        wait_until(lambda: self.complaints >= self.violations, "a line in the log")

    @property
    def complaints(self) -> int:
        """The lines of the log about invalid input so far."""
        return len([line for line in tuple(self.server.child.err) if INVALID in line])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One server for all attacks: it has to survive them all."""
    with a_house(tmp_path_factory.mktemp("town")) as house:
        server = house.server("--log-level", "debug")
        with Session(server.join, "ada") as ada, Session(server.join, "ben") as ben:
            ben.everything()
            town = Town(server, ada, ben)
            yield town
            assert server.child.running
    assert town.complaints == town.violations
    log = "\n".join(server.child.err)
    assert CANARY not in log
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", log)
    assert all(line.startswith("20") for line in server.child.err), log  # No forged line.


class Attack(Raw):
    """A hostile connection. It remembers whether it was told of a violation."""

    violated = False

    def message(self, within: float = DEADLINE) -> Arrival:
        """What the server says next."""
        message = super().message(within)
        if isinstance(message, Error) and message.code in VIOLATIONS:
            self.violated = True
        return message


@pytest.fixture
def attack(town: Town) -> Iterator[Attack]:
    """A hostile connection; while it is still there, the town goes on."""
    with Attack(town.server.join) as attack:
        yield attack
        town.goes_on()
    if attack.violated:
        town.violated()


def _body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _error(raw: Raw) -> Error:
    message = raw.message()
    while isinstance(message, Event | messages.PersonChanged):
        message = raw.message()
    assert isinstance(message, Error), message
    assert CANARY not in str(message.params)
    return message


def _ended(raw: Raw) -> None:
    """The last words of the server, and then the end."""
    goodbye = raw.message()
    assert isinstance(goodbye, Goodbye), goodbye
    assert goodbye.code == "violation"
    assert CANARY not in str(goodbye.params)
    with pytest.raises(HungUpError):
        raw.message()


def _welcome(raw: Raw) -> None:
    """The connection is as good as new."""
    assert raw.end.phase is Phase.GREETING
    raw.transmit(raw.end.send(messages.Hello.model_validate(HELLO)))
    while not isinstance(message := raw.message(), Welcome):
        assert isinstance(message, Error)


def _nested(depth: int, opening: str, closing: str) -> bytes:
    return (opening * depth + f'"{CANARY}"' + closing * depth).encode()


BAD_JSON = {
    "an empty body": b"",
    "a word": CANARY.encode(),
    "an unfinished object": b'{"type":"hello","id":7,"' + CANARY.encode(),
    "bytes that are no UTF-8": b'{"type":"hello","id":7,"program":"' + b"\xff\xfe\x80" + b'"}',
    "an overlong encoding": b'{"type":"hello","program":"\xc0\xaf"}',
    "an encoded surrogate": b'{"type":"hello","program":"\xed\xa0\x80"}',
    "an escaped lone surrogate": rb'{"type":"hello","id":7,"protocol":2,"program":"\ud800"}',
    "UTF-16": json.dumps(HELLO).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(HELLO).encode(),
    "NUL bytes": b"\0" * 100,
    "null": b"null",
    "a number": b"12345",
    "a string": f'"{CANARY}"'.encode(),
    "a list": json.dumps([HELLO]).encode(),
    "an empty object": b"{}",
    "two documents": json.dumps(HELLO).encode() * 2,
    "deep lists": _nested(1900, "[", "]"),
    "deep objects": _nested(600, '{"a":', "}"),
    "a deep field": b'{"type":"hello","id":7,"program":' + _nested(1800, "[", "]") + b"}",
    "a number of 3,000 digits": b'{"type":"hello","id":' + b"9" * 3000 + b"}",
    "an infinite number": b'{"type":"hello","id":1e999,"protocol":2,"program":"x"}',
    "NaN": b'{"type":"hello","id":NaN,"protocol":2,"program":"x"}',
    "a fraction": _body(**{**HELLO, "id": 1.0}),
    "a number in a string": _body(**{**HELLO, "id": "7"}),
    "true for a number": _body(**{**HELLO, "id": True}),
    "id 0": _body(**{**HELLO, "id": 0}),
    "an id above 2^53 - 1": _body(**{**HELLO, "id": 2**53}),
    "no id": _body(type="hello", protocol=2, program=CANARY),
    "a protocol of 0": _body(**{**HELLO, "protocol": 0}),
    "a field too many": _body(**PING, extra=CANARY),
    "a field with a telling name": _body(**PING, **{CANARY: 1}),
    "a field with a forged log line": _body(**PING, **{"x\n2026 ERROR forged": 1}),
    "a field with controls": _body(**PING, **{"\x1b[2J\x07": 1}),
    "a program with controls": _body(**{**HELLO, "program": f"{CANARY}\x1b[2J"}),
    "a program with two lines": _body(**{**HELLO, "program": f"{CANARY}\n{CANARY}"}),
    "a capability that is none": _body(**HELLO, capabilities=[CANARY.upper()]),
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_a_body_that_is_no_command_is_answered(attack: Attack, body: bytes) -> None:
    """A typed error that says why; the connection goes on."""
    attack.frame(body)
    assert _error(attack).code == "malformed"
    attack.frame(body)
    assert _error(attack).code == "malformed"
    _welcome(attack)


@pytest.mark.parametrize(
    "name",
    ["", "shout", CANARY, "Hello", "welcome", "event", "x" * 3000, 1, None, {CANARY: 1}, [CANARY]],
)
def test_a_type_that_is_none(attack: Attack, name: object) -> None:
    """Answered by that, under the request's id, without repeating the name."""
    attack.frame(_body(type=name, id=7, text=CANARY))
    error = _error(attack)
    assert (error.code, error.re, error.retryable) == ("unknown_type", 7, False)
    _welcome(attack)


def test_an_error_names_the_field_and_the_request(attack: Attack) -> None:
    """So that whoever writes a client finds the mistake."""
    attack.frame(_body(type="join", id=9, secret=CANARY, username="x", display_name="x"))
    error = _error(attack)
    assert (error.code, error.re, error.field) == ("malformed", 9, "secret")
    attack.frame(_body(**HELLO, capabilities=["x"] * 33))
    error = _error(attack)
    assert (error.code, error.re, error.field) == ("too_long", 7, "capabilities")
    _welcome(attack)


COMMANDS: Final[Mapping[str, Mapping[str, object]]] = {
    "join": {
        "secret": "s" * 22,
        "username": "eve",
        "display_name": CANARY,
        "token": "0" * 64,
        "device": CANARY,
        "installation": "0" * 32,
    },
    "sign_in": {"username": "ada", "token": "0" * 64, "device": CANARY, "installation": "0" * 32},
    "sync": {"positions": {"general": 0}},
    "send": {"room": "general", "cid": CID, "kind": "message", "body": {"text": CANARY}},
    "list_people": {},
    "list_online": {},
    "list_rooms": {},
    "ping": {},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_before_hello(attack: Attack, name: str) -> None:
    """Out of order, and without any effect."""
    attack.frame(_body(type=name, id=3, **COMMANDS[name]))
    error = _error(attack)
    assert (error.code, error.re) == ("out_of_order", 3)
    _welcome(attack)


@pytest.mark.parametrize("name", ["sync", "send", "list_people", "list_online", "list_rooms"])
def test_every_command_before_signing_in(attack: Attack, name: str) -> None:
    """Greeted is not admitted."""
    _welcome(attack)
    attack.frame(_body(type=name, id=3, **COMMANDS[name]))
    error = _error(attack)
    assert (error.code, error.re) == ("out_of_order", 3)
    attack.frame(_body(type="ping", id=4))
    assert attack.message() == Pong(re=4)


@pytest.mark.parametrize("name", ["hello", "join", "sign_in"])
def test_the_opening_again_after_signing_in(town: Town, name: str) -> None:
    """A session is one account's for its whole life."""
    with Session(town.server.join, "ada", town.ada.token) as session:
        session.frame(
            _body(**HELLO) if name == "hello" else _body(type=name, id=7, **COMMANDS[name])
        )
        error = _error(session)
        assert (error.code, error.re) == ("out_of_order", 7)
        session.settle()
    town.violated()
    town.goes_on()


@pytest.mark.parametrize(
    "fields", [{"username": "ada"}, {"username": "nobody"}, {"username": "ADA", "token": "f" * 64}]
)
def test_a_wrong_token(attack: Attack, fields: dict[str, str]) -> None:
    """One answer for a wrong token and an unknown name."""
    _welcome(attack)
    attack.frame(_body(type="sign_in", id=8, **{**COMMANDS["sign_in"], **fields}))
    error = _error(attack)
    assert (error.code, error.re) == ("not_recognized", 8)


# Frames


def _padded(length: int, body: bytes) -> bytes:
    """A frame whose length field says `length`; white space around JSON means nothing."""
    frame = encode_frame(body.ljust(length - 1))
    assert LENGTH.unpack_from(frame) == (length,)
    return frame


def test_the_longest_frame_before_signing_in(attack: Attack) -> None:
    """Exactly 4 KiB is taken; one byte more ends the connection."""
    attack.transmit(_padded(limits.FRAME_BEFORE_SIGN_IN, _body(**HELLO, capabilities=["x"])))
    # This end's own protocol was gone round: what it has to be told is that hello was said.
    attack.end.send(messages.Hello.model_validate(HELLO))
    assert isinstance(attack.message(), Welcome)
    attack.transmit(_padded(limits.FRAME_BEFORE_SIGN_IN + 1, _body(type="ping", id=1)))
    assert _error(attack).params == {"why": "frame"}
    _ended(attack)


def test_the_longest_frame_after_signing_in(town: Town) -> None:
    """Exactly 112 KiB is taken; one byte more ends the connection."""
    with Session(town.server.join, "ada", town.ada.token) as session:
        session.transmit(_padded(limits.FRAME_JSON, _body(type="ping", id=1000)))
        assert session.expect(Pong).re == 1000
        session.transmit(_padded(limits.FRAME_JSON + 1, _body(type="ping", id=1001)))
        error = _error(session)
        assert (error.code, error.retryable) == ("malformed", False)
        assert error.params == {"why": "frame"}
        _ended(session)
    town.violated()
    town.goes_on()


@pytest.mark.parametrize(
    "header",
    [
        b"\0\0\0\0",
        b"\0\0\x10\x01",
        b"\xff\xff\xff\xff",
        b"\x7f\xff\xff\xffJ",
        b"\0\0\0\x01C",
        b"\0\0\0\x01j",
        b"\0\0\0\x02\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
def test_a_bad_header_ends_the_connection(attack: Attack, header: bytes) -> None:
    """At once, with a typed error and a goodbye; what follows is not looked at."""
    attack.transmit(header + encode_frame(_body(**HELLO)))
    assert _error(attack).code == "malformed"
    _ended(attack)


def test_good_commands_before_a_bad_header_count(attack: Attack) -> None:
    """In one write: the hello is answered or not, but the end is orderly."""
    attack.transmit(attack.end.send(messages.Hello.model_validate(HELLO)) + b"\xff" * 100)
    said = attack.to_the_end()
    kinds = [type(message) for message in said if not isinstance(message, Welcome)]
    assert kinds == [Error, Goodbye]


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes(attack: Attack, seed: int) -> None:
    """Whatever they are: errors, a goodbye, or the wait for the rest of a frame."""
    chance = random.Random(seed)  # noqa: S311 (the same bytes each time)
    if seed % 2:
        attack.frame(chance.randbytes(3000))  # In a good frame.
        assert _error(attack).code == "malformed"
    else:
        attack.transmit(b"\x80" + chance.randbytes(100_000))  # As a header, far too long.
        assert _error(attack).code == "malformed"
        _ended(attack)


def test_random_bytes_instead_of_tls(town: Town) -> None:
    """The connection is dropped and nobody is told anything."""
    chance = random.Random(1)  # noqa: S311 (the same bytes each time)
    for start in (b"", b"\x16\x03\x01\x00\x80", b"\x17\x03\x03\x00\x80", b"\x15\x03\x03\x00\x02"):
        for _ in range(5):
            with (
                socket.create_connection((town.server.join.hosts[0], town.server.port)) as raw,
                suppress(ConnectionError),
            ):
                raw.settimeout(10)
                # The first byte of the random ones is never that of a TLS record.
                raw.sendall((start or b"\x80") + chance.randbytes(128))
                while raw.recv(65536):
                    pass
    town.goes_on()


def test_one_byte_at_a_time(attack: Attack) -> None:
    """Slow, but lawful: it is understood."""
    for byte in attack.end.send(messages.Hello.model_validate(HELLO)):
        attack.transmit(bytes([byte]))
    assert isinstance(attack.message(), Welcome)


def test_too_many_mistakes_end_the_connection(attack: Attack) -> None:
    """Ten at once are answered; one more is the last. The log has one line for all."""
    attack.transmit(encode_frame(CANARY.encode()) * 200)
    said = attack.to_the_end()
    assert 10 <= len([message for message in said if isinstance(message, Error)]) <= 12
    goodbye = said[-1]
    assert isinstance(goodbye, Goodbye)
    assert goodbye.code == "violation"


# Signed in


DEEP = _nested(30_000, "[", "]")
SEND = {"type": "send", "id": 5, "room": "general", "cid": CID, "kind": "message"}


def _said(room: str, text: str, cid: str = CID) -> bytes:
    return _body(**{**SEND, "room": room, "cid": cid, "body": {"text": text}})


BAD_COMMANDS: Final[Mapping[str, tuple[bytes, str | None]]] = {
    "a text too long": (
        _said("general", "x" * 16385),
        "body.text",
    ),
    "a text too long in bytes": (
        json.dumps(
            {**SEND, "body": {"text": "ü" * 8193}},
            ensure_ascii=False,
        ).encode(),
        "body.text",
    ),
    "an empty text": (_said("general", ""), "body.text"),
    "a blank text": (_said("general", " \n\t"), "body.text"),
    "a text with controls": (
        _said("general", f"{CANARY}\x1b[2J"),
        "body.text",
    ),
    "a cid that is none": (_said("general", "x", CANARY), "cid"),
    "a room that is none": (_said("../etc", "x"), "room"),
    "a position below 0": (_body(type="sync", id=5, positions={"general": -1}), None),
    "no position": (_body(type="sync", id=5, positions={}), "positions"),
    "too many positions": (
        _body(type="sync", id=5, positions={f"room{n}": 0 for n in range(257)}),
        "positions",
    ),
    "a telling key": (_body(type="sync", id=5, positions={f"{CANARY} {CANARY}": 0}), None),
    "a forged key": (_body(type="sync", id=5, positions={"x\n2026 ERROR forged": 0}), None),
    "a kind of nobody's": (_body(**{**SEND, "kind": CANARY.replace("-", "_"), "body": {}}), "kind"),
    "a kind of the server's": (_body(**{**SEND, "kind": "join", "body": {}}), "kind"),
    "a kind that is no text": (_body(**{**SEND, "kind": None, "body": {"text": CANARY}}), "kind"),
    "no kind": (_body(type="send", id=5, room="general", cid=CID, body={"text": "x"}), "kind"),
    "no body": (_body(**SEND), "body"),
    "a body that is none": (_body(**SEND, body=CANARY), "body"),
    "an empty body": (_body(**SEND, body={}), "body.text"),
    "a body with a field too many": (_body(**SEND, body={"text": "x", "b": CANARY}), "body.b"),
    "a change below 0": (_body(type="list_people", id=5, since=-1), "since"),
    "deep nesting": (b'{"type":"send","id":5,"body":' + DEEP + b"}", None),
    "a huge number": (b'{"type":"ping","id":' + b"1" * 60_000 + b"}", None),
}


@pytest.mark.parametrize(("name", "bad"), BAD_COMMANDS.items(), ids=BAD_COMMANDS.keys())
def test_a_bad_command_of_a_member(town: Town, name: str, bad: tuple[bytes, str | None]) -> None:
    """Refused with its field; nothing of it reaches the room or the log, and it goes on."""
    body, field = bad
    code = "malformed"
    if name.startswith("a kind of"):
        code = "unknown_kind"
    elif "too long" in name or name == "too many positions":
        code = "too_long"
    with Session(town.server.join, "ada", town.ada.token) as session:
        session.frame(body)
        error = _error(session)
        assert error.code == code
        assert error.re in {5, None}
        assert field is None or error.field == field
        session.settle()
    town.goes_on()
    town.violated()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (_said("attic", "x"), "no_such_room"),
        (_said("dm:ada:nobody", "x"), "no_such_person"),
        (_said("dm:ben:ben", "x"), "no_such_room"),
        (_said("dm:ben:ada", "x"), "no_such_room"),
    ],
)
def test_a_well_formed_command_that_may_not_be(town: Town, body: bytes, code: str) -> None:
    """A typed refusal under the request's id, which is no violation."""
    with Session(town.server.join, "ada", town.ada.token) as session:
        session.frame(body)
        error = _error(session)
        assert (error.code, error.re, error.retryable) == (code, 5, False)
        session.settle()
    town.goes_on()


@pytest.mark.parametrize(
    ("sync", "refused"),
    [
        ({"positions": {"attic": 0}}, {"attic": "no_such_room"}),
        ({"positions": {"general": 0, "attic": 0}}, {"attic": "no_such_room"}),
        ({"positions": {"general": 2**53 - 1}}, {"general": "position_ahead"}),
        ({"positions": {"general": 1}, "last": {"general": CID}}, {"general": "position_ahead"}),
    ],
)
def test_rooms_that_can_not_be_followed(
    town: Town, sync: dict[str, dict[str, object]], refused: dict[str, str]
) -> None:
    """They are named in the answer, which is no violation; the other rooms are begun."""
    with Session(town.server.join, "ada", town.ada.token) as session:
        session.frame(_body(type="sync", id=5, **sync))
        synced = session.expect(Synced)
        assert synced.refused == refused
        assert synced.heads.keys() == sync["positions"].keys() - refused.keys()
        session.settle()
    town.goes_on()


def test_the_longest_text_is_taken_and_brought(town: Town) -> None:
    """16 KiB of UTF-8, also of characters that JSON has to escape."""
    with Session(town.server.join, "ada", town.ada.token) as session:
        texts = ["x" * 16384, "🎉" * 4096, '"' * 16384, "\t" * 16383 + "x"]
        session.say_all(*texts)
        for text in texts:
            assert town.ben.hear(text).text == text
            town.said += 1
        heard = Session(town.server.join, "ben", town.ben.token)
        with heard:
            assert {event.text for event in heard.everything()} >= set(texts)


def test_following_twice_brings_nothing_twice(town: Town) -> None:
    """`sync` again and again: one run of events."""
    with Session(town.server.join, "ben", town.ben.token) as session:
        for number in range(100, 120):
            session.frame(_body(type="sync", id=number, positions={"general": 0}))
        head = 0
        while head == 0 or len(session.events) < head:
            message = session.message()
            if isinstance(message, Event):
                session.events.append(message)
            elif isinstance(message, Synced):
                head = message.heads["general"]
        session.settle()
        assert [event.seq for event in session.events] == list(range(1, head + 1))
    town.goes_on()
