"""What a listener prints of each event, and what it counts."""

from __future__ import annotations

import json
import re

import pytest

from chat_client.listening import _Printer
from chat_client.options import Options
from common.protocol.events import JOIN, MESSAGE, Event, PartOfBody, UnknownBody
from tests.events import TIME, cid_of, deleted, joined, said

BODY = {"parts": [{"bold": "relay"}, None, 1.5]}


def unknown(seq: int, kind: str = "poll") -> Event:
    """Something of a newer version."""
    return Event("general", seq, kind, "ada", TIME, cid_of(seq), UnknownBody(BODY))


def everything(_: Event) -> bool:
    """Want all of them."""
    return True


def printed(printer: _Printer, event: Event, capsys: pytest.CaptureFixture[str]) -> str:
    """What is printed of one, with nothing before it."""
    printer.event(event)
    return capsys.readouterr().out


def test_each_event_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not understood, too: whoever reads along sees that something is missing."""
    printer = _Printer(Options(), everything)
    newer = "ada did something that only a newer ChatClient can show\n"
    for event, line in (
        (said(1, text="hello\nthere"), "ada: hello\n    there\n"),
        (joined(2), "ada joined\n"),
        (deleted(2), "ada left: the account was deleted\n"),
        (said(2).without_text(), "ada’s message was removed\n"),
        (unknown(3), newer),
        (unknown(4, MESSAGE), newer),
        (unknown(5, JOIN), newer),
    ):
        out = printed(printer, event, capsys)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d " + re.escape(line), out)


def test_a_program_gets_it_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json`: it may know what this version does not."""
    printer = _Printer(Options(json=True), everything)
    for event in (said(1), joined(2), unknown(3), unknown(4, MESSAGE)):
        out = json.loads(printed(printer, event, capsys))
        assert out == {**event._asdict(), "body": dict(event.body)}
    whole = {"text": "hi", "reply_to": 7}
    event = said(5)._replace(body=PartOfBody({"text": "hi"}, whole))
    assert json.loads(printed(printer, event, capsys))["body"] == whole


def test_only_messages_count(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--limit` it goes on until so many were said."""
    printer = _Printer(Options(limit=2), everything)
    events = [joined(1), said(2), unknown(3), unknown(4, MESSAGE), said(5)]
    assert [printer.event(event) for event in events] == [True, True, True, True, False]
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_of_several_rooms_each_line_names_its_room(capsys: pytest.CaptureFixture[str]) -> None:
    """As it is named to `--room`."""
    printer = _Printer(Options(), everything, "ada")
    for room, address in (("general", "general"), ("dm:ada:bob", "@bob")):
        out = printed(printer, said(1, "bob", "hello", room=room), capsys)
        assert out.endswith(f" {address} bob: hello\n")


def test_what_is_not_wanted_is_neither_printed_nor_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With `--limit` it goes on until so many of the wanted ones were said."""
    printer = _Printer(Options(limit=1), lambda event: event.sender == "bob")
    assert printer.event(said(1, "ada"))
    assert not printer.event(said(2, "bob"))
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_former_member_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    """For people; a program gets the username, by which the events belong together."""
    gone = {"ada"}
    printer = _Printer(Options(), everything, None, gone.__contains__)
    assert printed(printer, said(1), capsys).endswith(" Former member: hello\n")
    assert printed(printer, said(2, "bob"), capsys).endswith(" bob: hello\n")
    printer = _Printer(Options(json=True), everything, None, gone.__contains__)
    assert json.loads(printed(printer, said(3), capsys))["sender"] == "ada"
