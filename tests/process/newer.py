"""A server of a later version, by a script: whatever it says has more in it than this one knows.

It is made of JSON alone. What it says of the protocol that there is today it says rightly; and
each thing that docs/protocol.md lets a later server add, it adds.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from common.domain.invite import Invite
from common.domain.names import GENERAL
from common.limits import FRAME_JSON
from common.protocol.events import MESSAGE
from common.protocol.frames import FrameDecoder, encode_frame
from tests.events import TIME, cid_of

Fields = dict[str, Any]

CLUB: Final = "club"
"""A room of a kind that is not there today."""
ANNEX: Final = "annex"
"""A room that can't be followed, for a reason that is not there today."""
REACTION: Final[Fields] = {"to": cid_of(2), "emoji": "🎉", "weight": {"of": [1, None, "2"]}}
REWRITTEN: Final[Fields] = {"html": "<b>hello</b>"}
"""The body of a message that is made otherwise."""


def event(seq: int, kind: str, body: Fields, room: str = GENERAL) -> Fields:
    """An event by Ben, with a field that nobody knows."""
    where: Fields = {"type": "event", "room": room, "seq": seq, "kind": kind, "body": body}
    return {**where, "sender": "ben", "sent_at": TIME + seq, "cid": cid_of(seq), "thread": None}


LOG: Final = (
    event(1, "join", {"through": "the window"}),
    event(2, MESSAGE, {"text": "hello", "mood": "good"}),
    event(3, "reaction", REACTION),
    event(4, MESSAGE, REWRITTEN),
    event(5, "dance", {}),
    event(6, MESSAGE, {"text": "goodbye"}),
)
NEWS: Final[tuple[Fields, ...]] = (
    {"type": "weather", "sky": "grey"},
    {"type": "presence", "username": "ben", "online": True, "since": TIME},
    {"type": "poll", "room": GENERAL, "options": [{"text": "yes"}, {"text": "no"}]},
)


class NewerServer:
    """Takes everybody in. `refusals` answer the next sends; what is not refused is stored.

    The `begin_closing`, once there are some, are said in place of what a `sync` asks for.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.invite: Final = Invite(("127.0.0.1",), port, None, "k" * 22, "Tomorrow").link()
        self.refusals: list[Fields] = []
        self.begin_closing: list[Fields] = []
        self.commands: list[Fields] = []
        """All that was ever sent here, without `id`s."""
        self.times: list[float] = []
        """When each of them came, on the monotonic clock."""
        self.connections = 0
        self._log = list(LOG)
        self._connected: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def when(self, kind: str) -> list[float]:
        """When commands of a kind came."""
        both = zip(self.times, self.commands, strict=False)
        return [at for at, command in both if command["type"] == kind]

    def close(self) -> None:
        """End everything."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in tuple(self._connected):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _accept(self) -> None:
        serving: list[threading.Thread] = []
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._connected.add(connection)
                serving.append(threading.Thread(target=self._serve, args=(connection,)))
                serving[-1].start()
        for thread in serving:
            thread.join()

    def _serve(self, connection: socket.socket) -> None:
        decoder = FrameDecoder(FRAME_JSON)
        with connection, suppress(OSError):
            while data := connection.recv(65536):
                for frame in decoder.frames(data):
                    command = json.loads(frame)
                    self.times.append(time.monotonic())
                    number = command.pop("id")
                    self.commands.append(command)
                    said = self._answer(number, command)
                    text = (json.dumps(each).encode() for each in said)
                    connection.sendall(b"".join(map(encode_frame, text)))
                    if any(each["type"] == "goodbye" for each in said):
                        return

    def _answer(self, re: int, command: Fields) -> list[Fields]:
        answer: Fields = {"type": "pong"}
        news: list[Fields] = []
        match command["type"]:
            case "hello":
                answer = _welcome()
            case "join" | "sign_in":
                answer = _signed_in()
            case "list_people":
                people = [_person("ada", 5), _person("ben", 9)]
                answer = {"type": "people", "since": command["since"], "people": people}
                news = list(NEWS)
            case "list_online":
                answer = {"type": "online", "online": ["ada", "ben"]}
            case "list_rooms":
                answer = {"type": "rooms", "rooms": self._rooms()}
            case "sync":
                answer = self._synced(command)
                news = [self.begin_closing.pop(0)] if self.begin_closing else self._missed(command)
            case "send":
                answer = self._sent(command)
        # A page's `more` is no news to the answers that are none.
        return [{"re": re, "more": False, "mood": ["fine"], **answer}, *news]

    def _rooms(self) -> list[Fields]:
        heads = {ANNEX: 3, CLUB: 1, GENERAL: len(self._log)}
        kinds = {ANNEX: "attic", CLUB: "society", GENERAL: "public"}
        titles = {ANNEX: "The annex", CLUB: "Chess", GENERAL: None}
        return [
            {"room": room, "kind": kinds[room], "title": titles[room], "head": head, "colour": 3}
            for room, head in heads.items()
        ]

    def _synced(self, command: Fields) -> Fields:
        heads = {room["room"]: room["head"] for room in self._rooms()}
        asked = {room: heads[room] for room in command["positions"] if room != ANNEX}
        refused = {room: "members_only" for room in command["positions"] if room == ANNEX}
        return {"type": "synced", "heads": asked, "skipped": [], "refused": refused}

    def _missed(self, command: Fields) -> list[Fields]:
        logs = {GENERAL: self._log, CLUB: [event(1, "move", {"e2": "e4"}, CLUB)], ANNEX: []}
        return [each for room, at in command["positions"].items() for each in logs[room][at:]]

    def _sent(self, command: Fields) -> Fields:
        if self.refusals:
            said: Fields = {"type": "error", "params": {"why": "not_now"}, "field": None}
            return {**said, "retry_after": None, **self.refusals.pop(0)}
        place = {"room": command["room"], "seq": len(self._log) + 1, "cid": command["cid"]}
        return {"type": "ack", **place, "sent_at": TIME}


def _person(username: str, change: int) -> Fields:
    facts = {
        "username": username,
        "display_name": username.title(),
        "change": change,
        "role": "friend",
    }
    return {**facts, "pronouns": "they", "avatar": {"size": 3}}


def _welcome() -> Fields:
    names = {"program": "ChatServer 9.0", "server_name": "Tomorrow", "epoch": "e" * 32}
    offered = ["polls", "presence", "reactions.v3"]
    told = {"type": "welcome", "protocol": 2, "capabilities": offered, "time": TIME}
    return {**told, "motd": "hello", **names}


def _signed_in() -> Fields:
    names = {"username": "ada", "display_name": "Ada", "session": "5" * 32}
    return {"type": "signed_in", **names, "mute": None, "role": "guest", "badge": 3}


@contextmanager
def a_newer_server() -> Iterator[NewerServer]:
    """One that is there in the block."""
    server = NewerServer()
    try:
        yield server
    finally:
        server.close()
