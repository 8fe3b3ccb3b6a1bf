"""Somebody who wants to join a server, by the protocol alone: asks the host, or types a code."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from common import limits
from common.domain.invite import Invite
from common.protocol import messages
from common.protocol.cpace import Role
from common.protocol.joining_proofs import NONCE_BYTES, code_exchange, commitment, knock_digits
from common.protocol.x25519 import x25519
from tests.process.wire import Raw

M = TypeVar("M", bound=messages.Message)


class Newcomer(Raw):
    """A connection that has greeted, and not joined. The invite's secret is not used."""

    def __init__(
        self,
        invite: Invite,
        username: str,
        *,
        name: str = "",
        device: str = "",
        source: str | None = None,
    ) -> None:
        super().__init__(invite, source=source)
        self.username = username
        self._name = name or username.title()
        self._device = device or "Laptop, Linux"
        self._fingerprint = invite.fingerprint or b""
        self._installation = username.encode().hex().ljust(32, "0")[:32]
        self._requests = 0
        self.token = secrets.token_hex(32)
        self.command(messages.Hello, protocol=limits.PROTOCOL_VERSION, program="wire")
        self.rule = self._reply(messages.Welcome).joining

    def command(self, kind: Callable[..., Any], **fields: object) -> None:
        """Say something that is due in this phase."""
        self._requests += 1
        self.transmit(self.end.send(kind(id=self._requests, **fields)))

    def knock(self) -> str:
        """Ask the host; the digits that this end sees, once the request is shown."""
        self.command(
            messages.Knock, username=self.username, display_name=self._name,
            device=self._device, installation=self._installation,
        )  # fmt: skip
        committed = self._reply(messages.KnockCommitted).commitment
        nonce = secrets.token_bytes(NONCE_BYTES)
        self.command(messages.KnockOpen, nonce=nonce.hex())
        theirs = bytes.fromhex(self._reply(messages.KnockShown).nonce)
        assert commitment(theirs).hex() == committed
        return knock_digits(self._fingerprint, nonce, theirs)

    def answer(self) -> messages.KnockAnswered:
        """What the host answered."""
        return self._reply(messages.KnockAnswered)

    def withdraw(self) -> None:
        """Take the request back."""
        self.command(messages.Withdraw)
        self._reply(messages.Done)

    def code(self, code: str) -> messages.Invited | messages.Error:
        """Type a code, without its hyphen; what the server says to it."""
        sid = secrets.token_bytes(16)
        exchange = code_exchange(Role.INITIATOR, code, self._fingerprint, sid, x25519)
        self.command(messages.CodeStart, sid=sid.hex(), share=exchange.share.hex())
        shared = self.message()
        if isinstance(shared, messages.Error):
            return shared
        assert isinstance(shared, messages.CodeShare), shared
        exchange.agree(bytes.fromhex(shared.share))
        self.command(messages.CodeProof, tag=exchange.tag().hex())
        said = self.message()
        assert isinstance(said, messages.Invited | messages.Error), said
        if isinstance(said, messages.Invited):
            assert exchange.confirms(bytes.fromhex(said.tag))
        return said

    def join(self, secret: str | None) -> messages.SignedIn | messages.Error:
        """Join with a secret, or without one."""
        self.command(
            messages.Join, secret=secret, username=self.username, display_name=self._name,
            token=self.token, device=self._device, installation=self._installation,
        )  # fmt: skip
        said = self.message()
        assert isinstance(said, messages.SignedIn | messages.Error), said
        return said

    def _reply(self, kind: type[M]) -> M:
        said = self.message()
        assert isinstance(said, kind), said
        return said
