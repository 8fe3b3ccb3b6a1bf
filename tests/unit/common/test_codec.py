"""Both ends of a conversation, linked without a socket: who may say what when, and what if not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import count
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from common import limits
from common.protocol import messages
from common.protocol.codec import (
    Arrival,
    ClientEnd,
    LocalProtocolError,
    Phase,
    RemoteProtocolError,
    ServerEnd,
    Violation,
    encode,
)
from common.protocol.events import Event, UnknownBody
from common.protocol.frames import encode_frame
from common.protocol.messages import KINDS, Error, ToClient, ToServer
from tests import strategies as our
from tests.events import joined, said, send

CID, SESSION, INSTALLATION = "c" * 16, "0" * 32, "2" * 32
HELLO = messages.Hello(id=1, protocol=2, program="P")
WELCOME = messages.Welcome(re=1, protocol=2, program="P", server_name="Home", epoch=SESSION)
SIGN_IN = messages.SignIn(
    id=2, username="ada", token="1" * 64, device="Linux", installation=INSTALLATION
)
JOIN = messages.Join(
    id=2,
    secret="s" * 22,
    username="ada",
    display_name="Ada",
    token="1" * 64,
    device="Linux",
    installation=INSTALLATION,
)
SIGNED_IN = messages.SignedIn(
    re=2, username="ada", display_name="Ada", session=SESSION, role="member", mute=None
)
PING, PONG = messages.Ping(id=9), messages.Pong(re=9)
SEND = send(9)
SYNC = messages.Sync(id=9, positions={"general": 0})
PEOPLE = messages.ListPeople(id=9)
ONLINE = messages.ListOnline(id=9)
ROOMS = messages.ListRooms(id=9)
EVENT = messages.EventMessage.model_validate(said(1, "bob")._asdict())
PERSON = messages.PersonChanged(
    person=messages.Person(username="bob", display_name="Bob", role="member", change=1)
)
PRESENCE = messages.PresenceChanged(username="bob", online=True)
GOODBYE = messages.Goodbye(code="server_closing", params={})

MODERATION: tuple[ToServer, ...] = (
    messages.History(id=9, room="general", count=1),
    messages.Terminate(id=9, username="bob"),
    messages.Ban(id=9, username="bob"),
    messages.Unban(id=9, username="bob"),
    messages.MutePerson(id=9, username="bob"),
    messages.Unmute(id=9, username="bob"),
    messages.SetRole(id=9, username="bob", role="moderator"),
    messages.RenameChat(id=9, name="Garden"),
    messages.ShowInvite(id=9),
    messages.NewInvite(id=9),
    messages.AskStatus(id=9),
    messages.ListClients(id=9),
    messages.ListSanctions(id=9),
    messages.ListAudit(id=9),
)
"""What may be said by whoever is in, as far as the phase is concerned."""
COMMANDS: tuple[ToServer, ...] = (
    HELLO, JOIN, SIGN_IN, SYNC, SEND, PEOPLE, ONLINE, ROOMS, PING, *MODERATION,
)  # fmt: skip
ALLOWED = {
    Phase.GREETING: {"hello"},
    Phase.WELCOMING: set[str](),
    Phase.IDENTIFYING: {"join", "sign_in", "ping"},
    Phase.ADMITTING: set[str](),
    Phase.READY: {"sync", "send", "list_people", "list_online", "list_rooms", "ping"}
    | {command.type for command in MODERATION},
    Phase.CLOSED: set[str](),
}
_STEPS: tuple[tuple[Phase, ToServer | ToClient], ...] = (
    (Phase.WELCOMING, HELLO),
    (Phase.IDENTIFYING, WELCOME),
    (Phase.ADMITTING, SIGN_IN),
    (Phase.READY, SIGNED_IN),
    (Phase.CLOSED, GOODBYE),
)


class Line:
    """A client's and a server's end, and no network between them."""

    def __init__(self, phase: Phase = Phase.GREETING) -> None:
        self.client, self.server = ClientEnd(), ServerEnd()
        for reached, message in _STEPS:
            if self.client.phase is phase:
                break
            if isinstance(message, messages.Command):
                assert self.ask(message) == [message]
            else:
                assert self.tell(message) == [message]
            assert self.client.phase is self.server.phase is reached
        assert self.client.phase is phase

    def ask(self, command: ToServer) -> list[ToServer | Violation]:
        """What the server gets when the client says this."""
        return list(self.server.receive(self.client.send(command)))

    def tell(self, message: ToClient) -> list[Arrival]:
        """What the client gets when the server says this."""
        return list(self.client.receive(self.server.send(message)))


def saying(**fields: object) -> dict[str, object]:
    """A `send`, with some fields of another value."""
    return {**SEND.model_dump(mode="json"), "id": 7, **fields}


def only_violation(got: list[ToServer | Violation]) -> Violation:
    """The one violation that came of some bytes."""
    (violation,) = got
    assert isinstance(violation, Violation)
    return violation


@pytest.mark.parametrize("opening", [JOIN, SIGN_IN])
def test_a_whole_conversation(opening: ToServer) -> None:
    """Greeting, coming in, talking both ways, goodbye: both ends agree at every step."""
    line = Line(Phase.IDENTIFYING)
    assert line.ask(PING) == [PING]
    assert line.tell(PONG) == [PONG]
    assert line.ask(opening) == [opening]
    assert line.tell(SIGNED_IN) == [SIGNED_IN]
    for command in (SYNC, SEND, PEOPLE, ONLINE, ROOMS, PING):
        assert line.ask(command) == [command]
    assert line.tell(EVENT) == [said(1, "bob")]
    assert line.tell(PRESENCE) == [PRESENCE]
    assert line.tell(PONG) == [PONG]
    assert line.tell(GOODBYE) == [GOODBYE]
    assert line.client.phase is line.server.phase is Phase.CLOSED


@given(data=st.data())
def test_the_network_may_cut_a_conversation_anywhere(data: st.DataObject) -> None:
    """Commands come out in their order however their bytes were cut."""
    line = Line(Phase.READY)
    commands: list[ToServer] = [PING, SEND, SYNC, ROOMS]
    stream = b"".join(line.client.send(command) for command in commands)
    pieces = data.draw(our.pieces(stream))
    assert [got for piece in pieces for got in line.server.receive(piece)] == commands


@pytest.mark.parametrize("positions", [{"general": 0}, {"dm:ada:bob": 3}])
def test_what_a_sync_has_last_without_a_position_is_explained(positions: dict[str, int]) -> None:
    """As every malformed command is: with its id, the field, and why."""
    line = Line(Phase.READY)
    fields = {"type": "sync", "id": 9, "positions": positions, "last": {"general": CID}}
    violation = only_violation(list(line.server.receive(encode_frame(json.dumps(fields).encode()))))
    assert not violation.fatal
    error = violation.error
    assert (error.code, error.re, error.field) == ("malformed", 9, "last")
    assert error.params == {"why": "no_position"}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
def test_a_command_out_of_order_is_refused_and_changes_nothing(
    phase: Phase, command: ToServer
) -> None:
    """In each phase each command either is its step or gets `out_of_order` with its id."""
    line = Line(phase)
    got = list(line.server.receive(encode(command)))
    if command.type in ALLOWED[phase]:
        assert got == [command]
        return
    violation = only_violation(got)
    assert (violation.error.code, violation.error.re) == ("out_of_order", command.id)
    assert not violation.fatal
    assert line.server.phase is phase
    with pytest.raises(LocalProtocolError):
        line.client.send(command)
    assert line.client.phase is phase
    if phase not in {Phase.READY, Phase.CLOSED}:
        # The conversation goes on as if nothing had been said.
        rest = dict(_STEPS)
        after = list(Phase)[list(Phase).index(phase) + 1]
        step = rest[after]
        assert (line.ask(step) if isinstance(step, messages.Command) else line.tell(step)) == [step]
        assert line.client.phase is line.server.phase is after


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("message", [WELCOME, SIGNED_IN, EVENT, PERSON, PRESENCE], ids=repr)
def test_the_server_can_not_speak_out_of_order(phase: Phase, message: ToClient) -> None:
    """Our server's mistake is raised before a byte of it leaves, and changes nothing."""
    step = {Phase.WELCOMING: WELCOME, Phase.ADMITTING: SIGNED_IN}.get(phase)
    if message is step or (phase is Phase.READY and message not in (WELCOME, SIGNED_IN)):
        return
    line = Line(phase)
    with pytest.raises(LocalProtocolError):
        line.server.send(message)
    assert line.server.phase is phase


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        (Phase.GREETING, WELCOME),
        (Phase.GREETING, EVENT),
        (Phase.WELCOMING, SIGNED_IN),
        (Phase.WELCOMING, WELCOME.model_copy(update={"re": 7})),
        (Phase.IDENTIFYING, EVENT),
        (Phase.ADMITTING, EVENT),
        (Phase.ADMITTING, SIGNED_IN.model_copy(update={"re": 7})),
        (Phase.READY, WELCOME),
        (Phase.READY, SIGNED_IN),
        (Phase.CLOSED, EVENT),
        (Phase.CLOSED, GOODBYE),
    ],
)
def test_a_servers_breach_ends_the_clients_trust(phase: Phase, message: ToClient) -> None:
    """What no server may say at this point is a RemoteProtocolError, not something to work with."""
    with pytest.raises(RemoteProtocolError):
        list(Line(phase).client.receive(encode(message)))


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        encode_frame(b"x", kind=ord("C")),
        encode_frame(b"{}"),
        encode_frame(b"[]"),
        encode_frame(b'{"type":null}'),
        encode_frame(b'{"type":["news"]}'),
        encode_frame(b'{"type":"pong"}'),
        encode_frame(b'{"type":"event","room":"general","seq":1}'),
    ],
)
def test_a_servers_garbage_ends_the_clients_trust(data: bytes) -> None:
    """Frames and messages this program does not know are a RemoteProtocolError."""
    with pytest.raises(RemoteProtocolError):
        list(Line(Phase.READY).client.receive(data))


@pytest.mark.parametrize(
    ("phase", "before"),
    [(Phase.WELCOMING, Phase.GREETING), (Phase.ADMITTING, Phase.IDENTIFYING)],
)
def test_a_refused_step_can_be_tried_again(phase: Phase, before: Phase) -> None:
    """An error that answers the step leads both ends back by one; any other error does not."""
    line = Line(phase)
    pending = 1 if phase is Phase.WELCOMING else 2
    line.tell(messages.refusal("busy", re=pending + 5))
    line.tell(messages.refusal("malformed"))
    assert line.client.phase is line.server.phase is phase
    line.tell(messages.refusal("busy", re=pending))
    assert line.client.phase is line.server.phase is before
    again = HELLO if phase is Phase.WELCOMING else JOIN
    assert line.ask(again) == [again]
    assert line.client.phase is line.server.phase is phase


def test_a_ping_right_before_joining_is_answered() -> None:
    """A client may ask for a sign of life and join without waiting; the answer still gets there."""
    line = Line(Phase.IDENTIFYING)
    assert line.ask(PING) == [PING]
    assert line.ask(JOIN) == [JOIN]
    assert line.tell(PONG) == [PONG]
    assert line.tell(SIGNED_IN) == [SIGNED_IN]


def test_a_server_may_be_asked_whom_it_knows_before_joining() -> None:
    """As often as wanted, and the answer may come while the join waits for its own."""
    line = Line(Phase.IDENTIFYING)
    question = messages.Recognize(id=7, secret="s" * 22, username="ada", nonce="0" * 32)
    answer = messages.Recognized(re=7, proofs=("1" * 64,))
    for _ in range(2):
        assert list(line.server.receive(line.client.send(question))) == [question]
        assert list(line.client.receive(line.server.send(answer))) == [answer]
    line.client.send(question)
    line.client.send(JOIN)
    assert list(line.client.receive(encode(answer))) == [answer]


@pytest.mark.parametrize("phase", [Phase.GREETING, Phase.WELCOMING, Phase.ADMITTING, Phase.READY])
def test_a_server_is_asked_whom_it_knows_at_no_other_time(phase: Phase) -> None:
    """Who is in needs no such answer, and who has not said hello gets none."""
    question = messages.Recognize(id=7, secret="s" * 22, username="ada", nonce="0" * 32)
    with pytest.raises(LocalProtocolError):
        Line(phase).client.send(question)


BEFORE_JOINING: tuple[tuple[ToServer, ToClient], ...] = (
    (
        messages.CodeStart(id=7, sid="0" * 32, share="0" * 64),
        messages.CodeShare(re=7, share="0" * 64),
    ),
    (
        messages.CodeProof(id=7, tag="0" * 128),
        messages.Invited(re=7, tag="0" * 128, secret="s" * 22, username=None),
    ),
    (
        messages.Knock(
            id=7, username="ada", display_name="Ada", device="Linux", installation="0" * 32
        ),
        messages.KnockCommitted(re=7, commitment="0" * 64),
    ),
    (messages.KnockOpen(id=7, nonce="0" * 64), messages.KnockShown(re=7, nonce="0" * 64)),
    (messages.Withdraw(id=7), messages.Done(re=7)),
)
"""What a guest without a link says before it joins, and the answers."""


@pytest.mark.parametrize(("question", "answer"), BEFORE_JOINING)
def test_a_guest_asks_before_joining(question: ToServer, answer: ToClient) -> None:
    """As often as wanted, and the answer may come while the join waits for its own."""
    line = Line(Phase.IDENTIFYING)
    for _ in range(2):
        assert line.ask(question) == [question]
        assert line.tell(answer) == [answer]
    line.client.send(question)
    line.client.send(JOIN)
    assert list(line.client.receive(encode(answer))) == [answer]


@pytest.mark.parametrize("question", [question for question, _ in BEFORE_JOINING])
@pytest.mark.parametrize("phase", [Phase.GREETING, Phase.WELCOMING, Phase.ADMITTING, Phase.READY])
def test_nobody_asks_to_join_at_another_time(phase: Phase, question: ToServer) -> None:
    """Who is in needs it no more, and who has not said hello gets no answer."""
    with pytest.raises(LocalProtocolError):
        Line(phase).client.send(question)


@pytest.mark.parametrize("phase", [Phase.IDENTIFYING, Phase.READY])
def test_an_answer_to_a_knock_comes_by_itself(phase: Phase) -> None:
    """Whenever the host clicks; also behind the sign-in of somebody who had a link."""
    answer = messages.KnockAnswered(code="admitted", secret="s" * 22)
    assert Line(phase).tell(answer) == [answer]


def test_large_frames_are_for_those_who_are_in() -> None:
    """Before sign-in 4 KiB is the limit, from then on 112 KiB; the length alone decides."""
    stranger, member = Line(Phase.IDENTIFYING), Line(Phase.READY)
    over = (limits.FRAME_BEFORE_SIGN_IN + 1).to_bytes(4, "big")
    violation = only_violation(list(stranger.server.receive(over)))
    assert (violation.error.code, violation.fatal) == ("malformed", True)
    assert list(member.server.receive(over)) == []
    too_long = (limits.FRAME_JSON + 1).to_bytes(4, "big")
    assert only_violation(list(Line(Phase.READY).server.receive(too_long))).fatal


@given(st.lists(st.binary(max_size=60) | st.binary(max_size=60).map(encode_frame), max_size=6))
def test_garbage_never_raises(stream: list[bytes]) -> None:
    """Whatever a client sends, the server's end gives commands and violations, nothing else."""
    server = ServerEnd()
    for data in stream:
        for got in server.receive(data):
            assert isinstance(got, Violation)
    assert server.phase is Phase.GREETING


@given(st.lists(our.json_value(), max_size=5), st.sampled_from([Phase.GREETING, Phase.READY]))
def test_lawful_json_of_the_wrong_kind_never_raises(values: list[object], phase: Phase) -> None:
    """JSON that is no command gets one error each and costs nobody the connection."""
    server = Line(phase).server
    for value in values:
        violation = only_violation(list(server.receive(encode_frame(json.dumps(value).encode()))))
        assert not violation.fatal
        assert violation.error.code in {"malformed", "unknown_type"}
        encode(violation.error)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (saying(room="GEHEIM"), "malformed", "room"),
        (saying(cid="geheim"), "malformed", "cid"),
        (saying(body=None), "malformed", "body"),
        (saying(body="geheim"), "malformed", "body"),
        (saying(body={}), "malformed", "body.text"),
        (saying(body={"text": 5}), "malformed", "body.text"),
        (saying(body={"text": "geheim" * 9999}), "too_long", "body.text"),
        (saying(body={"text": "geheim\0"}), "malformed", "body.text"),
        (saying(body={"text": "x", "more": "geheim"}), "malformed", "body.more"),
        (saying(kind="geheim"), "unknown_kind", "kind"),
        (saying(kind="join", body={}), "unknown_kind", "kind"),
        (saying(kind="geheim", body={"text": 5}), "unknown_kind", "kind"),
        (saying(kind=""), "unknown_kind", "kind"),
        (saying(kind=None), "malformed", "kind"),
        (saying(kind=5), "malformed", "kind"),
        (saying(kind=["geheim"]), "malformed", "kind"),
        (saying(kind={"geheim": 1}), "malformed", "kind"),
        (saying(room="GEHEIM", kind="geheim"), "malformed", "room"),
        ({"type": "list_people", "id": 7, "kind": "geheim"}, "malformed", "kind"),
        ({"type": "ping", "id": 7, "more": "geheim"}, "malformed", "more"),
        ({"type": "sync", "id": 7, "positions": {"A": 0}}, "malformed", "positions.A"),
        ({"type": "geheim", "id": 7}, "unknown_type", None),
        ({"id": 7}, "malformed", None),
        ({"type": ["geheim"], "id": 7}, "unknown_type", None),
    ],
)
def test_an_error_names_the_request_and_the_field_but_not_the_content(
    body: dict[str, object], code: str, field: str | None
) -> None:
    """A client's programmer learns which field is wrong and why; a log learns no secret."""
    got = Line(Phase.READY).server.receive(encode_frame(json.dumps(body).encode()))
    error = only_violation(list(got)).error
    assert (error.code, error.re, error.field, error.retryable) == (code, 7, field, False)
    (why,) = error.params.values()
    assert re.fullmatch("[a-z_]+", str(why))
    assert set(error.params) == {"why"}
    assert b"geheim" not in encode(error).lower()


@pytest.mark.parametrize(
    ("kind", "code", "why"),
    [
        ("reaction", "unknown_kind", "unknown_kind"),
        ("join", "unknown_kind", "unknown_kind"),
        ("", "unknown_kind", "unknown_kind"),
        (None, "malformed", "string_type"),
        (7, "malformed", "string_type"),
        (["message"], "malformed", "string_type"),
    ],
)
def test_a_kind_that_cant_be_sent_is_refused_as_such(kind: object, code: str, why: str) -> None:
    """By a code that tells a kind of a newer protocol from what is no kind, and names none."""
    body = json.dumps(saying(kind=kind)).encode()
    got = Line(Phase.READY).server.receive(encode_frame(body))
    error = only_violation(list(got)).error
    assert (error.code, error.field) == (code, "kind")
    assert error.params == {"why": why}


BODIES: Final[tuple[tuple[object, str, str], ...]] = (
    ({}, "malformed", "body.topic"),
    ({"topic": "x", "n": 3, "more": 1}, "malformed", "body.more"),
    ({"topic": "x", "n": "3"}, "malformed", "body.n"),
    ({"topic": "x", "n": 3.0}, "malformed", "body.n"),
    ({"topic": "x", "n": True}, "malformed", "body.n"),
    ({"topic": "x", "n": 10**30}, "malformed", "body.n"),
    ({"topic": "x" * 20_000, "n": 3}, "too_long", "body.topic"),
    ({"topic": "x", "n": 3, "of": [{"a": 1}, {"a": 2, "b": 3}]}, "malformed", "body.of.1.b"),
    ({"topic": "x", "n": 3, "of": {"a": 1}}, "malformed", "body.of"),
    ({"text": "hello"}, "malformed", "body.topic"),
    ([], "malformed", "body"),
    (None, "malformed", "body"),
    ("x", "malformed", "body"),
)


class _Of(messages.Message):
    a: messages.Number


class _Topic(messages.Message):
    topic: messages.Text
    n: messages.Number
    of: tuple[_Of, ...] = ()


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind more, that can be sent."""
    monkeypatch.setitem(KINDS, "topic", _Topic)
    monkeypatch.setattr("common.protocol.messages.events.SENDABLE", messages.SENDABLE | {"topic"})


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize(("body", "code", "field"), BODIES)
def test_a_body_is_checked_by_the_model_of_its_kind(body: object, code: str, field: str) -> None:
    """The error tells the first field that is wrong; a body of another kind is none of this one."""
    line = Line(Phase.READY)
    sent = json.dumps(saying(kind="topic", body=body)).encode()
    error = only_violation(list(line.server.receive(encode_frame(sent)))).error
    assert (error.re, error.code, error.field) == (7, code, field)
    right = {"topic": "x", "n": 3}
    sent = json.dumps(saying(kind="message", body=right)).encode()
    error = only_violation(list(line.server.receive(encode_frame(sent)))).error
    assert (error.code, error.field) == ("malformed", "body.text")
    for lawful in (right, {**right, "of": [{"a": 1}, {"a": 2}]}):
        sent = json.dumps(saying(kind="topic", body=lawful)).encode()
        (command,) = line.server.receive(encode_frame(sent))
        assert isinstance(command, messages.Send)
        # As it was given: nothing is added that was left out.
        assert (command.kind, command.body) == ("topic", lawful)


@given(st.text() | st.sampled_from(["", " ", "a\tb", "a" * 16384, "a" * 16385, "\x7f", "é"]))
def test_the_quick_way_for_messages_accepts_what_their_model_accepts(text: str) -> None:
    """A plain text is not shown to the model: which must have nothing else to look at."""
    assert set(messages.MessageBody.model_fields) == {"text"}
    sent = json.dumps(saying(body={"text": text}))

    def accepts(model: type[BaseModel], body: str) -> bool:
        try:
            model.model_validate_json(body)
        except ValidationError:
            return False
        return True

    assert accepts(messages.Send, sent) == accepts(messages.MessageBody, json.dumps({"text": text}))


@pytest.mark.parametrize("number", [0, -1, 2**53, "7", 7.5, None, True, [7], 10**400])
def test_an_error_names_no_id_that_is_none(number: object) -> None:
    """Where the id itself is unlawful the error has none."""
    body = json.dumps({"type": "ping", "id": number}).encode()
    assert only_violation(list(ServerEnd().receive(encode_frame(body)))).error.re is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"ping","id":1' + b"0" * 4000 + b"}",
        b'{"id":1,"a":' + b"[" * 2000,
        b"\xff\xfe{}",
        b"\x00{\x00}",
        b'{"type":"ping","id":1}{}',
    ],
)
def test_bodies_made_to_break_a_parser(body: bytes) -> None:
    """Endless numbers, deep nesting, other encodings: one violation, and the end goes on."""
    server = ServerEnd()
    assert not only_violation(list(server.receive(encode_frame(body)))).fatal
    assert list(server.receive(encode(HELLO))) == [HELLO]


@given(our.any_text())
def test_a_fields_name_is_safe_to_show(name: str) -> None:
    """A field of the client's own invention comes back bounded and without control characters."""
    body = json.dumps({"type": "ping", "id": 1, name: 0}).encode()
    got = list(ServerEnd().receive(encode_frame(body)))
    field = only_violation(got).error.field or ""
    assert len(field) <= 100
    assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in field)


def test_after_a_bad_header_nothing_is_understood_any_more() -> None:
    """What came before it is, what comes after it is not, and it is told once."""
    server = ServerEnd()
    got = list(server.receive(encode(HELLO) + b"\0\0\0\0" + encode(PING)))
    assert got[0] == HELLO
    assert only_violation(got[1:]).fatal
    assert list(server.receive(encode(PING))) == []


def test_ids_are_the_clients_own() -> None:
    """Any id may be used, the same one twice included; it is only handed back."""
    line = Line(Phase.READY)
    for number in (*range(1, 4), 3, limits.MAX_INTEGER):
        command = messages.Ping(id=number)
        assert line.ask(command) == [command]
        reply = messages.Pong(re=number)
        assert line.tell(reply) == [reply]


def test_an_error_for_a_later_command_moves_nothing() -> None:
    """Once in, errors answer commands and leave the phase alone, whatever id they name."""
    line = Line(Phase.READY)
    for number, _ in zip(count(1), range(4), strict=False):
        error: Error = messages.refusal("internal", re=number)
        assert line.tell(error) == [error]
    assert line.client.phase is line.server.phase is Phase.READY


# What a newer server may say


def heard(fields: Mapping[str, object], phase: Phase = Phase.READY) -> list[Arrival]:
    """What a client gets of one message, and of a `pong` after it, which it must understand."""
    line = Line(phase)
    got = list(line.client.receive(encode_frame(json.dumps(fields).encode())))
    if phase is Phase.READY:
        assert line.tell(PONG) == [PONG]
    return got


def event(fields: Mapping[str, object] | None = None, **others: object) -> Event:
    """What a client gets of an event with these fields."""
    (got,) = heard({**EVENT.model_dump(mode="json"), **(fields or {}), **others})
    assert isinstance(got, Event)
    return got


@pytest.mark.parametrize("message", [EVENT, PERSON, PRESENCE, PONG, GOODBYE], ids=repr)
def test_a_field_that_a_client_does_not_know_is_left_out(message: ToClient) -> None:
    """The rest of the message means what it always meant."""
    line = Line(Phase.READY)
    fields = {**message.model_dump(mode="json"), "more": {"re": 1, "type": "ping"}}
    (got,) = line.client.receive(encode_frame(json.dumps(fields).encode()))
    assert got == (said(1, "bob") if message is EVENT else message)


@pytest.mark.parametrize("phase", [Phase.WELCOMING, Phase.IDENTIFYING, Phase.READY])
@pytest.mark.parametrize("more", [{}, {"id": 9}, {"room": "general", "seq": 1}, {"x": {"re": 1}}])
def test_news_that_a_client_does_not_know_is_passed_over(
    phase: Phase, more: dict[str, object]
) -> None:
    """Whoever can't do without it would have been refused at `hello`."""
    assert heard({"type": "news", **more}, phase) == []


@pytest.mark.parametrize("number", [9, None, "x"])
def test_an_answer_that_a_client_does_not_know_ends_its_trust(number: object) -> None:
    """It asked for none of the kind."""
    with pytest.raises(RemoteProtocolError, match="does not know"):
        heard({"type": "news", "re": number})


def test_an_unknown_message_moves_nothing() -> None:
    """Before and between others, in one piece with them: those are understood, in their order."""
    line = Line(Phase.READY)
    news = encode_frame(b'{"type":"news"}')
    got = list(line.client.receive(news + encode(PONG) + news + encode(EVENT) + news))
    assert got == [PONG, said(1, "bob")]
    assert line.client.phase is Phase.READY


@given(our.event(newer=True))
def test_an_event_that_a_client_does_not_know_is_kept_as_it_came(newer: Event) -> None:
    """It has its place in the room, and somebody who understands it may come later."""
    got = event(newer._asdict())
    assert got == newer
    if newer.kind not in messages.KINDS:
        assert (got.known, got.is_message, got.text) == (False, False, "")
        assert isinstance(got.body, UnknownBody)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("message", {}),
        ("message", {"text": 5}),
        ("message", {"text": None, "html": "<b>x</b>"}),
        ("message", {"text": ""}),
        ("message", {"text": "a\0b"}),
        ("message", {"text": "x" * (limits.TEXT_BYTES + 1)}),
        ("poll", {"text": "Which one?", "choices": ["a", "b"]}),
        ("joined", {}),
    ],
)
def test_a_body_of_another_form_is_not_understood(kind: str, body: dict[str, object]) -> None:
    """Nothing of it is shown as if it were what this program knows."""
    got = event(kind=kind, body=body)
    assert (got.kind, got.body, got.seq) == (kind, body, 1)
    assert (got.known, got.is_message, got.text) == (False, False, "")


def test_what_a_body_has_besides_is_left_out() -> None:
    """As in the message around it: the text means what it always meant."""
    assert event(body={"text": "hello", "style": "loud"}) == said(1, "bob")
    got = event(joined(1, "bob")._asdict(), body={"from": "an invite"})
    assert got == joined(1, "bob")
    assert got.known


@pytest.mark.parametrize("body", [None, [], "hello", 5])
def test_an_event_without_a_body_ends_the_clients_trust(body: object) -> None:
    """Of whatever kind it is: each has an object there."""
    with pytest.raises(RemoteProtocolError, match="body"):
        event(kind="poll", body=body)


@given(our.code(), st.booleans(), our.wait())
def test_codes_that_a_client_does_not_know_are_understood(
    code: str, retryable: bool, wait: int | None
) -> None:
    """`retryable` and `retry_after` say what to do, and a goodbye is one whatever its reason."""
    error = {"type": "error", "re": 9, "code": code, "params": {}, "retryable": retryable}
    (got,) = heard({**error, "retry_after": wait})
    assert isinstance(got, Error)
    assert (got.code, got.retryable, got.retry_after) == (code, retryable, wait)
    line = Line(Phase.READY)
    goodbye = json.dumps({"type": "goodbye", "code": code, "params": {}, "retry_after": wait})
    (last,) = line.client.receive(encode_frame(goodbye.encode()))
    assert isinstance(last, messages.Goodbye)
    assert (last.code, last.retry_after) == (code, wait)
    assert line.client.phase is Phase.CLOSED


def test_a_room_may_be_refused_or_listed_for_reasons_not_known_here() -> None:
    """A client takes them for what they are: some reason, some kind."""
    (synced,) = heard(
        {"type": "synced", "re": 9, "heads": {}, "skipped": [], "refused": {"general": "archived"}}
    )
    assert synced == messages.Synced(re=9, heads={}, skipped=(), refused={"general": "archived"})
    room = {"room": "general", "kind": "channel", "title": "Everyone", "head": 3}
    (added,) = heard({"type": "room", "room": room})
    assert added == messages.RoomAdded(room=messages.Room.model_validate(room))


# What an older client may hear, and a newer one say


@pytest.mark.parametrize(
    "more", [{"token": "x"}, {"re": 1}, {"codecs": {"zstd": [1, None, {"a": 0.5}]}}, {"": False}]
)
def test_hello_may_have_fields_that_the_server_does_not_know(more: dict[str, object]) -> None:
    """A newer client tells a newer server something with them."""
    fields = more | HELLO.model_dump(mode="json")
    server = ServerEnd()
    assert list(server.receive(encode_frame(json.dumps(fields).encode()))) == [HELLO]
    assert server.phase is Phase.WELCOMING
