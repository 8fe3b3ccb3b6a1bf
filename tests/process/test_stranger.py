"""What docs/protocol.md promises, kept to a client that was written from it alone."""

import ast
import hashlib
import json
import secrets
import shutil
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.process.harness import House, Server
from tests.process.stranger import (
    EndedError,
    Line,
    RefusedError,
    Stranger,
    WrongServerError,
    new_cid,
    read_link,
)

GENERAL: Final = "general"
Newcomer = Callable[..., Stranger]


@contextmanager
def newcomers(invite: str) -> Iterator[Newcomer]:
    """Make strangers with an invite, who have come in unless asked otherwise."""
    made: list[Stranger] = []

    def make(username: str, display_name: str = "", *, come_in: bool = True) -> Stranger:
        stranger = Stranger(invite, username, display_name)
        made.append(stranger)
        if come_in:
            stranger.come_in()
        return stranger

    try:
        yield make
    finally:
        for stranger in made:
            stranger.hang_up()


@pytest.fixture
def unauthenticated(server: Server) -> Iterator[Newcomer]:
    """Make strangers on a server of this test's own."""
    with newcomers(server.invite) as make:
        yield make


@pytest.fixture
def guest(standing: Server) -> Iterator[Newcomer]:
    """Make strangers on the standing server; each test takes names of its own."""
    with newcomers(standing.invite) as make:
        yield make


def hear(stranger: Stranger, text: str, room: str = GENERAL) -> None:
    """Wait until a stranger has seen a message."""
    stranger.until(lambda: text in stranger.copy(room).texts)


def assert_whole(stranger: Stranger, room: str = GENERAL) -> None:
    """Their copy is a run from 1 without a gap or a repetition."""
    copy = stranger.copy(room)
    assert [event["seq"] for event in copy.events] == list(range(1, copy.position + 1))


def test_the_stranger_knows_nothing_of_the_project() -> None:
    """It imports the standard library alone."""
    tree = ast.parse(Path(__file__).with_name("stranger.py").read_text("utf-8"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "?"]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported
    assert imported <= sys.stdlib_module_names


# --- conversations ----------------------------------------------------------------------------


def test_two_strangers_talk(unauthenticated: Newcomer) -> None:
    """Both have the same events in the same order; nobody is echoed."""
    ada, bruno = unauthenticated("Ada", "Ada  Lindqvist"), unauthenticated("bruno")
    assert (ada.username, ada.display_name) == ("ada", "Ada Lindqvist")
    for number in range(5):
        ada.say(GENERAL, f"question {number}")
        hear(bruno, f"question {number}")
        bruno.say(GENERAL, f"answer {number}")
        hear(ada, f"answer {number}")
    assert ada.copy(GENERAL) == bruno.copy(GENERAL)
    assert_whole(ada)
    joins = ada.copy(GENERAL).events[:2]
    assert [(event["kind"], event["body"]) for event in joins] == [("join", {})] * 2
    assert len({event["cid"] for event in ada.copy(GENERAL).events}) == 12


def test_both_talk_at_once(unauthenticated: Newcomer) -> None:
    """Each one's acknowledgements stand in the stream just where the own events would."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    for number in range(100):
        for stranger in (ada, bruno):
            stranger.post(stranger.write(GENERAL, f"{stranger.username} {number}"))
    ada.until(lambda: ada.copy(GENERAL).position == 202)
    bruno.until(lambda: bruno.copy(GENERAL).position == 202)
    assert (ada.outbox, ada.sent, bruno.outbox, bruno.sent) == ({}, {}, {}, {})
    assert ada.copy(GENERAL) == bruno.copy(GENERAL)


def test_everyone_knows_who_is_there(unauthenticated: Newcomer) -> None:
    """A newcomer is listed, and told to those who are there already; so is who comes and goes."""
    ada = unauthenticated("ada", "Ada")
    bruno = unauthenticated("bruno", "Bruno")
    ada.until(lambda: "bruno" in ada.online)
    assert ada.people == bruno.people
    assert ada.change == bruno.change == ada.people["bruno"]["change"]
    assert ada.online == bruno.online == {"ada", "bruno"}
    bruno.hang_up()
    ada.until(lambda: "bruno" not in ada.online)
    bruno.come_in()
    ada.until(lambda: "bruno" in ada.online)


def test_only_who_is_new_since_is_listed(unauthenticated: Newcomer) -> None:
    """Who knows everyone up to a change is told nobody twice; and all, if the change is unknown."""
    ada = unauthenticated("ada", "Ada")
    unauthenticated("bruno", "Bruno").hang_up()
    ada.until(lambda: "bruno" in ada.people)
    ada.hang_up()
    unauthenticated("clara", "Clara")
    ada.connect()
    ada.sign_in()
    page = ada.ask("list_people", since=ada.change)
    assert page["since"] == ada.change
    assert [person["username"] for person in page["people"]] == ["clara"]
    unknown = ada.ask("list_people", since=ada.change - 1 or 2**53 - 1)
    assert unknown["since"] == 0
    assert [person["username"] for person in unknown["people"]] == ["ada", "bruno", "clara"]
    changes = [person["change"] for person in unknown["people"]]
    assert changes == sorted(changes)


def test_presence_is_told_to_those_who_asked_for_it(unauthenticated: Newcomer) -> None:
    """It is a capability; new accounts are told to everyone."""
    ada = unauthenticated("ada", come_in=False)
    ada.connect(capabilities=["files.v9"])
    ada.join()
    bruno = unauthenticated("bruno")
    assert "presence" in bruno.welcome["capabilities"]
    bruno.hang_up()
    bruno.come_in()
    bruno.say(GENERAL, "I come and go")
    ada.follow(GENERAL)
    hear(ada, "I come and go")
    ada.until(lambda: "bruno" in ada.people)
    ada.settle()
    assert ada.online == set()
    assert ada.list_online() == 1
    assert ada.online == {"ada", "bruno"}


def test_a_direct_room_is_between_two(unauthenticated: Newcomer) -> None:
    """It comes into being with its first message, for these two and nobody else."""
    ada, bruno, clara = unauthenticated("ada"), unauthenticated("bruno"), unauthenticated("clara")
    room = "dm:ada:bruno"
    bruno.say(room, "psst")
    assert bruno.copy(room).texts == ["psst"]
    ada.until(lambda: room in ada.rooms)
    ada.follow(room)
    bruno.follow(room)
    ada.say(room, "yes?")
    hear(bruno, "yes?", room)
    assert ada.copy(room) == bruno.copy(room)
    clara.settle()
    clara.list_rooms()
    assert set(clara.rooms) == {GENERAL}
    assert (ada.rooms[room]["kind"], ada.rooms[GENERAL]["kind"]) == ("direct", "public")
    synced = clara.ask("sync", positions={room: 0, GENERAL: clara.copy(GENERAL).position})
    assert synced["refused"] == {room: "no_such_room"}
    assert set(synced["heads"]) == {GENERAL}


def test_a_new_room_is_told_before_the_acknowledgement(unauthenticated: Newcomer) -> None:
    """To whoever makes it by a message: the room is known when its first place is."""
    ada = unauthenticated("ada")
    unauthenticated("bruno")
    ada.settle()
    ada.post(ada.write("dm:ada:bruno", "psst"))
    told = [ada.line.receive() for _ in range(2)]
    assert [message["type"] for message in told] == ["room", "ack"]
    room = {"room": "dm:ada:bruno", "kind": "direct", "title": None, "head": 0, "slow": 0}
    assert told[0]["room"] == room


def test_another_device_of_the_sender_gets_the_event(unauthenticated: Newcomer) -> None:
    """The one that sent it gets the acknowledgement in its place."""
    ada = unauthenticated("ada")
    other = unauthenticated("ada", come_in=False)
    other.token = ada.token
    other.connect()
    other.sign_in()
    other.follow(GENERAL)
    cid = ada.say(GENERAL, "from the first")
    hear(other, "from the first")
    other.say(GENERAL, "from the second")
    hear(ada, "from the second")
    assert ada.copy(GENERAL) == other.copy(GENERAL)
    assert ada.copy(GENERAL).events[1]["cid"] == cid


def test_what_was_missed_is_caught_up_then_live(unauthenticated: Newcomer) -> None:
    """Several pages, then new events, with neither a hole nor a repetition between them."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    position = bruno.copy(GENERAL).position
    bruno.hang_up()
    long = "äöü\n" * 2000
    for number in range(60):
        ada.post(ada.write(GENERAL, f"{number} {long}"))
    ada.until(lambda: not ada.outbox)
    bruno.connect()
    bruno.sign_in()
    request = bruno.command("sync", positions={GENERAL: position})
    for number in range(60, 90):
        ada.post(ada.write(GENERAL, f"{number} {long}"))
    bruno.answer(request)
    ada.until(lambda: not ada.outbox)
    bruno.until(lambda: bruno.copy(GENERAL).position == ada.copy(GENERAL).position)
    assert bruno.copy(GENERAL) == ada.copy(GENERAL)
    assert_whole(bruno)


def test_a_reader_that_stops_for_a_while_misses_nothing(unauthenticated: Newcomer) -> None:
    """More than the server keeps for a connection is said meanwhile."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    for number in range(20):
        for part in range(30):
            ada.post(ada.write(GENERAL, f"{number}.{part} {'x' * 16000}"))
        ada.until(lambda: not ada.outbox)
    bruno.say(GENERAL, "I am back")
    hear(ada, "I am back")
    bruno.until(lambda: bruno.copy(GENERAL).position == ada.copy(GENERAL).position)
    assert bruno.copy(GENERAL) == ada.copy(GENERAL)
    assert not bruno.outbox


def test_many_people_and_rooms_come_in_pages(unauthenticated: Newcomer, server: Server) -> None:
    """A hundred rooms on each page; together they are all. A thousand people fit on one."""
    ada = unauthenticated("ada")
    names = [f"guest{number:03}" for number in range(120)]
    for name in names:
        guest = Stranger(server.invite, name)
        guest.connect()
        guest.join()
        guest.hang_up()
    assert ada.list_people() == 1
    assert set(ada.people) == {"ada", *names}
    for name in names:
        ada.post(ada.write(f"dm:ada:{name}", "hello"))
    ada.until(lambda: not ada.outbox)
    ada.rooms.clear()
    assert ada.list_rooms() == 2
    assert set(ada.rooms) == {GENERAL, *(f"dm:ada:{name}" for name in names)}
    assert {room["head"] for room in ada.rooms.values()} == {1, 121}


# --- exactly once -----------------------------------------------------------------------------


def test_a_lost_ack_makes_no_second_message(unauthenticated: Newcomer) -> None:
    """The retry with the same cid gets the first answer, and is nobody's news."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    cid = ada.write(GENERAL, "once")
    ada.post(cid)
    hear(bruno, "once")
    event = bruno.copy(GENERAL).events[-1]
    ada.hang_up()  # The answer is never read.
    assert cid in ada.outbox
    ada.connect()
    ada.sign_in()
    ack = ada.answer(ada.post(cid))
    assert {name: ack[name] for name in ("seq", "cid", "sent_at")} == {
        name: event[name] for name in ("seq", "cid", "sent_at")
    }
    ada.follow(GENERAL)
    ada.say(GENERAL, "twice")
    hear(bruno, "twice")
    assert bruno.copy(GENERAL).texts == ["once", "twice"]
    assert ada.copy(GENERAL) == bruno.copy(GENERAL)


def test_an_own_event_settles_the_outbox(unauthenticated: Newcomer) -> None:
    """Who catches up before retrying sees that the message was stored."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    cid = ada.write(GENERAL, "once")
    ada.post(cid)
    hear(bruno, "once")
    ada.hang_up()
    ada.come_in()
    assert cid not in ada.outbox
    assert ada.copy(GENERAL) == bruno.copy(GENERAL)


def test_an_ack_may_be_ahead_of_the_room(unauthenticated: Newcomer) -> None:
    """In a room that was not followed yet the event comes in its turn."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    ada.hang_up()
    bruno.say(GENERAL, "meanwhile")
    ada.connect()
    ada.sign_in()
    cid = ada.say(GENERAL, "early")
    assert cid in ada.sent
    assert "early" not in ada.copy(GENERAL).texts
    ada.follow(GENERAL)
    assert not ada.outbox
    assert not ada.sent
    hear(bruno, "early")
    assert ada.copy(GENERAL) == bruno.copy(GENERAL)


def test_a_cid_is_for_one_message(unauthenticated: Newcomer) -> None:
    """The same with another text, or in another room, is refused for good."""
    ada = unauthenticated("ada")
    unauthenticated("bruno")
    cid = ada.say(GENERAL, "original")
    for room, text in ((GENERAL, "forged"), ("dm:ada:bruno", "original")):
        with pytest.raises(RefusedError) as refused:
            ada.ask("send", room=room, cid=cid, kind="message", body={"text": text})
        assert (refused.value.code, refused.value.error["retryable"]) == ("cid_reused", False)
    assert ada.copy(GENERAL).texts == ["original"]


def test_commands_may_be_under_way_at_once(unauthenticated: Newcomer) -> None:
    """Messages get their places in the order in which they were sent."""
    ada = unauthenticated("ada")
    requests = [ada.post(ada.write(GENERAL, str(number))) for number in range(500)]
    answers = [ada.answer(request) for request in requests]
    assert [answer["seq"] for answer in answers] == list(range(2, 502))
    assert ada.copy(GENERAL).texts == [str(number) for number in range(500)]


def test_a_resumed_session_fences_the_former_one(unauthenticated: Newcomer) -> None:
    """The old connection is told so and ends; what it still says is not stored."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    old = ada.let_go()
    ada.come_in()
    while old.goodbye is None:
        old.receive()
    with suppress(OSError):  # It may be closed by now.
        boo = {"kind": "message", "body": {"text": "boo"}}
        old.send(type="send", id=99, room=GENERAL, cid=new_cid(), **boo)
    assert old.end() == "replaced"
    ada.say(GENERAL, "still me")
    hear(bruno, "still me")
    assert bruno.copy(GENERAL).texts == ["still me"]


def test_a_session_that_is_gone_can_be_resumed(unauthenticated: Newcomer) -> None:
    """Naming it does no harm."""
    ada = unauthenticated("ada")
    ada.session = secrets.token_hex(16)
    ada.come_in()
    ada.say(GENERAL, "here")


# --- getting in -------------------------------------------------------------------------------


def test_a_join_is_repeated_when_its_answer_was_lost(unauthenticated: Newcomer) -> None:
    """The same token enters the account that it made, and nobody joins twice."""
    bruno = unauthenticated("bruno")
    ada = unauthenticated("ada", come_in=False)
    ada.connect()
    ada.command(
        "join",
        secret=ada.link.secret,
        username="ada",
        display_name="Ada",
        token=ada.token,
        device="stranger",
        installation="0" * 32,
    )
    bruno.until(lambda: "ada" in bruno.people)
    ada.hang_up()
    ada.come_in()
    joins = [event["sender"] for event in ada.copy(GENERAL).events]
    assert joins == ["bruno", "ada"]


def test_a_second_device_joins_with_an_invite_for_it(unauthenticated: Newcomer) -> None:
    """Under another token it is the same account; signed out, it is told so and not let in."""
    ada = unauthenticated("ada")
    ada.say(GENERAL, "from my laptop")
    made = ada.ask("add_device")
    assert "join?as=ada&" in made["link"]
    phone = unauthenticated("ada", come_in=False)
    phone.link = read_link(made["link"])
    phone.come_in()
    hear(phone, "from my laptop")
    added = ada.line.receive()
    while added["type"] != "device_added":
        added = ada.line.receive()
    listed = ada.ask("list_devices")["devices"]
    assert {each["device"]: each["current"] for each in listed} == {
        hashlib.sha256(bytes.fromhex(each.token)).hexdigest()[:16]: each is ada
        for each in (ada, phone)
    }
    ada.ask("remove_device", device=added["device"]["device"])
    with pytest.raises(EndedError):
        phone.until(lambda: False)
    assert phone.line.goodbye is not None
    assert phone.line.goodbye["code"] == "device_removed"
    phone.connect()
    with pytest.raises(RefusedError) as refused:
        phone.sign_in()
    assert refused.value.error["code"] == "not_recognized"
    assert _refusal(phone) == ("invite_used", "secret")
    (invite,) = ada.ask("list_invites")["invites"]
    assert (invite["kind"], invite["ended"], invite["uses"]) == ("device", "used", 1)


def test_who_is_refused_may_try_again_on_the_same_connection(guest: Newcomer) -> None:
    """A taken name, whatever its case; a wrong secret; a name of nothing; then a good one."""
    early = guest("early")
    late = guest("EARLY", come_in=False)
    late.connect()
    good, late.link = late.link, replace(late.link, secret="x" * 22)
    assert _refusal(late) == ("bad_secret", "secret")
    late.link = good
    assert _refusal(late) == ("name_taken", "username")
    late.username, late.display_name = "late", " "
    assert _refusal(late) == ("name_refused", "display_name")
    late.username, late.display_name = "la te", "Late"
    assert _refusal(late) == ("malformed", "username")
    late.username, late.token, token = "late", early.token, late.token
    assert _refusal(late) == ("not_recognized", "token")
    late.token = token
    late.join()
    assert late.username == "late"


def _refusal(stranger: Stranger) -> tuple[str, str]:
    with pytest.raises(RefusedError) as refused:
        stranger.join()
    assert refused.value.error["retryable"] is False
    return refused.value.code, refused.value.error["field"]


def test_a_token_opens_its_own_account_alone(guest: Newcomer) -> None:
    """Neither somebody else's account nor one that does not exist."""
    owner = guest("owner")
    guest("neighbour")
    for username in ("neighbour", "nobody"):
        thief = guest(username, come_in=False)
        thief.token = owner.token
        thief.connect()
        with pytest.raises(RefusedError) as refused:
            thief.sign_in()
        assert refused.value.code == "not_recognized"


def test_a_server_shows_which_devices_it_knows(guest: Newcomer) -> None:
    """By the account's own token alone, in any case of the name, and before anybody is in."""
    known = guest("familiar")
    for username, token, knows in (
        ("familiar", known.token, True),
        ("FAMILIAR", known.token, True),
        ("familiar", secrets.token_hex(32), False),
        ("unfamiliar", known.token, False),
    ):
        asking = guest(username, come_in=False)
        asking.token = token
        asking.connect()
        assert asking.is_known() is knows
    known.link = replace(known.link, secret="x" * 22)
    known.connect()
    with pytest.raises(RefusedError) as refused:
        known.is_known()
    assert refused.value.code == "bad_secret"


def test_another_certificate_gets_not_a_byte(guest: Newcomer) -> None:
    """The pin is compared before anything is sent."""
    pinned = guest("pinned", come_in=False)
    good = pinned.link
    assert good.pin is not None
    pinned.link = replace(good, pin=bytes([good.pin[0] ^ 1]) + good.pin[1:])
    with pytest.raises(WrongServerError):
        pinned.come_in()
    pinned.link = good
    pinned.come_in()


def test_a_plaintext_server_speaks_the_same(house: House) -> None:
    """Only without TLS."""
    ada = Stranger(house.server("--plaintext").invite, "ada")
    try:
        assert ada.link.pin is None
        ada.come_in()
        ada.say(GENERAL, "in the clear")
    finally:
        ada.hang_up()


# --- errors -----------------------------------------------------------------------------------


def test_bad_commands_are_answered_and_the_connection_goes_on(guest: Newcomer) -> None:
    """Each with its code and the field that is wrong."""
    ada = guest("mistaken")
    said = {"room": GENERAL, "cid": new_cid(), "kind": "message"}
    for kind, fields, code, place in (
        ("dance", {}, "unknown_type", None),
        ("ping", {"colour": "red"}, "malformed", "colour"),
        ("send", said, "malformed", "body"),
        ("send", {**said, "body": {"text": " \n"}}, "malformed", "body.text"),
        ("send", {**said, "body": {"text": "a\r\n"}}, "malformed", "body.text"),
        ("send", {**said, "body": {"text": "ä" * 8193}}, "too_long", "body.text"),
        ("send", {**said, "kind": "dance", "body": {}}, "unknown_kind", "kind"),
        ("send", {**said, "kind": "join", "body": {}}, "unknown_kind", "kind"),
        ("sync", {"positions": {GENERAL: "1"}}, "malformed", f"positions.{GENERAL}"),
        ("hello", {"protocol": 2, "program": "again"}, "out_of_order", None),
    ):
        with pytest.raises(RefusedError) as refused:
            ada.ask(kind, **fields)
        assert (refused.value.code, refused.value.error["field"]) == (code, place)
        assert refused.value.error["retryable"] is False
    ada.say(GENERAL, "ä" * 8192)


def test_what_has_no_id_gets_an_error_without_one(guest: Newcomer) -> None:
    """Not JSON, not an object, no id."""
    ada = guest("nameless")
    for body in (b"{", b"[]", b'{"type": "ping"}', b'{"type": "ping", "id": 1.0}', b"\xff"):
        ada.line.send_frame(body)
        error = ada.line.receive()
        assert (error["type"], error["re"], error["code"]) == ("error", None, "malformed")
    ada.settle()


def test_rooms_that_can_not_be_are_refused_for_nothing(guest: Newcomer) -> None:
    """However often: these refusals cost nothing."""
    ada = guest("seeker")
    guest("seeker2")
    for _ in range(5):
        for room, code in (
            ("elsewhere", "no_such_room"),
            ("dm:long:long2", "no_such_room"),
            ("dm:seeker2:seeker", "no_such_room"),
            ("dm:seeker:seeker", "no_such_room"),
            ("dm:nobody:seeker", "no_such_person"),
        ):
            cid = ada.say(room, "hello?")
            assert ada.failed.pop(cid) == code
    synced = ada.ask("sync", positions={GENERAL: 9999, "elsewhere": 0})
    assert synced["refused"] == {GENERAL: "position_ahead", "elsewhere": "no_such_room"}
    assert synced["heads"] == {}
    ada.say(GENERAL, "still there")


def test_before_the_greeting_nothing_else_is_allowed(guest: Newcomer, standing: Server) -> None:
    """Then a ping; and everything else only after getting in."""
    line = Line(read_link(standing.invite))
    line.send(type="ping", id=5)
    early = line.receive()
    assert (early["re"], early["code"]) == (5, "out_of_order")
    line.close()
    ada = guest("early.bird", come_in=False)
    ada.connect()
    assert ada.ask("ping")["type"] == "pong"
    with pytest.raises(RefusedError) as refused:
        ada.ask("list_rooms")
    assert refused.value.code == "out_of_order"
    ada.join()


def test_too_many_bad_commands_end_the_connection(guest: Newcomer) -> None:
    """Ten are let pass at once; those of well above that, in one go, are not."""
    ada = guest("clumsy")
    for number in range(10):
        ada.line.send(type="dance", id=number + 1)
    answers = [ada.line.receive() for _ in range(10)]
    assert [answer["code"] for answer in answers] == ["unknown_type"] * 10
    for number in range(10, 40):
        ada.line.send(type="dance", id=number + 1)
    assert ada.line.end() == "violation"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(struct.pack(">I", 4097), id="too-long"),
        pytest.param(struct.pack(">I", 0), id="empty"),
        pytest.param(struct.pack(">I", 25) + b"C", id="reserved-kind"),
    ],
)
def test_a_bad_frame_header_ends_the_connection(standing: Server, header: bytes) -> None:
    """It is answered and said goodbye to, as soon as the header is there."""
    line = Line(read_link(standing.invite))
    line.send_bytes(header)
    error = line.receive()
    assert (error["type"], error["re"], error["code"]) == ("error", None, "malformed")
    assert line.end() == "violation"


def test_frames_may_be_longer_once_signed_in(guest: Newcomer) -> None:
    """A text of the greatest length fits however it is escaped, and 112 KiB are the end."""
    ada, bruno = guest("long"), guest("long2")
    for character, escaped in (("<", r"\u003c"), ("é", r"\u00e9"), ("😀", r"\ud83d\ude00")):
        text = character * (16384 // len(character.encode()))
        said = {"type": "send", "id": 7000, "room": GENERAL, "cid": new_cid(), "kind": "message"}
        fields = json.dumps({**said, "body": {"text": "TEXT"}}).encode()
        body = fields.replace(b"TEXT", escaped.encode() * len(text))
        ada.line.send_bytes(struct.pack(">IB", len(body) + 1, ord("J")) + body)
        hear(bruno, text)
    for text in ('"' * 16384, "\N{GRINNING FACE}" * 4096):
        ada.say(GENERAL, text)
        hear(bruno, text)
    ada.line.send_bytes(struct.pack(">I", 114689))
    assert ada.line.end() == "violation"


# --- the server's end, and its other lives ----------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to be polite with")
def test_a_server_that_ends_says_goodbye_to_all(unauthenticated: Newcomer, server: Server) -> None:
    """Signed in or not; and what was acknowledged is there in its next life."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    waiting = unauthenticated("clara", come_in=False)
    waiting.connect()
    ada.say(GENERAL, "last words")
    server.child.process.send_signal(signal.SIGTERM)
    for stranger in (ada, bruno, waiting):
        assert stranger.line.end() == "server_closing"
    assert server.child.status() == 0
    server.start()
    ada.come_in()
    bruno.come_in()
    assert bruno.copy(GENERAL).texts == ["last words"]
    assert ada.copy(GENERAL) == bruno.copy(GENERAL)


def test_a_killed_server_comes_back_with_everything(
    unauthenticated: Newcomer, server: Server
) -> None:
    """What waited in the outbox is sent again and stored once."""
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    for number in range(200):
        ada.post(ada.write(GENERAL, str(number)))
    ada.until(lambda: len(ada.outbox) <= 150)
    server.kill()
    with pytest.raises((EndedError, OSError)):
        ada.until(lambda: False)
    bruno.line.end()
    server.start()
    ada.come_in()
    bruno.come_in()
    assert not ada.outbox
    assert ada.copy(GENERAL) == bruno.copy(GENERAL)
    assert sorted(map(int, ada.copy(GENERAL).texts)) == list(range(200))
    assert_whole(ada)


def test_a_new_epoch_makes_a_full_resync(unauthenticated: Newcomer, server: Server) -> None:
    """The log was lost, the identity was not: the copies go, and the account is made again."""
    ada = unauthenticated("ada")
    ada.say(GENERAL, "of the old log")
    epoch = ada.epoch
    server.kill()
    for file in server.data_dir.glob("chat.db*"):
        file.unlink()
    server.start()
    ada.hang_up()
    ada.link = read_link(server.invite)
    ada.connect()
    assert ada.epoch != epoch
    assert not ada.copies
    with pytest.raises(RefusedError) as refused:
        ada.sign_in()
    assert refused.value.code == "not_recognized"
    ada.join()
    ada.follow(GENERAL)
    ada.say(GENERAL, "of the new log")
    assert ada.copy(GENERAL).texts == ["of the new log"]


def test_a_server_that_was_set_back_is_followed(
    unauthenticated: Newcomer, server: Server, tmp_path: Path
) -> None:
    """The room ends before one's position: its copy is fetched again from the start."""
    ada = unauthenticated("ada")
    ada.say(GENERAL, "kept")
    with set_back(server, tmp_path):
        ada.come_in()
        ada.say(GENERAL, "lost")
    ada.come_in()
    ada.say(GENERAL, "after")
    assert ada.copy(GENERAL).texts == ["kept", "after"]
    assert_whole(ada)


@contextmanager
def set_back(server: Server, folder: Path) -> Iterator[None]:
    """What is done in the block is gone after it: the data is as before, and so is the epoch."""
    server.kill()
    backup = folder / "backup"
    shutil.copytree(server.data_dir, backup, ignore=shutil.ignore_patterns("ctl"))
    server.start()
    yield
    server.kill()
    shutil.rmtree(server.data_dir)
    shutil.copytree(backup, server.data_dir)
    server.start()


def test_people_of_another_history_are_forgotten(
    unauthenticated: Newcomer, server: Server, tmp_path: Path
) -> None:
    """Whose joining a restored backup took away: nobody knows them, though others came since."""
    ada = unauthenticated("ada")
    with set_back(server, tmp_path):
        unauthenticated("clara", "Clara")
        ada.come_in()
        assert set(ada.people) == {"ada", "clara"}
    unauthenticated("dora", "Dora")
    known = ada.change
    ada.connect()
    ada.sign_in()
    assert ada.ask("list_people", since=known)["since"] == 0
    ada.list_people()
    assert set(ada.people) == {"ada", "dora"}
    assert ada.change not in {0, known}


@pytest.mark.parametrize("more", [0, 1, 2])
def test_a_copy_that_was_overtaken_is_started_over(
    unauthenticated: Newcomer, server: Server, tmp_path: Path, more: int
) -> None:
    """The room has grown to one's position, or past it, with other things: `last` tells.

    Bruno comes back first. What Ada still has to send is sent before she asks for anything: its
    acknowledgement may follow her position by chance, and must not be taken for the next event.
    """
    ada, bruno = unauthenticated("ada"), unauthenticated("bruno")
    ada.say(GENERAL, "kept")
    with set_back(server, tmp_path):
        for person in (ada, bruno):
            person.come_in()
            person.say(GENERAL, f"gone {person.username}")
        hear(ada, "gone bruno")
        bruno.settle()
    bruno.come_in()
    for number in range(2 + more):
        bruno.say(GENERAL, f"instead {number}")
    ada.write(GENERAL, "waiting")
    ada.connect()
    ada.sign_in()
    ada.send_outbox()
    ada.follow(GENERAL)
    hear(bruno, "waiting")
    assert not ada.outbox
    assert ada.copy(GENERAL) == bruno.copy(GENERAL)
    said = [f"instead {number}" for number in range(2 + more)]
    assert ada.copy(GENERAL).texts == ["kept", *said, "waiting"]
    assert_whole(ada)


def test_without_last_a_server_believes_a_position(guest: Newcomer) -> None:
    """A client of before, or one that begins in the middle; and `last` alone means nothing."""
    ada = guest("believed")
    ada.say(GENERAL, "something")
    position = ada.copy(GENERAL).position
    ada.hang_up()
    ada.connect()
    ada.sign_in()
    for last in ({GENERAL: new_cid()}, {"dm:believed:nobody": new_cid()}):
        with pytest.raises(RefusedError) as refused:
            ada.ask("sync", positions={GENERAL: 0}, last=last)
        assert (refused.value.code, refused.value.error["field"]) == ("malformed", "last")
    synced = ada.ask("sync", positions={GENERAL: position}, last={GENERAL: new_cid()})
    assert (synced["heads"], synced["refused"]) == ({}, {GENERAL: "position_ahead"})
    synced = ada.ask("sync", positions={GENERAL: position})
    assert synced["heads"][GENERAL] >= position
