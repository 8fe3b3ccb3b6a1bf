"""The models let every lawful message through and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from common import limits
from common.domain.text import TextRefusedError, check_text, normalize_text
from common.protocol import messages
from common.protocol.codec import encode
from common.protocol.frames import HEADER
from common.protocol.messages import Message, to_client, to_server
from common.protocol.schema import protocol_schema
from tests import strategies as our
from tests.events import said, send

CID, EPOCH, TOKEN, SECRET = "c" * 16, "0" * 32, "1" * 64, "s" * 22
INSTALLATION = "2" * 32
HELLO = messages.Hello(id=1, protocol=2, program="P")
JOIN = messages.Join(
    id=2,
    secret=SECRET,
    username="ada",
    display_name="Ada",
    token=TOKEN,
    device="Linux",
    installation=INSTALLATION,
)
SIGN_IN = messages.SignIn(
    id=3, username="ada", token=TOKEN, device="Linux", installation=INSTALLATION
)
SYNC = messages.Sync(id=4, positions={"general": 0})
SEND = send(5)
PEOPLE = messages.ListPeople(id=6)
ONLINE = messages.ListOnline(id=7)
HISTORY = messages.History(id=4, room="general", count=10)
MUTE = messages.MutePerson(id=5, username="ada")
WELCOME = messages.Welcome(re=1, protocol=2, program="P", server_name="Home", epoch=EPOCH)
EVENT = messages.EventMessage.model_validate(said(1)._asdict())


def adapter(message: Message) -> TypeAdapter[Any]:
    """The union a message belongs to."""
    return to_server() if isinstance(message, messages.Command) else to_client()


def changed(message: BaseModel, **fields: object) -> bytes:
    """The message as JSON, with some fields of another value."""
    return json.dumps({**message.model_dump(), **fields}).encode()


def saying(text: object) -> bytes:
    """A `send` as JSON, with this text."""
    return changed(SEND, body={"text": text})


@given(message=our.message())
def test_every_message_survives_the_wire(message: Message) -> None:
    """Encoded and decoded again, a message is equal to what it was."""
    frame = encode(message)
    assert adapter(message).validate_json(frame[HEADER.size :]) == message


@given(message=our.message(), data=st.data())
def test_messages_are_strict(message: Message, data: st.DataObject) -> None:
    """A needed field that is missing or one of another type is an error, never a guess."""
    body = message.model_dump(mode="json")
    fields = type(message).model_fields
    needed = sorted(name for name, field in fields.items() if field.is_required())
    missing = data.draw(st.sampled_from([*needed, "type"]))
    with pytest.raises(ValidationError):
        adapter(message).validate_json(json.dumps({k: v for k, v in body.items() if k != missing}))
    name = data.draw(st.sampled_from(sorted(fields)))
    other: object = 17 if isinstance(body[name], list) else ["?"]
    with pytest.raises(ValidationError):
        adapter(message).validate_json(json.dumps({**body, name: other}))


def parts(message: Message) -> Iterator[Message]:
    """A message and the models within it."""
    yield message
    for name in type(message).model_fields:
        value = getattr(message, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Message):
                yield from parts(each)


@given(command=our.to_server(), data=st.data())
def test_to_the_server_messages_are_closed(command: messages.ToServer, data: st.DataObject) -> None:
    """A field too many, wherever it is, is refused; in `hello` a newer server may know it."""
    spot = data.draw(st.sampled_from(list(parts(command))))
    raw = command.model_dump(mode="json")
    (raw if spot is command else raw["body"])["more"] = 1
    if isinstance(command, messages.Hello):
        assert to_server().validate_json(json.dumps(raw)) == command
        return
    with pytest.raises(ValidationError) as refused:
        to_server().validate_json(json.dumps(raw))
    assert [each["type"] for each in refused.value.errors()] == ["extra_forbidden"]


@given(message=our.to_client(), more=st.dictionaries(our.any_text(), our.json_value(), max_size=2))
def test_to_the_client_messages_are_open(message: messages.ToClient, more: dict[str, Any]) -> None:
    """A newer server may put more into any of them, at any depth: it is left out."""

    def grown(raw: object, model: type[BaseModel]) -> object:
        assert isinstance(raw, dict)
        for name, field in model.model_fields.items():
            for inner in inner_models(field.annotation):
                value = raw[name]
                if isinstance(value, list):
                    raw[name] = [grown(each, inner) for each in value]
                elif value is not None:
                    raw[name] = grown(value, inner)
        return {name: value for name, value in more.items() if name not in raw} | raw

    raw = grown(message.model_dump(mode="json"), type(message))
    assert to_client().validate_json(json.dumps(raw)) == message


def inner_models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that a field holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from inner_models(each)


def test_what_every_message_may_not_know() -> None:
    """All to the client and `hello`: open. All else to the server, and each body: closed."""
    to_client = [*get_args(messages.ToClient), messages.Person, messages.Room]
    closed = {*get_args(messages.ToServer), *messages.KINDS.values()} - {messages.Hello}
    assert {model.model_config["extra"] for model in [*to_client, messages.Hello]} == {"ignore"}
    assert {model.model_config["extra"] for model in closed} == {"forbid"}


@pytest.mark.parametrize(
    "body",
    [
        changed(SEND, id=0),
        changed(SEND, id=-1),
        changed(SEND, id=2**53),
        changed(SEND, id=1.0),
        changed(SEND, id=True),
        changed(SEND, id="5"),
        changed(SEND, room="General"),
        changed(SEND, room="general\n"),
        changed(SEND, room="dm:ada"),
        changed(SEND, room="x" * 33),
        changed(SEND, cid=CID[1:]),
        changed(SEND, cid="0" * 32),
        changed(SEND, cid="c" * 15 + "."),
        changed(SEND, cid=CID + "\n"),
        changed(SEND, cid=None),
        changed(SEND, kind="join"),
        changed(SEND, kind="Message"),
        changed(SEND, kind=None),
        changed(SEND, body=None),
        changed(SEND, body={}),
        changed(SEND, body="hello"),
        changed(SEND, body={"text": "hello", "more": 1}),
        changed(SEND, text="hello"),
        changed(SEND, type="Send"),
        changed(SEND, type=None),
        changed(HELLO, protocol=0),
        changed(HELLO, protocol=65536),
        changed(HELLO, program=""),
        changed(HELLO, program="x" * (limits.PROGRAM_LENGTH + 1)),
        changed(HELLO, program="two\nlines"),
        changed(HELLO, program="two\u2028lines"),
        changed(HELLO, capabilities=["x"] * (limits.CAPABILITIES + 1)),
        changed(HELLO, capabilities=["Upper"]),
        changed(HELLO, capabilities=["x" * 33]),
        changed(JOIN, username="-ada"),
        changed(JOIN, username="ada\n"),
        changed(JOIN, username="a" * (limits.USERNAME_LENGTH + 1)),
        changed(JOIN, username="ådå"),
        changed(JOIN, display_name="\x1b[31m"),
        changed(JOIN, display_name="x" * (limits.DISPLAY_NAME_LENGTH + 1)),
        changed(JOIN, secret="s" * 23),
        changed(JOIN, token="1" * 63),
        changed(SIGN_IN, resume=""),
        changed(SYNC, positions={}),
        changed(SYNC, positions={"general": -1}),
        changed(SYNC, positions={"general": 2**53}),
        changed(SYNC, positions={"No Room": 0}),
        changed(SYNC, positions={f"r{n}": 0 for n in range(limits.POSITIONS + 1)}),
        changed(SYNC, positions={"general": 5}, last={"general": 1}),
        changed(SYNC, positions={"general": 5}, last={"general": CID[1:]}),
        changed(SYNC, positions={"general": 5}, last={"general": None}),
        changed(SYNC, positions={"general": 5}, last=None),
        changed(SYNC, positions={"general": 5}, last={"other": CID}),
        changed(SYNC, positions={"general": 0}, last={"general": CID}),
        changed(PEOPLE, since=-1),
        changed(PEOPLE, since=2**53),
        changed(PEOPLE, since=None),
        changed(PEOPLE, after="ada"),
        changed(ONLINE, after="-ada"),
        changed(HISTORY, before=0),
        changed(HISTORY, after=-1),
        changed(HISTORY, before=5, after=4),
        changed(HISTORY, after=0, around=1),
        changed(HISTORY, after=0, at=0),
        changed(HISTORY, around=1, at=0),
        changed(HISTORY, count=0),
        changed(HISTORY, count=limits.PAGE_HISTORY + 1),
        changed(MUTE, reason="two\nlines"),
        changed(MUTE, reason="two\u2028lines"),
        changed(MUTE, reason="\x7f"),
        changed(MUTE, reason="x" * (limits.REASON_LENGTH + 1)),
        changed(MUTE, reason=5),
        changed(SEND).replace(b'"id": 5', b'"id": NaN'),
        changed(SEND).replace(b'"id": 5', b'"id": Infinity'),
        changed(SEND).replace(b'"id": 5', b'"id": 1e400'),
        changed(SEND).replace(b"hello", b"\\ud800"),
        changed(SEND).replace(b"hello", b"\\udc00\\ud800"),
        changed(SEND).replace(b"hello", b"\xed\xa0\x80"),
        changed(SEND).replace(b"hello", b"\xff"),
        changed(SEND)[:-1],
        b"[" * 5000,
        b"",
        b"null",
        b"[]",
    ],
)
def test_unlawful_commands_are_refused(body: bytes) -> None:
    """Each of these is one step outside a bound, a pattern or JSON itself."""
    with pytest.raises(ValidationError):
        to_server().validate_json(body)


@pytest.mark.parametrize("text", our.HARD_TEXTS)
def test_hard_texts_pass_as_they_are(text: str) -> None:
    """Emoji sequences, right-to-left text and newlines are nothing to be refused or changed."""
    assert check_text(text) == text
    assert to_server().validate_json(saying(text)) == send(5, text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x" * (limits.TEXT_BYTES + 1), "too_long"),
        ("é" * (limits.TEXT_BYTES // 2 + 1), "too_long"),
        ("😀" * (limits.TEXT_BYTES // 4 + 1), "too_long"),
        ("\0", "control_character"),
        ("a\rb", "control_character"),
        ("\x1b[2J", "control_character"),
        ("\x7f", "control_character"),
        ("\x85", "control_character"),
        (" ", "blank"),
        ("\n\t\n", "blank"),
        ("\u3000\u2003", "blank"),
    ],
)
def test_texts_that_are_no_messages(text: str, kind: str) -> None:
    """The bound is in bytes; each refusal says which rule it was, on the wire and on its own."""
    with pytest.raises(TextRefusedError) as refused:
        check_text(text)
    assert refused.value.code == kind
    with pytest.raises(ValidationError) as invalid:
        to_server().validate_json(saying(text))
    assert invalid.value.errors()[0]["type"] == kind


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("plain", "plain"),
        ("    if x:\n\treturn", "    if x:\n\treturn"),
        ("\n \n\t\n  a  \n\n  b \n \n\n", "  a  \n\n  b "),
        ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
        ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
        ("\u2028 \r a\u2029", " a"),
        ("\u200e\u05d0 1\u200f", "\u200e\u05d0 1\u200f"),
        (" \n\t\u3000", ""),
        ("", ""),
        ("a" + "\n" * limits.TEXT_BYTES + "b", "a" + "\n" * limits.TEXT_BYTES + "b"),
        ("a" + " " * limits.TEXT_BYTES + "b", "a" + " " * limits.TEXT_BYTES + "b"),
    ],
)
def test_a_text_is_sent_as_typed_but_for_line_ends_and_blank_lines_around(
    typed: str, sent: str
) -> None:
    """Indentation stays, and nothing glues two words together; twice is the same as once."""
    assert normalize_text(typed) == sent
    assert normalize_text(sent) == sent


@pytest.mark.parametrize("text", ["\ud800", "name: \udcff", "\udcff" * limits.TEXT_BYTES])
def test_a_lone_surrogate_is_no_text(text: str) -> None:
    """What cannot be encoded is refused by its rule: a shell hands bytes over as surrogates."""
    with pytest.raises(TextRefusedError):
        check_text(text)


@pytest.mark.parametrize("unit", ["x", "é", "€", "😀"])
def test_a_text_may_fill_its_bytes(unit: str) -> None:
    """As many characters as TEXT_BYTES holds are lawful, whatever their width."""
    text = unit * (limits.TEXT_BYTES // len(unit.encode()))
    assert check_text(text) == text


def test_the_longest_messages_fit_their_frames() -> None:
    """No lawful message is longer than the frame that has to carry it."""
    wide = "😀"
    room = f"dm:{'a' * 32}:{'b' * 32}"
    largest = limits.MAX_INTEGER
    capabilities = tuple(["x" * 32] * limits.CAPABILITIES)
    before = [
        messages.Hello(id=largest, protocol=1, program=wide * 64, capabilities=capabilities),
        messages.Join(
            id=largest,
            secret=SECRET,
            username="a" * 32,
            display_name=wide * 64,
            token=TOKEN,
            device=wide * 64,
            installation=INSTALLATION,
        ),
        messages.SignIn(
            id=largest,
            username="a" * 32,
            token=TOKEN,
            device=wide * 64,
            installation=INSTALLATION,
            resume="0" * 32,
        ),
    ]
    listed = messages.Room(room=room, kind="k" * 32, title=wide * 64, head=largest)
    client = messages.ClientFacts(
        connection=largest,
        username="a" * 32,
        device=wide * 64,
        address="f" * 100,
        since=limits.MAX_TIME,
        bytes_in=largest,
        bytes_out=largest,
        slow=False,
    )
    why = wide * limits.REASON_LENGTH
    sanction = messages.Sanction(
        number=largest,
        kind="k" * 32,
        username="a" * 32,
        device=wide * 64,
        until=limits.MAX_TIME,
        reason=why,
        by="a" * 32,
        at=limits.MAX_TIME,
    )
    entry = messages.AuditEntry(
        number=largest,
        at=limits.MAX_TIME,
        by="a" * 32,
        action="a" * 32,
        fields={
            "connection": largest,
            "username": "a" * 32,
            "device": wide * 64,
            "until": limits.MAX_TIME,
            "reason": why,
        },
    )
    names = [f"dm:{n:032}:{'b' * 32}" for n in range(limits.POSITIONS)]
    after = [
        send(largest, '"' * limits.TEXT_BYTES, room=room, after=CID),
        send(largest, wide * (limits.TEXT_BYTES // 4), room=room, after=CID),
        messages.Sync(
            id=largest, positions=dict.fromkeys(names, largest), last=dict.fromkeys(names, CID)
        ),
        messages.Synced(
            re=largest, heads=dict.fromkeys(names, largest), skipped=tuple(names), refused={}
        ),
        messages.Synced(re=largest, heads={}, skipped=(), refused=dict.fromkeys(names, "x" * 32)),
        messages.Online(re=largest, online=("a" * 32,) * limits.PAGE_ONLINE, more=True),
        messages.Rooms(re=largest, rooms=(listed,) * limits.PAGE_ROOMS, more=True),
        messages.Clients(re=largest, clients=(client,) * limits.PAGE_CLIENTS, more=True),
        messages.Sanctions(re=largest, sanctions=(sanction,) * limits.PAGE_SANCTIONS, more=True),
        messages.Audit(re=largest, entries=(entry,) * limits.PAGE_AUDIT, more=True),
        messages.InviteLink(re=largest, link="x" * limits.INVITE_LENGTH),
    ]
    header = HEADER.size - 1  # the kind counts
    assert max(len(encode(message)) - header for message in before) <= limits.FRAME_BEFORE_SIGN_IN
    assert max(len(encode(message)) - header for message in after) <= limits.FRAME_JSON


def _unbounded(node: object, path: str = "") -> list[str]:
    """The places of a JSON schema where a string, list, map or number has no bound."""
    if isinstance(node, list):
        return [place for each in node for place in _unbounded(each, path)]
    if not isinstance(node, dict):
        return []
    bounds = {
        "string": {"maxLength", "const", "enum"},
        "array": {"maxItems"},
        "integer": {"maximum", "const"},
        "object": {"maxProperties", "properties"},
    }.get(node["type"] if isinstance(node.get("type"), str) else "", set())
    # A pattern bounds when it is anchored and repeats nothing without end.
    pattern = str(node.get("pattern", ""))
    closed = pattern.startswith("^") and pattern.endswith("$") and not set(pattern) & {"+", "*"}
    found = [path] if bounds and not closed and not bounds & node.keys() else []
    for key, inner in node.items():
        found += _unbounded(inner, f"{path}.{key}".removeprefix(".$defs."))
    return found


@pytest.mark.parametrize("place", [{"before": 1}, {"after": 0}, {"around": 7}, {"at": 0}, {}])
def test_history_is_asked_for_by_one_place(place: dict[str, int]) -> None:
    """And what is null is as good as not there."""
    nothing = dict.fromkeys(("before", "after", "around", "at"))
    asked = to_server().validate_json(changed(HISTORY, **{**nothing, **place}))
    assert asked == to_server().validate_json(changed(HISTORY, **place))
    assert asked.model_dump(include=set(place)) == place


@pytest.mark.parametrize(
    "command", [{"type": "mute"}, {"type": "ban"}, {"type": "terminate"}], ids=str
)
def test_no_reason_is_an_empty_one(command: dict[str, str]) -> None:
    """Left out or null, as for `until`: the person is told none."""
    fields = {**command, "id": 5, "username": "ada"}
    for none in ({}, {"reason": None}, {"reason": ""}):
        read = to_server().validate_json(json.dumps({**fields, **none}))
        assert getattr(read, "reason") == ""  # noqa: B009 (not all commands have one)
    read = to_server().validate_json(json.dumps({**fields, "reason": "  Enough – Ω ! "}))
    assert getattr(read, "reason") == "  Enough – Ω ! "  # noqa: B009 (the same)


def test_usernames_come_in_lower_case() -> None:
    """A client may write them as it likes; the server has one form of each."""
    assert to_server().validate_json(changed(JOIN, username="Ada.L")).username == "Ada.L"  # type: ignore[union-attr]  # it is a join
    said = {"type": "presence", "username": "ada.l", "online": True}
    to_client().validate_json(json.dumps(said))
    with pytest.raises(ValidationError):
        to_client().validate_json(json.dumps({**said, "username": "Ada.L"}))


def test_everything_a_client_may_send_is_bounded() -> None:
    """No string, list, map or number of a command can grow without end."""
    schema = protocol_schema()["$defs"]
    commands = [model.__name__ for model in get_args(messages.ToServer)]
    bodies = [messages.KINDS[kind].__name__ for kind in messages.SENDABLE]
    sent = {name: schema[name] for name in (*commands, *bodies)}
    assert set(re.findall(r"#/\$defs/(\w+)", str(sent))) <= sent.keys()
    assert _unbounded(sent) == []
    assert _unbounded(to_server().json_schema()) == ["Send.properties.kind", "Send.properties.body"]


def test_everything_a_server_may_send_is_bounded() -> None:
    """The same for the other direction, but for what a newer server's events and commands hold."""
    assert _unbounded(to_client().json_schema()) == [
        "AuditEntry.properties.fields",
        "EventMessage.properties.body",
        "PastEvent.properties.body",
    ]


def test_messages_are_frozen() -> None:
    """A message can be shared between threads: nobody changes it."""
    with pytest.raises(ValidationError):
        SEND.cid = "other"  # type: ignore[misc]  # that it must not be is the point


def test_a_sync_may_say_what_it_has_last() -> None:
    """Of any of its rooms that has a position; and a client that says nothing is understood."""
    positions = {"general": 5, "dm:ada:bob": 1, "dm:ada:cem": 0}
    for last in ({}, {"general": CID}, {"dm:ada:bob": CID, "general": "-_" * 8}):
        sync = messages.Sync(id=4, positions=positions, last=last)
        assert to_server().validate_json(changed(SYNC, positions=positions, last=last)) == sync
    assert to_server().validate_json(b'{"type":"sync","id":4,"positions":{"general":0}}') == SYNC


@pytest.mark.parametrize("code", get_args(messages.ErrorCode))
def test_retryable_follows_from_the_code(code: messages.ErrorCode) -> None:
    """Whether trying again helps is a matter of the code alone."""
    error = messages.refusal(code, params={"reason": "x"})
    assert error.retryable == (
        code in {"too_early", "rate_limited", "slow_mode", "busy", "disk_full", "internal"}
    )
    assert error.params == {"reason": "x"}


@pytest.mark.parametrize("character", ["<", "é", "\u202e", "😀", "\t"])
def test_a_text_fits_into_a_frame_however_it_is_escaped(character: str) -> None:
    """Some JSON libraries escape every character; the greatest text is then six times as long."""
    text = character * (limits.TEXT_BYTES // len(character.encode()))
    units = text.encode("utf-16-be").hex()
    escaped = "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
    room = f"dm:{'a' * 32}:{'b' * 32}"
    longest = changed(send(limits.MAX_INTEGER, "TEXT", room=room, after=CID)).decode()
    body = longest.replace("TEXT", "x" + escaped[6 if character != "😀" else 12 :])
    assert isinstance(messages.to_server().validate_json(body), messages.Send)
    assert len(body) + 1 <= limits.FRAME_JSON
