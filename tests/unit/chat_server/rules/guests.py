"""Clients that join without a link, one step at a time, over the rules."""

from __future__ import annotations

import secrets
from typing import Final

from chat_server.rules.sessions import Session
from chat_server.rules.view import KnockArrived
from chat_server.rules.world import Outcome
from common.protocol import messages
from common.protocol.cpace import Exchange, Role
from common.protocol.joining_proofs import code_exchange
from tests.unit.chat_server.house import FINGERPRINT, House, installation, only, told

NONCE: Final = bytes(range(32))


class CodeGuest:
    """A client that joins by a code, one step at a time."""

    def __init__(
        self, house: House, address: str = "192.0.2.1", session: Session | None = None
    ) -> None:
        self.house = house
        self.session = session or house.connect(address)
        self.exchange: Exchange | None = None

    def start(self, code: str, fingerprint: bytes = FINGERPRINT) -> Outcome:
        """Begin an exchange about a code."""
        sid = secrets.token_bytes(16)
        multiply = self.house.world.multiply
        self.exchange = code_exchange(Role.INITIATOR, code, fingerprint, sid, multiply)
        command = messages.CodeStart(
            id=self.house.request(), sid=sid.hex(), share=self.exchange.share.hex()
        )
        outcome = self.house.do(self.session, command)
        for each in told(outcome, self.session):
            if isinstance(each, messages.CodeShare):
                self.exchange.agree(bytes.fromhex(each.share))
        return outcome

    def prove(self) -> Outcome:
        """Show that one knows it."""
        assert self.exchange is not None
        tag = self.exchange.tag().hex()
        return self.house.do(self.session, messages.CodeProof(id=self.house.request(), tag=tag))

    def types(self, code: str) -> Outcome:
        """Both; if the first is refused, that."""
        begun = self.start(code)
        return (
            self.prove() if isinstance(told(begun, self.session)[0], messages.CodeShare) else begun
        )

    def error(self, outcome: Outcome) -> messages.Error:
        """The refusal that it got."""
        (error,) = told(outcome, self.session)
        assert isinstance(error, messages.Error)
        return error

    def invited(self, outcome: Outcome) -> messages.Invited:
        """What the right code is answered with, which shows that the server knows it, too."""
        (invited,) = told(outcome, self.session)
        assert isinstance(invited, messages.Invited)
        assert self.exchange is not None
        assert self.exchange.confirms(bytes.fromhex(invited.tag))
        return invited


def show_code(house: House, username: str | None = None) -> messages.ShownCode:
    """The code, as the host sees it."""
    host = house.host()
    command = messages.ShowCode(id=house.request(), username=username)
    (shown,) = told(house.do(host, command), host)
    assert isinstance(shown, messages.ShownCode)
    return shown


class KnockingGuest:
    """A client that asks to join."""

    def __init__(
        self,
        house: House,
        name: str,
        address: str = "192.0.2.1",
        device: str = "",
        session: Session | None = None,
    ) -> None:
        self.house, self.name = house, name
        self.device = device or name
        self.session = session or house.connect(address)
        self.commitment = b""

    def begin(self, **fields: str) -> Outcome:
        """Ask, without a nonce yet."""
        given = {
            "username": self.name,
            "display_name": self.name.title(),
            "device": "Linux",
            "installation": installation(self.device),
            **fields,
        }
        command = messages.Knock.model_validate({"id": self.house.request(), **given})
        outcome = self.house.do(self.session, command)
        (reply,) = told(outcome, self.session)
        if isinstance(reply, messages.KnockCommitted):
            self.commitment = bytes.fromhex(reply.commitment)
        return outcome

    def open(self) -> Outcome:
        """Tell the nonce."""
        command = messages.KnockOpen(id=self.house.request(), nonce=NONCE.hex())
        return self.house.do(self.session, command)

    def knock(self) -> int:
        """Ask, as far as the host's screen. Returns the number of the request."""
        self.begin()
        return only(self.open(), KnockArrived).request

    def error(self, outcome: Outcome) -> messages.Error:
        """The refusal that it got."""
        (error,) = told(outcome, self.session)
        assert isinstance(error, messages.Error)
        return error

    def asks(self) -> Outcome:
        """Both steps; if the first is refused, that."""
        begun = self.begin()
        refused = isinstance(told(begun, self.session)[0], messages.Error)
        return begun if refused else self.open()

    def answer(self, outcome: Outcome) -> messages.KnockAnswered:
        """What it is told of its request."""
        (answered,) = [
            each for each in told(outcome, self.session) if isinstance(each, messages.KnockAnswered)
        ]
        return answered

    def join_command(self, secret: str | None) -> messages.Join:
        """With the secret that it got."""
        return self.house.join_command(
            self.name, secret=secret or "", installation=installation(self.device)
        )
