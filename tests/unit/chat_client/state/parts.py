"""A client's link with a server's end, and a cache, for one of the controller's parts by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.backoff import Backoff
from chat_client.state.link import ServerLink
from chat_client.state.news_queue import NewsQueue
from common import limits
from common.protocol import messages
from common.protocol.codec import ServerEnd, Violation
from common.protocol.events import Event
from common.protocol.messages import ToClient, ToServer
from tests.unit.chat_client.desk import EPOCH, on_wire

Kind = TypeVar("Kind", bound=object)


class Bench:
    """What every part of the controller is made from."""

    def __init__(self, cache: Cache) -> None:
        self.now = 1000.0
        self.cache = cache
        self.queue = NewsQueue()
        self.left = 0
        """How often the connection had no more use."""
        self.waiting = 0
        self.chance = 0.0
        self.link = ServerLink(
            Backoff(lambda: self.chance),
            self.queue.tell,
            waiting=lambda: self.waiting,
            left=self._left,
        )
        self.on_left: Callable[[], object] = lambda: None
        self.server = ServerEnd()

    def _left(self) -> None:
        self.left += 1
        self.on_left()

    def sent(self) -> list[ToServer]:
        """The commands that were asked since this was called last, each at its time."""
        found = []
        for item in self.server.receive(self.link.take_frames()):
            assert not isinstance(item, Violation), item
            found.append(item)
        return found

    def told(self, kind: type[Kind]) -> list[Kind]:
        """The news of a kind since news were asked for last."""
        return [item for item in self.queue.take() if isinstance(item, kind)]

    def hear(self, *said: ToClient | Event) -> list[ToClient | list[Event]]:
        """Bytes come in one read; what the link makes of them."""
        wire = (on_wire(each) if isinstance(each, Event) else each for each in said)
        return list(self.link.receive(b"".join(map(self.server.send, wire)), self.now))

    def connect(self) -> None:
        """A connection stands, and nothing was said on it."""
        self.server = ServerEnd()
        self.link.connected(self.now)

    def admit(self) -> None:
        """A connection stands, and the server has admitted the session."""
        self.connect()
        link = self.link
        link.ask(messages.Hello, protocol=limits.PROTOCOL_VERSION, capabilities=(), program="C")
        (hello,) = self.sent()
        self.hear(
            messages.Welcome(
                re=hello.id,
                protocol=limits.PROTOCOL_VERSION,
                program="S",
                server_name="Home",
                epoch=EPOCH,
            )
        )
        link.ask(
            messages.SignIn,
            username="ada",
            token="1" * 64,
            device="Linux",
            installation="2" * 32,
            resume=None,
        )
        (sign_in,) = self.sent()
        self.hear(
            messages.SignedIn(
                re=sign_in.id,
                username="ada",
                display_name="Ada",
                session="a" * 32,
                role="member",
                mute=None,
            )
        )
        for command in link.unanswered:
            link.answered(command.id)
        link.signed_in(self.now)
        self.queue.clear()


def statuses(told: list[news.StatusChanged]) -> list[tuple[str, str]]:
    """Each status by its name and the code of its reason."""
    return [(item.status.link.name, item.status.code) for item in told]
