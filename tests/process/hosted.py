"""A whole server in the test's own process, as its host has it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from chat_client.net import joining as net_joining
from chat_client.state.joining import RefusedCodes
from chat_server.options import parse_options
from chat_server.rules.view import ViewEvent
from chat_server.service import Server
from common.domain.invite import Invite, Place, parse_invite
from common.protocol import messages
from tests.process.relay import DEADLINE


class Hosted:
    """A server in this process, what its window would get, and how its host asks."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        options = parse_options(
            ["--headless", "--host", "127.0.0.1", "--port", "0", "--no-discovery", *arguments]
        )
        self.shown: queue.SimpleQueue[ViewEvent] = queue.SimpleQueue()
        self.server = Server(options, folder, self._show)
        self.running = self.server.start()
        self.session = self.server.host_session()

    def _show(self, events: Sequence[ViewEvent]) -> None:
        for each in events:
            self.shown.put(each)

    def ask(self, command: Callable[[int], messages.ToServer]) -> messages.ToClient:
        """The reply to a command of the host."""
        replies: queue.SimpleQueue[messages.ToClient] = queue.SimpleQueue()
        self.session.ask(command, replies.put)
        return replies.get(timeout=DEADLINE)

    def code(self) -> str:
        """What the host reads out."""
        shown = self.ask(lambda number: messages.ShowCode(id=number))
        assert isinstance(shown, messages.ShownCode)
        return shown.code

    def deny(self, request: int) -> None:
        """The digits are not the same."""
        done = self.ask(lambda number: messages.Deny(id=number, request=request))
        assert isinstance(done, messages.Done)

    def next(self, kind: type[ViewEvent]) -> ViewEvent:
        """The next event of a kind."""
        while True:
            event = self.shown.get(timeout=DEADLINE)
            if isinstance(event, kind):
                return event

    @property
    def invite(self) -> Invite:
        """The way in for who has a link."""
        return parse_invite(self.running.invite)

    def place(self, port: int | None = None) -> Place:
        """Where a guest goes who knows no certificate."""
        return Place(("127.0.0.1",), port or self.running.port, None, "")

    def issued(self) -> list[str]:
        """The kinds of the invites there are, but the standing one."""
        listed = self.ask(lambda number: messages.ListInvites(id=number))
        assert isinstance(listed, messages.Invites)
        return [each.kind for each in listed.invites if each.number]


@contextmanager
def hosting(folder: Path, patch: pytest.MonkeyPatch, *arguments: str) -> Iterator[Hosted]:
    """One that runs meanwhile; whoever joins has no memory of former refusals."""
    patch.setattr("chat_server.service.sys.setswitchinterval", lambda _: None)
    patch.setattr(net_joining, "REFUSED_CODES", RefusedCodes())
    made = Hosted(folder, *arguments)
    yield made
    made.server.stop()
