"""Joining a chat without a link: asking its host, or typing a spoken code. Without I/O.

`Joining` is one attempt with one chat, over one connection. What comes of it is an invite for one
use, with which the front end goes on as with one that was pasted. The connection is in
chat_client/net/joining.py; what is proven, and why in this order, is in
common/protocol/joining_proofs.py.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from chat_client.state.attempts import Attempt
from common import limits
from common.domain.invite import Invite, Place
from common.domain.reasons import Reason, refused_by_hand
from common.domain.spoken_code import is_code, typed_code
from common.protocol import messages
from common.protocol.codec import Arrival, ClientEnd, RemoteProtocolError
from common.protocol.cpace import SESSION_BYTES, CPaceError, Exchange, Role
from common.protocol.joining_proofs import NONCE_BYTES, code_exchange, knock_digits, opens
from common.protocol.x25519 import x25519

if TYPE_CHECKING:
    from chat_client.options import Name
    from chat_client.state.admission import ClientInfo

ANSWER_DEADLINE: Final = 10.0
"""Timeout in seconds for the reply to a command."""
MOST_REFUSED: Final = 3
"""Codes that one certificate may refuse: whoever pretends to be the chat guesses with each."""
REFUSED_WITHIN: Final = 600.0
"""Seconds within which they count."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The chat answered: what it is called, who may join (JoinRule), and its certificate."""

    server_name: str
    rule: str
    fingerprint: bytes | None


@dataclass(frozen=True, slots=True)
class Digits:
    """The host sees the request, with these four digits if nobody is in between."""

    digits: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The request waits for the host's answer, up to ten minutes."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The request was taken back."""


@dataclass(frozen=True, slots=True)
class Invited:
    """The host let us in, or the code was right: an invite for one use.

    With a username it is for one more device of that account.
    """

    invite: Invite
    username: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not work; `field` names what of it was wrong, such as `username`, or is "".

    With `over` there is no connection any more: another attempt needs another `Joining`.
    """

    reason: Reason
    field: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No address led to the chat. `attempts` has the outcome of each."""

    attempts: tuple[Attempt, ...]


JoiningNews = Connected | Digits | Waiting | Withdrawn | Invited | Refused | Unreachable
"""What the front end is told."""
_GOODBYES: Final = {"server_closing": "joining_closed"}
"""Goodbyes that mean something else to somebody who is not in the chat yet."""
_ANSWERS: Final = frozenset({"refused", "blocked", "expired", "displaced", "taken"})


class _Request(Enum):
    """The request to join of this connection."""

    NONE = auto()
    """There is none, or it was answered."""
    SHOWN = auto()
    """The host has it, and the digits are told."""
    WITHDRAWN = auto()
    """It is being taken back."""


class RefusedCodes:
    """How often each certificate has refused a code lately."""

    def __init__(self) -> None:
        self._at: dict[bytes | None, list[float]] = {}

    def add(self, fingerprint: bytes | None, now: float) -> None:
        """A code was refused, or its proof was not returned."""
        self._at[fingerprint] = [*self._recent(fingerprint, now), now]

    def clear(self, fingerprint: bytes | None) -> None:
        """A code was right there."""
        self._at.pop(fingerprint, None)

    def too_many(self, fingerprint: bytes | None, now: float) -> bool:
        """Whether no more codes are to be sent there for now."""
        return len(self._recent(fingerprint, now)) >= MOST_REFUSED

    def _recent(self, fingerprint: bytes | None, now: float) -> list[float]:
        times = self._at.get(fingerprint, ())
        return [each for each in times if now - each < REFUSED_WITHIN]


class JoinProtocol:
    """The conversation with the chat at `place`, from its greeting on. Times are monotonic seconds.

    What is asked before the greeting is done after it. `installation` gives the id of this data
    folder for a place whose certificate is known.
    """

    def __init__(
        self,
        place: Place,
        program: ClientInfo,
        installation: Callable[[Place], str],
        refused: RefusedCodes,
        tell: Callable[[JoiningNews], object],
    ) -> None:
        self._place = place
        self._program = program
        self._installation = installation
        self._refused = refused
        self._tell = tell
        self._end: ClientEnd | None = None
        self._greeted = False
        self._frames: list[bytes] = []
        self._requests = 0
        self._asked: dict[int, messages.Command] = {}
        self._later: list[Callable[[], object]] = []
        self._started: dict[str, Exchange] = {}
        """The exchange that waits for the server's share, by its session."""
        self._proving: Exchange | None = None
        """The one of which the proof was sent."""
        self._commitment = b""
        self._nonce = b""
        self._request = _Request.NONE
        self._received_at = self._sent_at = self._now = 0.0
        self.over = False
        """Whether the connection is to be closed."""

    # From the front end

    def knock(self, name: Name) -> None:
        """Ask the host; Digits tells when they see it."""
        self._when_greeted(lambda: self._knock(name))

    def code(self, code: str) -> None:
        """Try a code as it was typed; Invited or Refused tells what came of it."""
        self._when_greeted(lambda: self._code(code))

    def withdraw(self) -> None:
        """Take the request back."""
        self._when_greeted(self._withdraw)

    # The connection

    def connected(self, fingerprint: bytes | None, now: float) -> None:
        """A connection was made; the server has this certificate, None without TLS."""
        self._place = replace(self._place, fingerprint=fingerprint)
        self._end = ClientEnd()
        self._received_at = self._sent_at = self._now = now
        self._ask(
            messages.Hello,
            protocol=limits.PROTOCOL_VERSION,
            capabilities=self._program.capabilities,
            program=self._program.name,
        )

    def received(self, data: bytes, now: float) -> None:
        """Bytes of the server."""
        self._received_at = self._now = now
        if self._end is None or self.over:
            return
        try:
            for message in self._end.receive(data):
                self._message(message)
                if self._is_over():
                    return
        except RemoteProtocolError:
            self._fail(Reason("unknown_message"))

    def lost(self) -> None:
        """The connection ended."""
        if not self.over:
            self._fail(Reason("lost"))

    def take_frames(self) -> bytes:
        """The bytes to send."""
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames

    def deadline(self) -> float:
        """When `tick` is to be called at the latest."""
        if self._end is None or self.over:
            return math.inf
        answer = self._sent_at + ANSWER_DEADLINE if self._asked else math.inf
        silence = self._received_at + limits.SILENCE_DEADLINE
        return min(answer, silence, self._sent_at + limits.PING_INTERVAL)

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._now = now
        if self._end is None or self.over:
            return
        unanswered = self._asked and now - self._sent_at >= ANSWER_DEADLINE
        if unanswered or now - self._received_at >= limits.SILENCE_DEADLINE:
            self._fail(Reason("no_answer"))
        elif now - self._sent_at >= limits.PING_INTERVAL:
            self._ask(messages.Ping)

    # What is asked

    def _when_greeted(self, action: Callable[[], object]) -> None:
        if self.over:
            self._tell(Refused(Reason("lost"), over=True))
        elif self._greeted:
            action()
        else:
            self._later.append(action)

    def _ask(self, command: Callable[..., Any], **fields: object) -> None:
        if self._end is None:
            return
        self._requests += 1
        message = command(id=self._requests, **fields)
        self._asked[self._requests] = message
        self._frames.append(self._end.send(message))
        self._sent_at = self._now

    def _withdraw(self) -> None:
        if self._request is _Request.SHOWN:
            self._request = _Request.WITHDRAWN
        self._ask(messages.Withdraw)

    def _knock(self, name: Name) -> None:
        self._ask(
            messages.Knock,
            username=name.username,
            display_name=name.display_name,
            device=self._program.device,
            installation=self._installation(self._place),
        )

    def _code(self, text: str) -> None:
        code = typed_code(text)
        if not is_code(code):
            self._tell(Refused(Reason("code_form"), "code"))
            return
        if self._refused.too_many(self._place.fingerprint, self._now):
            self._tell(Refused(Reason("codes_refused", {"most": MOST_REFUSED}), "code"))
            return
        session = secrets.token_bytes(SESSION_BYTES)
        fingerprint = self._place.fingerprint or b""
        exchange = code_exchange(Role.INITIATOR, code, fingerprint, session, x25519)
        self._started = {session.hex(): exchange}
        self._ask(messages.CodeStart, sid=session.hex(), share=exchange.share.hex())

    # What is answered

    def _message(self, message: Arrival) -> None:
        match message:
            case messages.Goodbye():
                code = _GOODBYES.get(message.code, message.code)
                self._fail(Reason(code, message.params))
            case messages.Error():
                self._error(message)
            case messages.KnockAnswered():
                self._answered(message)
            case messages.Reply():
                asked = self._asked.pop(message.re, None)
                if asked is None:
                    self._fail(Reason("unasked_answer"))
                else:
                    self._reply(message, asked)
            case _:
                pass  # a push that has nothing to do with joining

    def _reply(self, message: messages.Reply, asked: messages.Command) -> None:
        match message, asked:
            case messages.Welcome(), messages.Hello():
                self._welcome(message)
            case messages.KnockCommitted(), messages.Knock():
                self._commitment = bytes.fromhex(message.commitment)
                # For each commitment one of its own: the server may not know the one and give the
                # other afterwards.
                self._nonce = secrets.token_bytes(NONCE_BYTES)
                self._ask(messages.KnockOpen, nonce=self._nonce.hex())
            case messages.KnockShown(), messages.KnockOpen():
                self._shown(message)
            case messages.Done(), messages.Withdraw():
                self._request = _Request.NONE
                self._tell(Withdrawn())
            case messages.CodeShare(), messages.CodeStart():
                self._share(message, asked)
            case messages.Invited(), messages.CodeProof():
                self._invited(message)
            case messages.Pong(), messages.Ping():
                pass
            case _:
                self._fail(Reason("unasked_answer"))

    def _welcome(self, welcome: messages.Welcome) -> None:
        if welcome.protocol != limits.PROTOCOL_VERSION:
            params = {"theirs": welcome.protocol, "ours": limits.PROTOCOL_VERSION}
            older = welcome.protocol < limits.PROTOCOL_VERSION
            self._fail(Reason("server_too_old" if older else "client_too_old", params))
            return
        self._place = replace(self._place, server_name=welcome.server_name)
        self._greeted = True
        self._tell(Connected(welcome.server_name, welcome.joining, self._place.fingerprint))
        later, self._later = self._later, []
        for action in later:
            action()

    def _shown(self, shown: messages.KnockShown) -> None:
        nonce = bytes.fromhex(shown.nonce)
        if not opens(nonce, self._commitment):
            # Another nonce than the one it was bound to: chosen to have digits come out equal.
            self._fail(Reason("wrong_nonce"))
            return
        digits = knock_digits(self._place.fingerprint or b"", self._nonce, nonce)
        self._request = _Request.SHOWN
        self._tell(Digits(digits))
        self._tell(Waiting())

    def _answered(self, answered: messages.KnockAnswered) -> None:
        request, self._request = self._request, _Request.NONE
        if request is _Request.NONE:
            # Of somebody who types a code it is nobody's to let them in but who knows the code.
            self._fail(Reason("unasked_answer"))
            return
        if request is _Request.WITHDRAWN:
            return  # it was answered before the server knew
        if answered.code == "admitted" and answered.secret is not None:
            self._tell(Invited(self._place.invite(answered.secret), None))
            return
        code = f"knock_{answered.code}" if answered.code in _ANSWERS else "knock_refused"
        self._tell(Refused(Reason(code), "username" if code == "knock_taken" else ""))

    def _share(self, share: messages.CodeShare, start: messages.CodeStart) -> None:
        exchange = self._started.pop(start.sid, None)
        if exchange is None:
            return  # another code was typed meanwhile
        try:
            exchange.agree(bytes.fromhex(share.share))
        except CPaceError:
            self._fail(Reason("wrong_share"))
            return
        # From here on the other end may have tested a code, whatever it says.
        self._refused.add(self._place.fingerprint, self._now)
        self._proving = exchange
        self._ask(messages.CodeProof, tag=exchange.tag().hex())

    def _invited(self, invited: messages.Invited) -> None:
        exchange, self._proving = self._proving, None
        if exchange is None or not exchange.confirms(bytes.fromhex(invited.tag)):
            # It says that the code was right and does not know it itself.
            self._fail(Reason("wrong_share"))
            return
        self._refused.clear(self._place.fingerprint)
        username = invited.username
        self._tell(Invited(self._place.invite(invited.secret, username or ""), username))

    def _error(self, error: messages.Error) -> None:
        asked = None if error.re is None else self._asked.pop(error.re, None)
        again = error.retry_after if error.retryable else None
        reason = refused_by_hand(Reason(error.code, error.params), again)
        if asked is None or isinstance(asked, messages.Hello):
            self._fail(reason)
            return
        field = error.field or ""
        if isinstance(asked, messages.CodeStart | messages.CodeProof):
            field = "code"
        self._tell(Refused(reason, field))

    def _is_over(self) -> bool:
        return self.over

    def _fail(self, reason: Reason) -> None:
        self.over = True
        self._frames.clear()
        self._tell(Refused(reason, over=True))
