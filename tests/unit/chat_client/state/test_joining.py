"""A guest's side of joining by a code or by asking, against the server's own rules."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.options import Name
from chat_client.state import joining as state
from chat_client.state.admission import ClientInfo
from chat_client.state.joining import (
    Connected,
    Digits,
    Invited,
    JoiningNews,
    JoinProtocol,
    Refused,
    RefusedCodes,
    Waiting,
    Withdrawn,
)
from chat_server.rules import inputs
from chat_server.rules.join_requests import SHOWN_FOR
from common import limits
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.protocol import messages
from common.protocol.codec import encode
from common.protocol.cpace import Role
from common.protocol.frames import FrameDecoder
from common.protocol.joining_proofs import code_exchange, commitment, knock_digits
from common.protocol.messages import to_server
from common.protocol.x25519 import x25519
from tests.unit.chat_server.house import FINGERPRINT, House, told
from tests.unit.chat_server.rules.guests import KnockingGuest
from tests.unit.joining_wire import ADA, PLACE, Wire

RELAY: Final = bytes(32)
"""The fingerprint of somebody in the middle."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Rules over a database of their own."""
    made = House(tmp_path / "chat.db")
    yield made
    made.close()


def shown_code(house: House, username: str | None = None) -> str:
    """The code that the host reads out."""
    host = house.host()
    outcome = house.do(host, messages.ShowCode(id=house.request(), username=username))
    (shown,) = told(outcome, host)
    assert isinstance(shown, messages.ShownCode)
    return shown.code


def answer(house: House, wire: Wire, command: messages.Admit | messages.Deny) -> None:
    """The host answers."""
    wire.follow(house.do(house.host(), command))


def test_a_guest_who_is_let_in_gets_an_invite_for_the_certificate_it_saw(house: House) -> None:
    """With the digits that the host saw, and the chat's name from its greeting."""
    wire = Wire(house)
    wire.knock()
    (arrived,) = wire.arrived
    assert wire.news == [
        Connected("Home", "invite_or_ask", FINGERPRINT),
        Digits(arrived.digits),
        Waiting(),
    ]
    answer(house, wire, messages.Admit(id=1, request=arrived.request))
    invited = wire.invited
    assert invited is not None
    assert invited.username is None
    assert invited.invite.place.fingerprint == FINGERPRINT
    assert (invited.invite.hosts, invited.invite.server_name) == (PLACE.hosts, "Home")
    joined = house.connect()
    command = house.join_command("ada", secret=invited.invite.secret, installation="7" * 32)
    house.do(joined, command)
    assert joined.username == "ada"


@pytest.mark.parametrize("block", [False, True])
def test_a_guest_learns_that_the_host_said_no(house: House, block: bool) -> None:
    """In words; the connection is there still, and an attempt at once is refused with a time."""
    wire = Wire(house)
    wire.knock()
    answer(house, wire, messages.Deny(id=1, request=1, block=block))
    refused = wire.news[-1]
    assert refused == Refused(Reason("knock_blocked" if block else "knock_refused"))
    assert "…" not in sentence(refused.reason)
    wire.knock()
    again = wire.news[-1]
    assert isinstance(again, Refused)
    assert not again.over
    if not block:
        assert "you can ask again in 1 min" in sentence(again.reason)


def test_a_guest_takes_the_request_back(house: House) -> None:
    """And may ask again."""
    wire = Wire(house)
    wire.knock()
    wire.withdraw()
    assert wire.news[-1] == Withdrawn()
    assert len(house.world.requests) == 0
    wire.knock(Name("bob", "Bob"))
    assert [each.username for each in house.world.requests] == ["bob"]


def test_a_guest_learns_that_nobody_answered(house: House) -> None:
    """After ten minutes."""
    wire = Wire(house)
    wire.knock()
    wire.follow(house.happen(inputs.WaitEnded(wire.session.connection)))
    assert wire.news[-1] == Refused(Reason("knock_expired"))


def test_a_guest_learns_that_the_request_made_room_for_another(house: House) -> None:
    """In words, and may ask again on the same connection."""
    wire = Wire(house)
    wire.knock()
    for each in range(limits.REQUESTS - 1):
        KnockingGuest(house, f"one{each}", f"192.0.2.{each + 100}").knock()
    house.now += SHOWN_FOR
    late = KnockingGuest(house, "late", "192.0.2.99")
    late.begin()
    wire.follow(late.open())
    assert wire.news[-1] == Refused(Reason("knock_displaced"))
    assert "Ask again" in sentence(Reason("knock_displaced"))
    house.do(late.session, messages.Withdraw(id=house.request()))
    wire.knock()
    assert isinstance(wire.news[-1], Waiting)


def test_a_guest_learns_that_somebody_with_an_invite_has_the_name(house: House) -> None:
    """It is what to change, and then the host can be asked again."""
    wire = Wire(house)
    wire.knock()
    (name,) = (each.username for each in house.world.requests)
    link = house.connect()
    wire.follow(house.do(link, house.join_command(name, installation="9" * 32)))
    assert wire.news[-1] == Refused(Reason("knock_taken"), "username")
    wire.knock(Name("bob", "Bob"))
    assert [each.username for each in house.world.requests] == ["bob"]


def test_a_name_that_is_taken_is_the_field_to_change(house: House) -> None:
    """Another one is asked for on the same connection."""
    house.join("ada")
    wire = Wire(house)
    wire.knock()
    refused = wire.news[-1]
    assert isinstance(refused, Refused)
    assert (refused.reason.code, refused.field, refused.over) == ("name_taken", "username", False)
    wire.knock(Name("ada2", "Ada"))
    assert isinstance(wire.news[-1], Waiting)


@pytest.mark.parametrize("typed", ["{code}", "{lower}", " {first}-{rest} "])
def test_a_code_is_taken_as_people_type_it(house: House, typed: str) -> None:
    """With the invite for the certificate that was seen."""
    code = shown_code(house)
    wire = Wire(house)
    wire.code(typed.format(code=code, lower=code.lower(), first=code[:4], rest=code[4:]))
    invited = wire.invited
    assert invited is not None
    assert invited.invite.place.fingerprint == FINGERPRINT
    joined = house.connect()
    house.do(joined, house.join_command("ada", secret=invited.invite.secret))
    assert joined.username == "ada"


def test_a_code_for_a_device_names_the_account(house: House) -> None:
    """In the invite, too: so the join is that of a device."""
    house.join("ada")
    code = shown_code(house, "ada")
    wire = Wire(house)
    wire.code(code)
    invited = wire.invited
    assert invited is not None
    assert (invited.username, invited.invite.username) == ("ada", "ada")


def test_what_is_no_code_is_not_sent(house: House) -> None:
    """It costs no guess."""
    code = shown_code(house)
    wire = Wire(house)
    sent = len(wire.up)
    for typed in ("", code[:7], code + "K"):
        wire.code(typed)
        assert wire.news[-1] == Refused(Reason("code_form"), "code")
    assert len(wire.up) == sent


def test_three_refusals_of_a_certificate_are_enough(house: House) -> None:
    """Over all attempts: each lets whoever pretends to be the chat guess once. Then it says why."""
    code = shown_code(house)
    wrong = ("1" if code[0] == "0" else "0") + code[1:]
    refused = RefusedCodes()
    for _ in range(state.MOST_REFUSED):
        wire = Wire(house, refused=refused)
        wire.code(wrong)
        told = wire.news[-1]
        assert isinstance(told, Refused)
        assert (told.reason.code, told.field) == ("bad_code", "code")
    wire = Wire(house, refused=refused)
    sent = len(wire.up)
    wire.code(code)
    assert wire.news[-1] == Refused(Reason("codes_refused", {"most": 3}), "code")
    assert len(wire.up) == sent
    elsewhere = Wire(house, sees=RELAY, refused=refused)
    elsewhere.code(code)
    assert elsewhere.news[-1] != wire.news[-1], "another certificate has refused nothing"
    later = Wire(house, refused=refused, now=state.REFUSED_WITHIN)
    later.code(code)
    assert later.invited is not None
    assert not refused.too_many(FINGERPRINT, state.REFUSED_WITHIN)


def test_a_code_that_is_no_longer_valid_is_not_counted(house: House) -> None:
    """No proof was sent, so nobody could guess."""
    refused = RefusedCodes()
    for _ in range(5):
        wire = Wire(house, refused=refused)
        wire.code("K7QM3XPA")
        assert wire.news[-1] == Refused(Reason("no_code"), "code")
    assert not refused.too_many(FINGERPRINT, 0)


class Server:
    """A server that does not keep to what it should, by hand."""

    def __init__(self, refused: RefusedCodes | None = None) -> None:
        self.news: list[JoiningNews] = []
        self.joining = JoinProtocol(
            PLACE,
            ClientInfo("ChatClient 0", "Linux"),
            lambda place: "7" * 32 if place.fingerprint else "",
            refused if refused is not None else RefusedCodes(),
            self.news.append,
        )

    def connect(self, protocol: int = limits.PROTOCOL_VERSION) -> None:
        """Greet it."""
        self.joining.connected(FINGERPRINT, 0)
        self.heard()
        welcome = messages.Welcome(
            re=1, protocol=protocol, program="P", server_name="Home", epoch="0" * 32
        )
        self.say(welcome)

    def commits(self, name: Name) -> None:
        """The client asks to be let in, and gets what binds this server to a nonce of zeros."""
        self.joining.knock(name)
        (knock,) = self.heard()
        bound = commitment(bytes(32)).hex()
        self.say(messages.KnockCommitted(re=knock.id, commitment=bound))

    def shows(self, name: Name) -> None:
        """The client asks to be let in, and the host sees it."""
        self.commits(name)
        (opened,) = self.heard()
        self.say(messages.KnockShown(re=opened.id, nonce=bytes(32).hex()))
        assert isinstance(self.news[-1], Waiting)

    def shares(self, code: str) -> None:
        """The client tries a code, and gets a share of somebody who does not know it."""
        self.joining.code(code)
        (start,) = self.heard()
        assert isinstance(start, messages.CodeStart)
        other = code_exchange(
            Role.RESPONDER, "00000000", FINGERPRINT, bytes.fromhex(start.sid), x25519
        )
        self.say(messages.CodeShare(re=start.id, share=other.share.hex()))
        assert [type(each) for each in self.heard()] == [messages.CodeProof]

    def heard(self) -> list[messages.ToServer]:
        """What the client says."""
        frames = FrameDecoder(limits.FRAME_JSON).frames(self.joining.take_frames())
        return [to_server().validator.validate_json(each) for each in frames]

    def say(self, message: messages.ToClient) -> None:
        """Say something, allowed or not."""
        self.joining.received(encode(message), 0)

    @property
    def ended(self) -> str:
        """Why it has given up."""
        refused = self.news[-1]
        assert isinstance(refused, Refused)
        assert refused.over
        assert self.joining.over
        assert self.joining.take_frames() == b""
        assert "says “" not in sentence(refused.reason), "every reason has its sentence"
        return refused.reason.code


def test_what_is_asked_before_the_greeting_is_done_after_it() -> None:
    """The window asks at once; nothing but the greeting goes out before the answer."""
    server = Server()
    server.joining.knock(ADA)
    server.joining.connected(FINGERPRINT, 0)
    assert [type(each) for each in server.heard()] == [messages.Hello]
    server.say(messages.Welcome(re=1, protocol=2, program="P", server_name="Home", epoch="0" * 32))
    (knock,) = server.heard()
    assert isinstance(knock, messages.Knock)
    assert knock.installation == "7" * 32, "by the certificate that was learnt"


def test_a_nonce_that_was_not_committed_to_ends_it() -> None:
    """A relay could choose it such that the digits are those of the host."""
    server = Server()
    server.connect()
    server.joining.knock(ADA)
    server.heard()
    server.say(messages.KnockCommitted(re=2, commitment=commitment(b"h" * 32).hex()))
    (opened,) = server.heard()
    assert isinstance(opened, messages.KnockOpen)
    server.say(messages.KnockShown(re=3, nonce=(b"i" * 32).hex()))
    assert server.ended == "wrong_nonce"
    assert not any(isinstance(each, Digits) for each in server.news)


def test_each_request_has_a_nonce_of_its_own() -> None:
    """One that is used again would let a relay prepare."""
    nonces = set()
    for _ in range(20):
        server = Server()
        server.connect()
        server.joining.knock(ADA)
        server.heard()
        server.say(messages.KnockCommitted(re=2, commitment=commitment(b"h" * 32).hex()))
        (opened,) = server.heard()
        assert isinstance(opened, messages.KnockOpen)
        nonces.add(opened.nonce)
        server.say(messages.KnockShown(re=3, nonce=(b"h" * 32).hex()))
        digits = knock_digits(FINGERPRINT, bytes.fromhex(opened.nonce), b"h" * 32)
        assert Digits(digits) in server.news
    assert len(nonces) == 20


def test_a_server_that_does_not_know_the_code_is_found_out() -> None:
    """It says that the code was right: its tag shows that it does not know it."""
    refused = RefusedCodes()
    server = Server(refused)
    server.connect()
    server.joining.code("K7QM-3XPA")
    (start,) = server.heard()
    assert isinstance(start, messages.CodeStart)
    theirs = code_exchange(
        Role.RESPONDER, "00000000", FINGERPRINT, bytes.fromhex(start.sid), x25519
    )
    server.say(messages.CodeShare(re=2, share=theirs.share.hex()))
    (proof,) = server.heard()
    assert isinstance(proof, messages.CodeProof)
    tag = secrets.token_hex(64)
    server.say(messages.Invited(re=3, tag=tag, secret="s" * 22, username=None))
    assert server.ended == "wrong_share"
    assert not any(isinstance(each, Invited) for each in server.news)
    server.say(messages.Invited(re=3, tag=tag, secret="s" * 22, username=None))
    assert len(server.news) == 2, "nothing is heard any more"


@pytest.mark.parametrize("share", ["own", "00" * 32, "01" + "00" * 31])
def test_an_invalid_share_ends_it_before_a_proof(share: str) -> None:
    """A point of low order, or the guest's own: with either both tags would be known."""
    server = Server()
    server.connect()
    server.joining.code("K7QM-3XPA")
    (start,) = server.heard()
    assert isinstance(start, messages.CodeStart)
    server.say(messages.CodeShare(re=2, share=start.share if share == "own" else share))
    assert server.ended == "wrong_share"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (messages.Goodbye(code="server_closing", params={}), "joining_closed"),
        (messages.Done(re=7), "unasked_answer"),
        (messages.Pong(re=2), "unasked_answer"),
        (messages.SignedIn(
            re=2, username="ada", display_name="Ada", session="0" * 32, role="member", mute=None
        ), "unknown_message"),
        (messages.Error(
            re=None, code="malformed", params={"why": "frame"}, retryable=False
        ), "malformed"),
    ],
)  # fmt: skip
def test_what_no_server_may_say_ends_it(message: messages.ToClient, code: str) -> None:
    """With a reason, and nothing more is sent."""
    server = Server()
    server.connect()
    server.joining.knock(ADA)
    server.heard()
    server.say(message)
    assert server.ended == code
    server.joining.knock(ADA)
    assert server.ended == "lost"


@pytest.mark.parametrize(("protocol", "code"), [(1, "server_too_old"), (3, "client_too_old")])
def test_another_protocol_ends_it(protocol: int, code: str) -> None:
    """Before anything is asked."""
    server = Server()
    server.connect(protocol)
    assert server.ended == code


def test_an_unknown_answer_is_a_refusal() -> None:
    """A newer server may know more of them."""
    for code in ("later", "admitted"):
        server = Server()
        server.connect()
        server.shows(ADA)
        server.say(messages.KnockAnswered(code=code, secret=None))
        assert server.news[-1] == Refused(Reason("knock_refused"))


def _takes_back(server: Server) -> None:
    server.shows(ADA)
    server.joining.withdraw()
    (withdraw,) = server.heard()
    server.say(messages.Done(re=withdraw.id))


def _is_answered(server: Server) -> None:
    server.shows(ADA)
    server.say(messages.KnockAnswered(code="refused"))


@pytest.mark.parametrize(
    "before",
    [
        lambda _server: None,
        lambda server: server.joining.knock(ADA),
        lambda server: server.commits(ADA),
        lambda server: server.joining.code("ABCDEFGH"),
        lambda server: server.shares("ABCDEFGH"),
        _takes_back,
        _is_answered,
    ],
    ids=["connected", "knocking", "committed", "typing", "proving", "withdrawn", "answered"],
)
@pytest.mark.parametrize("code", ["admitted", "refused", "expired", "later"])
def test_nobody_is_let_in_who_does_not_wait_for_it(
    before: Callable[[Server], object], code: str
) -> None:
    """Who only pretends to be the chat would get around the code that somebody types."""
    server = Server()
    server.connect()
    before(server)
    secret = "s" * 22 if code == "admitted" else None
    server.say(messages.KnockAnswered(code=code, secret=secret))
    assert server.ended == "unasked_answer"
    assert not any(isinstance(each, Invited) for each in server.news)


def test_each_commitment_gets_a_nonce_of_its_own() -> None:
    """Or a server could choose its second one once it knows the nonce that it got for the first."""
    server = Server()
    server.connect()
    server.joining.knock(ADA)
    server.joining.knock(ADA)
    told: list[messages.KnockOpen] = []
    for knock in server.heard():
        server.say(messages.KnockCommitted(re=knock.id, commitment=commitment(bytes(32)).hex()))
        (opened,) = server.heard()
        assert isinstance(opened, messages.KnockOpen)
        told.append(opened)
    first, second = told
    assert first.nonce != second.nonce
    server.say(messages.KnockShown(re=second.id, nonce=bytes(32).hex()))
    expected = knock_digits(FINGERPRINT, bytes.fromhex(second.nonce), bytes(32))
    assert server.news[-2:] == [Digits(expected), Waiting()]


def test_a_code_that_is_typed_before_the_answer_to_another_one() -> None:
    """Each proof is of the exchange that it belongs to, and nothing is taken for another's."""
    server = Server()
    server.connect()
    server.joining.code("ABCDEFGH")
    server.joining.code("ABCDEFGJ")
    first, second = server.heard()
    assert isinstance(first, messages.CodeStart)
    assert isinstance(second, messages.CodeStart)
    own = code_exchange(Role.RESPONDER, "ABCDEFGJ", FINGERPRINT, bytes.fromhex(second.sid), x25519)
    own.agree(bytes.fromhex(second.share))
    server.say(messages.CodeShare(re=first.id, share=own.share.hex()))
    assert server.heard() == []
    server.say(messages.CodeShare(re=second.id, share=own.share.hex()))
    (proof,) = server.heard()
    assert isinstance(proof, messages.CodeProof)
    assert own.confirms(bytes.fromhex(proof.tag))
    server.joining.code("ABCDEFGK")
    invited = messages.Invited(re=proof.id, tag=own.tag().hex(), secret="s" * 22, username=None)
    server.say(invited)
    assert isinstance(server.news[-1], Invited)


def test_an_answer_that_crosses_the_withdrawal_is_not_heard() -> None:
    """The host was quicker by the time that a message takes; nobody comes in who wants no more."""
    server = Server()
    server.connect()
    server.shows(ADA)
    server.joining.withdraw()
    (withdraw,) = server.heard()
    server.say(messages.KnockAnswered(code="admitted", secret="s" * 22))
    server.say(messages.Done(re=withdraw.id))
    assert server.news[-2:] == [Waiting(), Withdrawn()]
    server.shows(ADA)
    server.say(messages.KnockAnswered(code="admitted", secret="s" * 22))
    assert isinstance(server.news[-1], Invited)


def test_a_command_without_an_answer_is_given_up() -> None:
    """After ten seconds."""
    server = Server()
    server.connect()
    server.joining.knock(ADA)
    assert server.joining.deadline() == state.ANSWER_DEADLINE
    server.joining.tick(state.ANSWER_DEADLINE - 0.1)
    assert isinstance(server.news[-1], Connected)
    server.joining.tick(state.ANSWER_DEADLINE)
    assert server.ended == "no_answer"


def test_a_silent_server_is_given_up() -> None:
    """A computer that was switched off while one waits for the host: its pings have no answer."""
    server = Server()
    server.connect()
    assert server.joining.deadline() == limits.PING_INTERVAL
    server.joining.tick(limits.PING_INTERVAL)
    assert [type(each) for each in server.heard()] == [messages.Ping]
    server.joining.tick(server.joining.deadline())
    assert server.ended == "no_answer"


def test_who_waits_for_the_host_pings(house: House) -> None:
    """Every twenty seconds: else the server would take it for dead."""
    wire = Wire(house)
    wire.knock()
    for _ in range(30):
        wire.now = wire.joining.deadline()
        wire.joining.tick(wire.now)
        wire.run()
    assert wire.now == 30 * limits.PING_INTERVAL
    assert wire.up.count(b'"ping"') == 30
    assert isinstance(wire.news[-1], Waiting)


def test_a_lost_connection_is_told_once(house: House) -> None:
    """Whatever was being waited for."""
    wire = Wire(house)
    wire.knock()
    wire.joining.lost()
    wire.joining.lost()
    assert [each for each in wire.news if isinstance(each, Refused)] == [
        Refused(Reason("lost"), over=True)
    ]


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_garbage_never_raises(stream: list[bytes]) -> None:
    """Whatever a server sends, the guest's end tells news and nothing else."""
    server = Server()
    server.connect()
    server.joining.code("K7QM-3XPA")
    for data in stream:
        server.joining.received(data, 0)
    assert all(isinstance(each, Connected | Refused) for each in server.news)
