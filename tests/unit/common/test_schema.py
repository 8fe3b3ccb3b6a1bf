"""docs/protocol.md and docs/protocol.schema.json say what the models say."""

import json
import re
import typing
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from chat_server.net import connection, unauthenticated
from chat_server.rules import admission, invites, world
from common import limits
from common.domain.dns_sd import Advert, announcement
from common.domain.invite import InviteError, parse_invite
from common.domain.names import ROOM_PATTERN
from common.domain.pasted_invite import find_invite
from common.protocol import messages, schema
from common.protocol.codec import ClientEnd, Phase, ServerEnd, Violation
from common.protocol.events import Event
from common.protocol.frames import encode_frame
from common.protocol.messages import Hello, to_client, to_server

DOCS: Final = Path(__file__).parents[3] / "docs"
PAGE: Final = (DOCS / "protocol.md").read_text("utf-8")
_BLOCK: Final = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION: Final = re.compile(r"^### `(?P<type>\w+)` \((?P<way>to the \w+)\)\n", re.MULTILINE)
_TO_SERVER: Final[dict[str, type[BaseModel]]] = {
    model.model_fields["type"].default: model for model in typing.get_args(messages.ToServer)
}
_TO_CLIENT: Final[dict[str, type[BaseModel]]] = {
    model.model_fields["type"].default: model for model in typing.get_args(messages.ToClient)
}


def blocks(info: str) -> list[str]:
    """The fenced blocks of the page with this info string."""
    return [match["body"] for match in _BLOCK.finditer(PAGE) if match["info"] == info]


def sections() -> list[tuple[str, str, str]]:
    """Each message's section: its type, its way and what it says."""
    found = []
    for match in _SECTION.finditer(PAGE):
        body = re.split(r"^##+ ", PAGE[match.end() :], maxsplit=1, flags=re.MULTILINE)[0]
        found.append((match["type"], match["way"], body))
    return found


def table(text: str, head: str) -> dict[str, list[str]]:
    """The first table whose head begins so: its rows by their first cell."""
    rows: dict[str, list[str]] = {}
    for line in text[text.index(f"| {head} |") :].splitlines()[2:]:
        if not line.startswith("|"):
            break
        name, *rest = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert name not in rows, name
        rows[name] = rest
    return rows


def dumped(message: BaseModel, *, full: bool) -> Any:
    """A message as JSON has it."""
    return message.model_dump(mode="json", exclude_unset=not full)


def properties(definition: dict[str, Any]) -> dict[str, Any]:
    """The fields of a definition of the schema."""
    fields: dict[str, Any] = definition["properties"]
    return fields


def definitions() -> dict[str, Any]:
    """Every model of the schema: the messages and what is within them."""
    found = schema.protocol_schema()["$defs"]
    return {name: found[name] for name in found if name not in {"ToServer", "ToClient"}}


# --- the schema -------------------------------------------------------------------------------


def test_the_committed_schema_is_current() -> None:
    """If not: python -m common.protocol.schema > docs/protocol.schema.json."""
    assert (DOCS / "protocol.schema.json").read_bytes() == schema.text().encode()


def test_the_schema_comes_out_the_same_every_time() -> None:
    """Two calls give one text, which is ASCII and ends with a newline."""
    assert schema.text() == schema.text()
    assert schema.text().isascii()
    assert schema.text().endswith("}\n")


def test_the_schema_has_every_message_of_both_ways() -> None:
    """Each union names its messages by their type, and each is defined with all its fields."""
    definitions = schema.protocol_schema()["$defs"]
    for union, models in (("ToServer", _TO_SERVER), ("ToClient", _TO_CLIENT)):
        mapping = definitions[union]["discriminator"]["mapping"]
        assert set(mapping) == set(models)
        for name, reference in mapping.items():
            definition = definitions[reference.rpartition("/")[2]]
            assert set(properties(definition)) == set(models[name].model_fields)


def test_the_schema_says_where_there_may_be_more() -> None:
    """To the client everywhere; to the server in `hello` alone. And as it says it is."""
    for name, definition in definitions().items():
        model = getattr(messages, name)
        is_open = issubclass(model, messages.FromServer) or model is Hello
        assert definition["additionalProperties"] is is_open, name
        assert (model.model_config["extra"] == "ignore") is is_open, name


def test_the_schema_says_which_fields_are_always_there() -> None:
    """To the client all of them; to the server those without a default, and the type."""
    for name, definition in definitions().items():
        model = getattr(messages, name)
        always = set(model.model_fields)
        if not issubclass(model, messages.FromServer):
            always = {field for field, info in model.model_fields.items() if info.is_required()}
            always |= {"type"} & set(model.model_fields)
        assert set(definition["required"]) == always, name


def test_the_schema_names_the_values_that_may_grow() -> None:
    """Kinds and codes are open: any name will do, of which the page has those that are known."""
    name = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,31}$"}
    found = definitions()
    for model, known in (("Error", messages.ErrorCode), ("Goodbye", messages.GoodbyeCode)):
        enumeration = {"type": "string", "enum": list(typing.get_args(known))}
        assert properties(found[model])["code"] == {"anyOf": [enumeration, name]}
    event = properties(found["EventMessage"])
    assert (event["kind"], properties(found["Room"])["kind"]) == (name, name)
    assert event["body"] == {"type": "object", "additionalProperties": True}
    (reason,) = properties(found["Synced"])["refused"]["patternProperties"].values()
    assert reason == name
    # But what is sent to the server is of a kind that it knows.
    send = properties(found["Send"])
    assert send["kind"] == {"type": "string", "enum": sorted(messages.SENDABLE)}
    bodies = {"message": {"$ref": "#/$defs/MessageBody"}}
    assert found["Send"]["oneOf"] == [
        {"properties": {"kind": {"const": kind}, "body": bodies[kind]}}
        for kind in sorted(messages.SENDABLE)
    ]


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    """A reader that resolves `$ref` never fails."""
    content = schema.protocol_schema()
    references = re.findall(r"#/\$defs/(\w+)", json.dumps(content))
    assert references
    assert set(references) <= set(content["$defs"])


# --- the examples -----------------------------------------------------------------------------


def test_every_json_block_says_what_it_is() -> None:
    """No example escapes the tests below."""
    infos = {match["info"] for match in _BLOCK.finditer(PAGE)}
    assert infos == {
        "", "invite", "hex", "hex advert", "session",
        "json pasted", "json to-server", "json to-client", "json refused", "json answer",
    }  # fmt: skip


@pytest.mark.parametrize("body", blocks("json to-server"))
def test_a_command_of_the_page_is_valid(body: str) -> None:
    """It is what the models read, field for field."""
    assert dumped(to_server().validate_json(body), full=False) == json.loads(body)


@pytest.mark.parametrize("body", blocks("json to-client") + blocks("json answer"))
def test_a_message_to_the_client_is_just_what_the_server_sends(body: str) -> None:
    """It has every field, also those that are null."""
    assert dumped(to_client().validate_json(body), full=True) == json.loads(body)


def test_every_message_has_an_example() -> None:
    """One at least, in the section of its own."""
    shown = {(kind, json.loads(body)["type"]) for kind in ("to-server", "to-client")
             for body in blocks(f"json {kind}")}  # fmt: skip
    wanted = {("to-server", name) for name in _TO_SERVER} | {
        ("to-client", name) for name in _TO_CLIENT
    }
    assert shown == wanted


@pytest.mark.parametrize("body", blocks("json refused"))
def test_a_refused_example_is_refused(body: str) -> None:
    """The page shows it as wrong, and it is."""
    with pytest.raises(ValidationError):
        to_server().validate_json(body)


def test_the_answers_of_the_page_are_the_real_ones() -> None:
    """A refused block that an answer follows gets that answer."""
    pairs = re.findall(
        r"```json refused\n(.*?)```\s*(?:```json answer\n(.*?)```)?", PAGE, re.DOTALL
    )
    answered = [(refused, answer) for refused, answer in pairs if answer]
    assert len(answered) == len(blocks("json answer"))
    for refused, answer in answered:
        (violation,) = ServerEnd().receive(encode_frame(refused.encode()))
        assert isinstance(violation, Violation)
        assert not violation.fatal
        assert dumped(violation.error, full=True) == json.loads(answer)


def test_the_frame_in_hex_is_the_frame_of_its_command() -> None:
    """Byte for byte."""
    (body,) = blocks("hex")
    (command,) = re.findall(r"The command `(\{.*?\})` is (\d+) bytes long", PAGE)
    assert bytes.fromhex(body) == encode_frame(command[0].encode())
    assert len(command[0]) == int(command[1])


def test_the_invite_of_the_page_is_one() -> None:
    """It parses, and making it again gives the same text."""
    (body,) = blocks("invite")
    invite = parse_invite(body)
    assert invite.link() == body.strip()
    assert invite.server_name == "Home & Garden"
    assert invite.hosts == ("192.168.1.20", "fd00::20", "127.0.0.1")
    told = [json.loads(block) for block in blocks("json to-client")]
    (link,) = [message["link"] for message in told if message["type"] == "invite"]
    assert parse_invite(link).link() == link


def test_the_advert_of_the_page_is_what_is_sent() -> None:
    """Byte for byte, for the server of the invite."""
    invite = parse_invite(blocks("invite")[0])
    assert invite.fingerprint is not None
    advert = Advert(invite.fingerprint, invite.server_name, invite.port)
    (body,) = blocks("hex advert")
    assert bytes.fromhex(body) == announcement(advert, invite.hosts[:2])
    assert f"`{advert.label.decode()}.local`" in PAGE


PASTED: Final[list[tuple[str, str | None]]] = json.loads(blocks("json pasted")[0])
_ALSO: Final = {
    "a number": (" ".join(["chat&#58;//x", PASTED[0][0]]), PASTED[0][1]),
    "nothing": ("", None),
}
"""Neighbours of those on the page."""


@pytest.mark.parametrize(("text", "link"), [*PASTED, *_ALSO.values()])
def test_what_is_pasted_gives_the_link_of_the_page(text: str, link: str | None) -> None:
    """Or is refused. A link that is found stands for itself, too."""
    if link is None:
        with pytest.raises(InviteError):
            find_invite(text)
        return
    assert find_invite(text).link() == link
    assert find_invite(link).link() == parse_invite(link).link() == link


def test_the_page_has_links_to_take_and_to_refuse() -> None:
    """Enough of both, and none twice."""
    assert len({text for text, _ in PASTED}) == len(PASTED) >= 10
    assert sum(link is None for _, link in PASTED) >= 3


@pytest.mark.parametrize("session", blocks("session"))
def test_both_ends_agree_to_the_sessions_of_the_page(session: str) -> None:
    """Each line is valid in the phase in which it is said. A later part goes on signed in."""
    server, client = ServerEnd(), ClientEnd()
    if json.loads(session.splitlines()[0][2:])["type"] != "hello":
        _sign_in(server, client)
    for line in session.splitlines():
        who, text = line[0], line[2:]
        if who == "C":
            command = to_server().validate_json(text)
            assert list(server.receive(client.send(command))) == [command]
        else:
            message = to_client().validate_json(text)
            assert dumped(message, full=True) == json.loads(text)
            (heard,) = client.receive(server.send(message))
            if isinstance(heard, Event):
                assert heard.known
                assert heard._asdict() == message.model_dump(exclude={"type"})
            else:
                assert heard == message


def _sign_in(server: ServerEnd, client: ClientEnd) -> None:
    line = blocks("session")[0].splitlines()
    for command, reply in ((line[0], line[1]), (line[2], line[3])):
        list(server.receive(client.send(to_server().validate_json(command[2:]))))
        list(client.receive(server.send(to_client().validate_json(reply[2:]))))
    assert server.phase is client.phase is Phase.READY


def test_the_sessions_of_the_page_leave_no_gap() -> None:
    """Followed as sections 9 and 10 say, every room's events and acks count up from 1."""
    positions: dict[str, int] = {}
    cids: dict[str, str] = {}
    synced: set[str] = set()
    for line in "".join(blocks("session")).splitlines():
        said = json.loads(line[2:])
        match said["type"]:
            case "hello":
                synced.clear()
            case "sync":
                assert said["positions"] == {
                    room: positions.get(room, 0) for room in said["positions"]
                }
                assert said.get("last", {}) == {
                    room: cids[room] for room in said["positions"] if room in cids
                }
            case "synced":
                synced |= said["heads"].keys()
            case "ack" if positions.get(said["room"]) and said["room"] not in synced:
                pass
            case "event" | "ack":
                assert said["seq"] == positions.get(said["room"], 0) + 1, line
                positions[said["room"]] = said["seq"]
                cids[said["room"]] = said["cid"]
    assert positions == {"general": 6, "dm:ada:bruno": 2}


# --- the tables -------------------------------------------------------------------------------


def test_every_message_has_a_section() -> None:
    """One for each message and way, and none for anything else."""
    found = sorted((way, name) for name, way, _ in sections())
    wanted = [("to the client", name) for name in _TO_CLIENT]
    wanted += [("to the server", name) for name in _TO_SERVER]
    assert found == sorted(wanted)


@pytest.mark.parametrize(("name", "way", "body"), sections(), ids=lambda value: value[:12])
def test_a_field_table_has_the_fields_of_the_message(name: str, way: str, body: str) -> None:
    """All of them but the type, and no other."""
    model = (_TO_SERVER if way == "to the server" else _TO_CLIENT)[name]
    fields = {cell.strip("`") for cell in table(body, "Field | Form | Meaning")}
    assert fields == set(model.model_fields) - {"type"}


@pytest.mark.parametrize(("name", "way", "body"), sections(), ids=lambda value: value[:12])
def test_a_field_table_says_what_is_optional(name: str, way: str, body: str) -> None:
    """Optional, and only that, is a field of a command that has a default."""
    if way == "to the server":
        rows = table(body, "Field | Form | Meaning")
        optional = {cell.strip("`") for cell, (form, *_) in rows.items() if "optional" in form}
        fields = _TO_SERVER[name].model_fields
        assert optional == {field for field, info in fields.items() if not info.is_required()} - {
            "type"
        }


def test_every_error_code_is_explained() -> None:
    """With whether it is retryable."""
    rows = table(PAGE, "Code | Retryable | When")
    codes = {name.strip("`"): cells[0] == "yes" for name, cells in rows.items()}
    assert codes == {
        code: code in messages.RETRYABLE for code in typing.get_args(messages.ErrorCode)
    }


def test_every_goodbye_code_is_explained() -> None:
    """With what the client does after it."""
    rows = table(PAGE, "Code | When | What the client does")
    assert {name.strip("`") for name in rows} == set(typing.get_args(messages.GoodbyeCode))


def test_the_limits_of_the_page_are_the_real_ones() -> None:
    """Number for number, in the order of the table."""
    rows = table(PAGE, "What | Limit")
    assert [float(limit.split()[0]) for (limit,) in rows.values()] == [
        limits.DEFAULT_PORT,
        limits.FRAME_BEFORE_SIGN_IN,
        limits.FRAME_JSON,
        limits.TEXT_BYTES,
        limits.USERNAME_LENGTH,
        limits.KIND_LENGTH,
        limits.CID_LENGTH,
        limits.DISPLAY_NAME_LENGTH,
        limits.SERVER_NAME_LENGTH,
        limits.TITLE_LENGTH,
        limits.PROGRAM_LENGTH,
        limits.REASON_LENGTH,
        limits.CAPABILITIES,
        limits.PAGE_PEOPLE,
        limits.PAGE_PEOPLE_BYTES,
        limits.PAGE_ONLINE,
        limits.PAGE_ROOMS,
        limits.PAGE_HISTORY,
        limits.PAGE_HISTORY_BYTES,
        limits.PAGE_CLIENTS,
        limits.PAGE_SANCTIONS,
        limits.PAGE_AUDIT,
        limits.PAGE_INVITES,
        limits.INVITE_NOTE_LENGTH,
        limits.INVITE_USES,
        invites.MOST_INVITES,
        limits.INVITE_LIFE,
        limits.SHORTEST_INVITE_LIFE,
        limits.LONGEST_INVITE_LIFE,
        limits.DEVICE_INVITE_LIFE,
        limits.DEVICES,
        limits.PAGE_DEVICES,
        limits.PARAMS,
        limits.INVITE_LENGTH,
        limits.PROOFS,
        limits.POSITIONS,
        limits.MAX_INTEGER,
        limits.MAX_TIME,
        limits.MAX_WAIT,
        limits.HANDSHAKE_DEADLINE,
        limits.SIGN_IN_DEADLINE,
        limits.PING_INTERVAL,
        limits.SILENCE_DEADLINE,
        connection.UNANSWERED_LIMIT,
        unauthenticated.MAX_UNAUTHENTICATED,
        connection.FIRST_COMMANDS,
        connection.BURST,
        connection.RATE,
        world.DIRECT_ROOM_BURST,
        world.DEVICE_INVITE_BURST,
        limits.RENAMES,
        limits.JOINS_PER_MINUTE,
        world.JOINS_OF_AN_ADDRESS,
        limits.MESSAGE_RATE * limits.MESSAGE_BURST,
        limits.MESSAGE_RATE,
        limits.MAX_SLOW,
        connection.SEND_QUEUE_LIMIT,
        connection._VIOLATIONS,
        connection.GOODBYE_DEADLINE,
    ]


def test_the_patterns_of_the_page_are_the_real_ones() -> None:
    """Every pattern in the page stands in the schema; the room's is split in two for reading."""
    shown = set(re.findall(r"`(\^[^`]*\$)`", PAGE))
    content = json.dumps(schema.protocol_schema())
    for pattern in shown - {"^[a-z0-9][a-z0-9._-]{0,31}$"}:
        assert json.dumps(pattern)[1:-1] in content, pattern
    assert ROOM_PATTERN.startswith("^(?:[a-z0-9][a-z0-9._-]{0,31}|")


def test_the_adapters_are_what_the_page_is_checked_against() -> None:
    """A field too many is refused, or left out, so the tests above can fail."""
    more = json.dumps({**dumped(messages.Ping(id=1), full=True), "more": 1})
    with pytest.raises(ValidationError):
        to_server().validate_json(more)
    samples: tuple[tuple[TypeAdapter[Any], BaseModel], ...] = (
        (to_server(), Hello(id=1, protocol=2, program="x")),
        (to_client(), messages.refusal("busy")),
    )
    for adapter, sample in samples:
        fields = {**dumped(sample, full=True), "more": 1}
        assert dumped(adapter.validate_json(json.dumps(fields)), full=True) != fields


def test_the_kinds_of_the_page_are_those_of_the_registry() -> None:
    """Each with what its body holds."""
    rows = table(PAGE, "`kind` | What happened | `body` | Added by")
    assert {name.strip("`") for name in rows} == set(messages.KINDS)
    for name, model in messages.KINDS.items():
        body = rows[f"`{name}`"][1].partition(" (")[0]
        assert set(re.findall(r"`(\w+)`", body)) == set(model.model_fields)


def test_the_capabilities_of_the_page_are_the_servers() -> None:
    """All of them."""
    rows = table(PAGE, "Capability | What it means")
    assert {name.strip("`") for name in rows} == admission.CAPABILITIES
