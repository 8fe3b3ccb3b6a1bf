"""Connections of people who keep to nothing, with a server in this process that is looked into.

Each says one thing and hears the reply before the next, so that every frame has its own; what the
server may say to it is known by type.
"""

from __future__ import annotations

import itertools
import json
import secrets
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, get_args

from chat_server.ctl_socket import connect as connect_ctl
from chat_server.options import parse_options
from chat_server.service import Server
from chat_server.x25519 import x25519
from common.domain.invite import Invite, parse_invite
from common.protocol import messages
from common.protocol.cpace import CPaceError, Role
from common.protocol.frames import FrameDecoder, encode_frame
from common.protocol.joining_proofs import code_exchange
from common.protocol.messages import ToClient, to_client
from common.system.tls import client_context
from tests.process.frame_fuzzer import BEFORE_JOINING, COMMANDS, FrameFuzzer
from tests.process.harness import DEADLINE, ask_as_host, wait_until

INVALID: Final = frozenset(
    {"malformed", "unknown_type", "too_long", "out_of_order", "unknown_kind"}
)
CODES: Final = frozenset(get_args(messages.ErrorCode)) - {"internal", "disk_full"}
"""What a command may be refused for where nothing is broken."""
MOST_BEFORE_JOINING: Final = 6
"""Valid commands of a connection that has not joined, after which it is read slowly."""
ABOUT_JOINING: Final = (
    messages.CreateInvite,
    messages.AddDevice,
    messages.ListInvites,
    messages.RevokeInvite,
    messages.AskJoining,
    messages.ListDevices,
    messages.RemoveDevice,
    messages.RenameMe,
    messages.DeleteMe,
    messages.SetSlowMode,
    messages.Send,
)
_RULES: Final[tuple[messages.JoinRule, ...]] = (
    *("invite_or_ask",) * 6,
    *("open", "ask", "invite"),
)
_LARGEST: Final = 1 << 24
_MOST_RECORDED: Final = 20


class EndedError(Exception):
    """The server has ended the connection."""


def _read(frame: bytes) -> ToClient:
    if b'"suggestion":null' in frame:  # a refusal in the form of version 1, for its clients
        told = json.loads(frame)
        assert told["code"] == "version", told
        return messages.refusal("version", re=told["re"])
    return to_client().validate_json(frame)


class Peer:
    """A connection, over TLS or to the socket for command lines."""

    def __init__(self, sock: socket.socket, heard: Counter[str]) -> None:
        self.socket = sock
        self.socket.settimeout(DEADLINE)
        self.heard = heard
        self.counted = 0
        """Commands so far that were understood."""
        self.said: list[bytes] = []
        self._decoder = FrameDecoder(_LARGEST)
        self._arrived: list[ToClient] = []

    def say(self, body: bytes) -> ToClient:
        """Say something, and hear what the server replies. Raises EndedError."""
        self.said.append(body)
        with suppress(ConnectionError):
            self.socket.sendall(encode_frame(body))
        while True:
            while self._arrived:
                message = self._arrived.pop(0)
                if isinstance(message, messages.Goodbye):
                    self.heard[f"goodbye {message.code}"] += 1
                    assert message.code != "internal", message
                    raise EndedError
                if isinstance(message, messages.Error):
                    self.heard[message.code] += 1
                    assert message.code in CODES, (message, body)
                    self.counted += message.code not in INVALID
                    return message
                if getattr(message, "re", None) is not None:
                    self.heard[message.type] += 1
                    self.counted += 1
                    return message
            self._read()

    def _read(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            raise EndedError
        self._arrived += map(_read, self._decoder.frames(data))

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


class Arena:
    """A server on a folder, and people of all kinds who attack it. `frames` counts what they said.

    All of it follows from the seed but for what the server chooses at random.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        options = parse_options(
            [
                *("--headless", "--host", "127.0.0.1", "--port", "0", "--no-discovery"),
                *("--message-rate", "0", "--joins-per-minute", "0"),
            ]
        )
        self.folder = folder
        self.server = Server(options, folder, lambda _: None)
        self.running = self.server.start()
        self.fuzzer = FrameFuzzer(seed)
        self.random = self.fuzzer.random
        self.heard: Counter[str] = Counter()
        self.frames = 0
        self._addresses = itertools.count(2)
        self._names = itertools.count(1)
        self._recorded: list[tuple[bytes, ...]] = []
        """What guests said."""

    def host(self, command: Callable[[int], messages.ToServer]) -> ToClient:
        """The reply to a command of the host."""
        return ask_as_host(self.server, command)

    def invite(self) -> Invite:
        """The standing invite, which changes with each ban."""
        told = self.host(lambda number: messages.ShowInvite(id=number))
        assert isinstance(told, messages.InviteLink)
        return parse_invite(told.link)

    def peer(self) -> Peer:
        """A new connection, from an address of its own: limits are by address."""
        number = next(self._addresses) % 60_000
        raw = socket.socket()
        raw.settimeout(DEADLINE)
        raw.bind((f"127.0.{number // 250}.{2 + number % 250}", 0))
        raw.connect(("127.0.0.1", self.running.port))
        return Peer(client_context().wrap_socket(raw), self.heard)

    def say(self, peer: Peer, body: bytes) -> ToClient:
        """One frame of somebody, counted."""
        self.frames += 1
        return peer.say(body)

    def run(self, frames: int) -> None:
        """Let them come until so many frames were said."""
        until = self.frames + frames
        while self.frames < until:
            self.random.choice(
                (
                    *(self.stranger, self.guest, self.guest, self.guest),
                    *(self.member, self.command_line, self.echo),
                )
            )()

    def stranger(self) -> None:
        """Somebody who does not even greet."""
        peer = self.peer()
        with suppress(EndedError):
            while peer.counted < MOST_BEFORE_JOINING:
                self.say(peer, self.fuzzer.body(spoil=0.8))
        peer.close()

    def guest(self) -> None:
        """Somebody who wants to join by a code, by asking, or by an invite, and errs in between."""
        peer = self.peer()
        with suppress(EndedError):
            self._greet(peer)
            steps = self.random.choice((self._type_code, self._knock, self._join, self._anything))
            steps(peer)
            while peer.counted < MOST_BEFORE_JOINING and self.random.random() < 0.9:
                self.say(peer, self.fuzzer.body(BEFORE_JOINING, spoil=0.3))
        self._recorded = [*self._recorded[-_MOST_RECORDED:], tuple(peer.said)]
        peer.close()

    def echo(self) -> None:
        """Somebody who has recorded what others said, and says it again in another way."""
        if not self._recorded:
            return
        peer = self.peer()
        with suppress(EndedError):
            for body in self.fuzzer.shuffled(self.random.choice(self._recorded)):
                if peer.counted >= MOST_BEFORE_JOINING:
                    break
                self.say(peer, body)
        peer.close()

    def member(self) -> None:
        """Somebody who has joined, perhaps a moderator, and says whatever comes to mind."""
        peer = self.peer()
        with suppress(EndedError):
            self._greet(peer)
            username = f"m{next(self._names)}"
            joined = self._joins(peer, username)
            if isinstance(joined, messages.SignedIn) and self.random.random() < 0.5:
                self.host(
                    lambda number: messages.SetRole(id=number, username=username, role="moderator")
                )
            self.fuzzer.known["username"] = [username, "m1", "m2", f"m{self.random.randint(1, 50)}"]
            for _ in range(self.random.randint(5, 120)):
                kinds = COMMANDS if self.random.random() < 0.3 else ABOUT_JOINING
                self.say(peer, self.fuzzer.body(kinds, spoil=0.05))
        peer.close()

    def command_line(self) -> None:
        """A command line of the host that was written by a stranger: all commands, with all rights.

        Those are left out that would have nobody join any more.
        """
        peer = Peer(connect_ctl(self.folder, DEADLINE), self.heard)
        kinds = [each for each in COMMANDS if each is not messages.SetJoining]
        for _ in range(self.random.randint(1, 12)):
            self.say(peer, self.fuzzer.body(kinds, spoil=0.3))
        peer.close()
        rule = self.random.choice(_RULES)
        invite = self.random.random() < 0.5
        self.host(
            lambda number: messages.SetJoining(id=number, rule=rule, moderators_invite=invite)
        )

    # The steps of a guest

    def _greet(self, peer: Peer) -> None:
        greeting = {"protocol": 2, "program": "fuzzer", "capabilities": ["presence"]}
        self.say(peer, self._right(messages.Hello, **greeting))

    def _right(self, kind: type[messages.Command], **fields: object) -> bytes:
        """A command as it should be, in these fields at least."""
        return self.fuzzer.right(kind, **fields)

    def _err(self, peer: Peer) -> None:
        if self.random.random() < 0.3:
            self.say(peer, self.fuzzer.body(BEFORE_JOINING, spoil=0.5))

    def _anything(self, peer: Peer) -> None:
        self._err(peer)

    def _joins(self, peer: Peer, username: str) -> ToClient:
        return self.say(
            peer,
            self._right(
                messages.Join,
                secret=self.invite().secret,
                username=username,
                display_name=username.title(),
                token=secrets.token_hex(32),
                device="Fuzzer",
                installation=secrets.token_hex(16),
            ),
        )

    def _join(self, peer: Peer) -> None:
        self._err(peer)
        self._joins(peer, f"g{next(self._names)}")

    def _knock(self, peer: Peer) -> None:
        name = f"k{next(self._names)}"
        self._err(peer)
        committed = self.say(
            peer, self._right(messages.Knock, username=name, display_name=name, device="x",
                              installation=secrets.token_hex(16)),
        )  # fmt: skip
        if not isinstance(committed, messages.KnockCommitted):
            return
        self._err(peer)
        self.say(peer, self._right(messages.KnockOpen, nonce=secrets.token_hex(32)))
        listed = self.host(lambda number: messages.ListRequests(id=number))
        assert isinstance(listed, messages.Requests)
        self.fuzzer.known["request"] = [each.request for each in listed.requests] or [1]
        if listed.requests and self.random.random() < 0.7:
            request = self.random.choice(listed.requests).request
            if self.random.random() < 0.5:
                self.host(lambda number: messages.Admit(id=number, request=request))
            else:
                self.host(lambda number: messages.Deny(id=number, request=request, block=True))
        self._err(peer)

    def _type_code(self, peer: Peer) -> None:
        shown = self.host(lambda number: messages.ShowCode(id=number))
        assert isinstance(shown, messages.ShownCode)
        pin = self.invite().fingerprint
        assert pin is not None
        code = shown.code if self.random.random() < 0.5 else "00000000"
        sid = secrets.token_bytes(16)
        exchange = code_exchange(Role.INITIATOR, code, pin, sid, x25519)
        share = self.say(
            peer, self._right(messages.CodeStart, sid=sid.hex(), share=exchange.share.hex())
        )
        self._err(peer)
        if not isinstance(share, messages.CodeShare):
            return
        with suppress(CPaceError):
            exchange.agree(bytes.fromhex(share.share))
            proof = self._right(messages.CodeProof, tag=exchange.tag().hex())
            said = self.say(peer, proof)
            self._err(peer)
            self.say(peer, proof)
            if isinstance(said, messages.Invited):
                self.fuzzer.known["secret"] = [said.secret]

    # What is left

    def settled(self) -> bool:
        """Whether nothing of anybody is left, but for the accounts that were made."""
        world, io = self.server._world, self.server._io
        left = (
            [each for each in world.sessions if each.connection > 0],
            world.sessions.usernames(),
            tuple(world.requests),
            world.requests._opening,
            world.requests._names,
            world.requests._numbers,
            len(world.codes),
            *(each._connections for each in io),
            *(each._unread for each in io),
            *(each._unauthenticated._silent for each in io),
            *(each._unauthenticated._heard for each in io),
            *(each._unauthenticated._waiting for each in io),
            *(each._out._live for each in io),
            *(each._out._accounts for each in io),
            self.server._local._sessions,
        )
        return not any(left)

    def close(self) -> None:
        """End, once nothing is left."""
        try:
            wait_until(self.settled, "everything of those who have left to be gone")
        finally:
            self.server.stop()
