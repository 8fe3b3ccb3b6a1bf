"""A guest's conversation with a server's rules: both ends' protocol, without a network."""

from __future__ import annotations

from typing import Final

from chat_client.options import Name
from chat_client.state.admission import ClientInfo
from chat_client.state.joining import (
    Digits,
    Invited,
    JoiningNews,
    JoinProtocol,
    RefusedCodes,
)
from chat_server.rules.effects import Disconnect, Tell
from chat_server.rules.view import KnockArrived
from chat_server.rules.world import Outcome
from common.domain.invite import Place
from common.protocol import messages
from common.protocol.codec import ServerEnd, Violation
from tests.unit.chat_server.house import FINGERPRINT, House

PLACE: Final = Place(("192.0.2.9",), 12345, None, "")
ADA: Final = Name("ada", "Ada")
PROGRAM: Final = ClientInfo("ChatClient 0", "Linux")


class Wire:
    """A guest and a connection of the house. `sees` is the certificate that the guest is shown.

    What the guest is told is in `news`; what a relay in between would see is in `up` and `down`.
    """

    def __init__(
        self,
        house: House,
        sees: bytes = FINGERPRINT,
        address: str = "192.0.2.1",
        refused: RefusedCodes | None = None,
        installation: str = "7" * 32,
        now: float = 0.0,
    ) -> None:
        self.house = house
        self.session = house.connect(address)
        self.end = ServerEnd()
        self.news: list[JoiningNews] = []
        self.arrived: list[KnockArrived] = []
        self.up, self.down = b"", b""
        self.now = now
        self.joining = JoinProtocol(
            PLACE,
            PROGRAM,
            lambda _: installation,
            refused if refused is not None else RefusedCodes(),
            self.news.append,
        )
        self.joining.connected(sees, self.now)
        self.run()

    def run(self) -> None:
        """Carry what both have to say, until neither has anything."""
        while data := self.joining.take_frames():
            self.up += data
            for item in self.end.receive(data):
                assert not isinstance(item, Violation), item
                self.follow(self.house.do(self.session, item))

    def follow(self, outcome: Outcome) -> None:
        """Something happened at the house: what concerns the guest is sent to it."""
        for effect in outcome:
            if isinstance(effect, KnockArrived):
                self.arrived.append(effect)
            elif isinstance(effect, Tell) and effect.connection == self.session.connection:
                self._tell(effect.message)
            elif isinstance(effect, Disconnect) and effect.connection == self.session.connection:
                self._tell(effect.goodbye)

    def _tell(self, message: messages.ToClient) -> None:
        data = self.end.send(message)
        self.down += data
        self.joining.received(data, self.now)

    def knock(self, name: Name = ADA) -> None:
        """Ask to join."""
        self.joining.knock(name)
        self.run()

    def code(self, code: str) -> None:
        """Type a code."""
        self.joining.code(code)
        self.run()

    def withdraw(self) -> None:
        """Take the request back."""
        self.joining.withdraw()
        self.run()

    @property
    def digits(self) -> str:
        """What the guest sees."""
        (digits,) = [each.digits for each in self.news if isinstance(each, Digits)]
        return digits

    @property
    def invited(self) -> Invited | None:
        """What it got."""
        return next((each for each in self.news if isinstance(each, Invited)), None)
