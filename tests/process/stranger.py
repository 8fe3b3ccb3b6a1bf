"""A client written from docs/protocol.md alone, with the standard library and nothing of ours.

What a real client keeps on disk (account, token, session, epoch, rooms, outbox) is kept in
attributes. Nothing happens behind the caller's back: messages are read while it waits for one.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

Fields = dict[str, Any]

WITHIN: Final = 20.0
"""Seconds for whatever should happen at once."""
LARGEST: Final = 114688
LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


class WrongServerError(Exception):
    """Its certificate is not the one of the invite."""


class RefusedError(Exception):
    """The server answered a command with an error."""

    def __init__(self, error: Fields) -> None:
        super().__init__(error["code"], error["params"])
        self.error = error
        self.code: str = error["code"]


class EndedError(Exception):
    """The connection is over; `code` is that of the goodbye, "" when there was none."""

    def __init__(self, goodbye: Fields | None) -> None:
        super().__init__(goodbye)
        self.code: str = goodbye["code"] if goodbye else ""


@dataclass(frozen=True, slots=True)
class Link:
    """An invite, taken apart (section 2).

    `pin` is None without TLS, and empty as long as it is not known. `username` is there if it is
    for a device of that account.
    """

    hosts: tuple[str, ...]
    port: int
    pin: bytes | None
    secret: str
    name: str
    username: str = ""


def new_cid() -> str:
    """An id for a message: the time, and 48 random bits (section 10)."""
    milliseconds = time.time_ns() // 1_000_000
    return base64.urlsafe_b64encode(milliseconds.to_bytes(6) + secrets.token_bytes(6)).decode()


def read_link(text: str) -> Link:
    """Read an invite."""
    parts = urlsplit("".join(text.split()))
    query = parse_qs(parts.query)
    assert parts.path == "/join"
    assert parts.hostname is not None
    assert parts.port is not None
    hosts = (parts.hostname, *query.get("also", []))
    pin = None
    if parts.scheme == "chat":
        pin = base64.urlsafe_b64decode(query["fp"][0] + "=")
    else:
        assert parts.scheme == "chat+plaintext"
        assert set(hosts) <= LOOPBACK
    username = query.get("as", [""])[0]
    return Link(hosts, parts.port, pin, query["secret"][0], query["name"][0], username)


class Line:
    """One connection: frames over TLS (sections 1 and 3)."""

    def __init__(self, link: Link) -> None:
        raw = socket.create_connection((link.hosts[0], link.port), timeout=5)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket: socket.socket = raw
        self._bytes = b""
        self.fingerprint = b""
        """The SHA-256 of the server's certificate."""
        self.goodbye: Fields | None = None
        try:
            if link.pin is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.minimum_version = ssl.TLSVersion.TLSv1_3
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                secured = context.wrap_socket(raw)
                self._socket = secured
                self.fingerprint = _checked(secured, link.pin)
        except BaseException:
            self._socket.close()
            raise

    def send_bytes(self, data: bytes) -> None:
        """Transmit anything."""
        self._socket.settimeout(WITHIN)
        self._socket.sendall(data)

    def send_frame(self, body: bytes, kind: bytes = b"J") -> None:
        """Transmit a frame."""
        self.send_bytes(struct.pack(">I", 1 + len(body)) + kind + body)

    def send(self, **fields: object) -> None:
        """Transmit a message."""
        self.send_frame(json.dumps(fields).encode())

    def receive(self, within: float = WITHIN) -> Fields:
        """Wait for the next message. Raises EndedError, TimeoutError."""
        end = time.monotonic() + within
        while (message := self._next()) is None:
            self._socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self._socket.recv(LARGEST)
            except (ConnectionError, ssl.SSLEOFError):
                data = b""
            if not data:
                self.close()
                raise EndedError(self.goodbye)
            self._bytes += data
        if message["type"] == "goodbye":
            self.goodbye = message
        return message

    def end(self, within: float = WITHIN) -> str:
        """Read to the end of the stream; the goodbye's code."""
        try:
            while True:
                self.receive(within)
        except EndedError as ended:
            return ended.code

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _next(self) -> Fields | None:
        if len(self._bytes) < 4:
            return None
        (length,) = struct.unpack_from(">I", self._bytes)
        assert 1 <= length <= LARGEST
        if len(self._bytes) < 4 + length:
            return None
        frame, self._bytes = self._bytes[4 : 4 + length], self._bytes[4 + length :]
        assert frame[:1] == b"J"
        message: Fields = json.loads(frame[1:])
        return message


def _checked(connection: ssl.SSLSocket, pin: bytes) -> bytes:
    """The fingerprint of the server's certificate, which is the pin if that is known."""
    fingerprint = hashlib.sha256(connection.getpeercert(binary_form=True) or b"").digest()
    if pin and not hmac.compare_digest(fingerprint, pin):
        raise WrongServerError
    return fingerprint


@dataclass(slots=True)
class Copy:
    """A client's copy of a room: its events, and the position that goes with them."""

    position: int = 0
    events: list[Fields] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """What was said, in order."""
        return [event["body"]["text"] for event in self.events if event["kind"] == "message"]


class Stranger:
    """One account on one device, across its connections."""

    def __init__(self, invite: str, username: str, display_name: str = "") -> None:
        self.link = read_link(invite) if invite else Link((), 0, b"", "", "")
        self.username = self.link.username or username
        self.display_name = display_name or username
        self.token = secrets.token_hex(32)
        self.installation = "0" * 32
        self.session: str | None = None
        self.epoch: str | None = None
        self.copies: dict[str, Copy] = {}
        self.outbox: dict[str, tuple[str, str]] = {}
        """What is not known to be in the log yet: cid → room and text, in order."""
        self.sent: dict[str, tuple[str, int]] = {}
        """Acknowledged ahead of the room's position: cid → room and seq."""
        self.failed: dict[str, str] = {}
        """Refused for good: cid → code."""
        self.people: dict[str, Fields] = {}
        self.change = 0
        """The change of an account up to which `people` is complete."""
        self.online: set[str] = set()
        self.rooms: dict[str, Fields] = {}
        self.welcome: Fields = {}
        """What the server said of itself last."""
        self._line: Line | None = None
        self._requests = 0
        self._answers: dict[int, Fields] = {}
        self._saying: dict[int, str] = {}
        self._synced: set[str] = set()
        """Rooms that the server has compared with its own on this connection."""
        self._listed = False
        """Whether `people` is complete, so that a `person` moves `change`."""
        self._takers: dict[str, Callable[[Fields], None]] = {
            "event": self._event,
            "ack": self._ack,
            "synced": self._synced_rooms,
            "person": self._person,
            "presence": self._presence,
            "server": self._server,
            "room": self._room,
        }

    @property
    def line(self) -> Line:
        """The present connection."""
        assert self._line is not None, "not connected"
        return self._line

    # Opening and getting in (sections 6 and 7)

    def connect(self, **more: object) -> Fields:
        """Make a connection and greet, with `more` in the `hello`; what the server answered."""
        self.hang_up()
        self._line = Line(self.link)
        self._requests = 0
        self._answers.clear()
        self._saying.clear()
        self._synced.clear()
        self._listed = False
        hello = {"protocol": 2, "capabilities": ["presence"], "program": "Stranger 1.0"}
        self.welcome = welcome = self.ask("hello", **{**hello, **more})
        assert welcome["protocol"] == 2
        if self.epoch not in {None, welcome["epoch"]}:
            self.copies.clear()
            self.sent.clear()
            self.session = None
        self.epoch = welcome["epoch"]
        return welcome

    def join(self) -> None:
        """Make the account."""
        self._admitted(
            self.ask(
                "join",
                secret=self.link.secret,
                username=self.username,
                display_name=self.display_name,
                token=self.token,
                device="stranger",
                installation=self.installation,
            )
        )

    def is_known(self) -> bool:
        """Whether the server shows that it has this device's token, without being told it."""
        nonce = secrets.token_hex(16)
        answer = self.ask("recognize", secret=self.link.secret, username=self.username, nonce=nonce)
        assert self.link.pin is not None
        key = hashlib.sha256(bytes.fromhex(self.token)).digest()
        message = b"chat recognize 1\0" + self.link.pin + bytes.fromhex(nonce)
        mine = hmac.digest(key, message + self.username.lower().encode(), "sha256").hex()
        return mine in answer["proofs"]

    def sign_in(self) -> None:
        """Come back to the account, and fence this device's last session."""
        self._admitted(
            self.ask(
                "sign_in",
                username=self.username,
                token=self.token,
                device="stranger",
                installation=self.installation,
                resume=self.session,
            )
        )

    def _admitted(self, signed_in: Fields) -> None:
        self.session = signed_in["session"]
        self.username = signed_in["username"]
        self.display_name = signed_in["display_name"]

    def come_in(self) -> None:
        """Connect, join or sign in, list what there is, follow all rooms, and send what waits."""
        self.connect()
        if self.session is None:
            self.join()
        else:
            self.sign_in()
        self.list_people()
        self.list_online()
        self.list_rooms()
        self.follow(*self.rooms)
        self.send_outbox()

    # Who and what is there (section 8)

    def list_people(self) -> int:
        """Ask for those who changed since one knew everyone; the number of pages."""
        pages, since = 0, self.change
        while True:
            page = self.ask("list_people", since=since)
            pages += 1
            if page["since"] != since:
                assert page["since"] == 0
                self.people.clear()
                since = 0
            for person in page["people"]:
                self.people[person["username"]] = person
                assert person["change"] > since
                since = person["change"]
            if not page["more"]:
                self.change, self._listed = since, True
                return pages

    def list_online(self) -> int:
        """Ask who is online; the number of pages."""
        pages, after = 0, None
        self.online.clear()
        while True:
            page = self.ask("list_online", after=after)
            pages += 1
            self.online.update(page["online"])
            if not page["more"]:
                return pages
            after = page["online"][-1]

    def list_rooms(self) -> int:
        """Ask for all of one's rooms; the number of pages."""
        pages, after = 0, None
        while True:
            page = self.ask("list_rooms", after=after)
            pages += 1
            for room in page["rooms"]:
                self.rooms[room["room"]] = room
            if not page["more"]:
                return pages
            after = page["rooms"][-1]["room"]

    # Receiving (section 9)

    def follow(self, *rooms: str) -> None:
        """Have rooms delivered, and wait until they are caught up."""
        positions = {room: self.copy(room).position for room in rooms}
        last = {room: self.copy(room).events[-1]["cid"] for room in rooms if positions[room]}
        synced = self.ask("sync", positions=positions, last=last)
        heads = synced["heads"]
        ahead = [room for room, code in synced["refused"].items() if code == "position_ahead"]
        for room in ahead:
            # The server was set back, and our copy is of before that.
            self._start_over(room)
        if ahead:
            self.follow(*ahead)
        self.until(lambda: all(self.copy(room).position >= heads[room] for room in heads))

    def _start_over(self, room: str) -> None:
        del self.copies[room]
        for cid in [cid for cid, (sent_to, _) in self.sent.items() if sent_to == room]:
            del self.sent[cid]

    def copy(self, room: str) -> Copy:
        """One's copy of a room."""
        return self.copies.setdefault(room, Copy())

    def _event(self, event: Fields) -> None:
        copy = self.copy(event["room"])
        if event["seq"] <= copy.position:
            return
        assert event["seq"] == copy.position + 1, (event, copy.position)
        copy.events.append(event)
        copy.position += 1
        if event["sender"] == self.username:
            self.outbox.pop(event["cid"], None)
            self.sent.pop(event["cid"], None)

    # Sending (section 10)

    def write(self, room: str, text: str) -> str:
        """Put a message into the outbox; its cid."""
        cid = new_cid()
        self.outbox[cid] = (room, text)
        return cid

    def send_outbox(self) -> None:
        """Send all that is not acknowledged, one after the other, and wait for the answers."""
        while waiting := [cid for cid in self.outbox if cid not in self.sent]:
            self.post(waiting[0])
            self.until(lambda: waiting[0] not in self.outbox or waiting[0] in self.sent)

    def say(self, room: str, text: str) -> str:
        """Say something, and wait until it is on the server's disk; its cid."""
        cid = self.write(room, text)
        self.send_outbox()
        return cid

    def post(self, cid: str) -> int:
        """Send a message of the outbox without waiting; the command's id."""
        room, text = self.outbox[cid]
        body = {"text": text}
        request = self.command("send", room=room, cid=cid, kind="message", body=body)
        self._saying[request] = cid
        return request

    def _ack(self, ack: Fields) -> None:
        copy = self.copy(ack["room"])
        compared = not copy.position or ack["room"] in self._synced
        if ack["seq"] > copy.position + (1 if compared else 0):
            self.sent[ack["cid"]] = (ack["room"], ack["seq"])
            return
        _, text = self.outbox.get(ack["cid"], ("", ""))
        if ack["seq"] == copy.position + 1:
            own = {name: ack[name] for name in ("room", "seq", "sent_at", "cid")}
            own |= {"type": "event", "kind": "message", "sender": self.username}
            self._event({**own, "body": {"text": text}})
        self.outbox.pop(ack["cid"], None)

    # Commands and what comes (sections 5, 11 and 12)

    def command(self, kind: str, /, **fields: object) -> int:
        """Send a command; its id."""
        self._requests += 1
        self.line.send(type=kind, id=self._requests, **fields)
        return self._requests

    def ask(self, kind: str, /, **fields: object) -> Fields:
        """Send a command and wait for its reply. Raises RefusedError, EndedError."""
        return self.answer(self.command(kind, **fields))

    def answer(self, request: int) -> Fields:
        """Wait for the answer to a command. Raises RefusedError, EndedError."""
        self.until(lambda: request in self._answers)
        answer = self._answers.pop(request)
        if answer["type"] == "error":
            raise RefusedError(answer)
        return answer

    def until(self, condition: Callable[[], object], within: float = WITHIN) -> None:
        """Read messages until a condition holds. Raises EndedError, TimeoutError."""
        end = time.monotonic() + within
        while not condition():
            self._take(self.line.receive(end - time.monotonic()))

    def settle(self) -> None:
        """Read what was published before now."""
        self.ask("ping")

    def _take(self, message: Fields) -> None:
        # What is of no known type and answers nothing is passed over (section 16).
        if (take := self._takers.get(message["type"])) is not None:
            take(message)
        answered = message.get("re")
        if answered is not None:
            self._answers[answered] = message
        if message["type"] == "error" and answered in self._saying and not message["retryable"]:
            cid = self._saying[answered]
            self.failed[cid] = message["code"]
            del self.outbox[cid]

    def _synced_rooms(self, synced: Fields) -> None:
        self._synced |= synced["heads"].keys()

    def _person(self, message: Fields) -> None:
        person = message["person"]
        self.people[person["username"]] = person
        if self._listed:
            self.change = person["change"]

    def _presence(self, presence: Fields) -> None:
        (self.online.add if presence["online"] else self.online.discard)(presence["username"])

    def _server(self, server: Fields) -> None:
        self.server_name = server["server_name"]

    def _room(self, message: Fields) -> None:
        self.rooms[message["room"]["room"]] = message["room"]

    def let_go(self) -> Line:
        """Leave the connection open, to start over on another one."""
        line, self._line = self.line, None
        return line

    def hang_up(self) -> None:
        """End the connection without a word."""
        if self._line is not None:
            self._line.close()
            self._line = None
