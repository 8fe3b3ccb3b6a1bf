"""What only a newer program understands, through a real server, the core and the window."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest

from chat_client.cache.pages import CacheReader
from chat_client.state import news
from chat_client.state.status import Link
from chat_client.window.transcript import drawing
from chat_client.window.transcript.drawing import Drawing
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.ids import new_cid
from common.protocol.messages import KINDS, Message
from tests.gui.client.test_find import found, look_for, note
from tests.gui.harness import Host, Peer, Town, Window

LINE = "Bruno Okafor did something that only a newer ChatClient can show"
DIRECT = "dm:ada.lindqvist:bruno.okafor"
POLL = {"question": "Lunch?", "answers": ["relay", "soup"]}
OTHER_FORM = {"parts": [{"bold": "relay"}]}


class NoticeBody(Message):
    """Of a kind that a newer version has."""

    text: messages.Text


class PollBody(Message):
    """Of another one."""

    question: str
    answers: tuple[str, ...]


class PartsBody(Message):
    """The body of a message as a newer version has it."""

    text: str = ""
    parts: tuple[dict[str, str], ...] = ()


def happen(host: Host, *events: tuple[str, Mapping[str, Any]], room: str = GENERAL) -> None:
    """Bruno does things by a newer program, on a newer server, which is the present one then."""
    host.stop()
    database = sqlite3.connect(next(host.data_dir.glob("*.db")))
    (room_number,) = database.execute("SELECT number FROM rooms WHERE room = ?", (room,)).fetchone()
    (sender,) = database.execute(
        "SELECT number FROM accounts WHERE username = 'bruno.okafor'"
    ).fetchone()
    for kind, body in events:
        (head, at) = database.execute(
            "SELECT max(seq), max(sent_at) FROM events WHERE room = ?", (room_number,)
        ).fetchone()
        database.execute(
            "INSERT INTO events (room, seq, kind, sender, sent_at, cid, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (room_number, head + 1, kind, sender, at + 1, new_cid(), json.dumps(body)),
        )
    database.commit()
    database.close()
    host.start()


def back(host: Host, ada: Window, bruno: Peer) -> None:
    """Both are connected to the server that was started again, and ada has what happened there.

    What is said while she still catches up would stand below a line of unread messages.
    """
    database = sqlite3.connect(next(host.data_dir.glob("*.db")))
    heads = dict(
        database.execute(
            "SELECT rooms.room, max(seq) FROM events JOIN rooms ON rooms.number = events.room"
            " GROUP BY events.room"
        )
    )
    database.close()

    def has_all() -> bool:
        reader = reader_of(ada)
        return all(
            (latest := reader.latest(room, 1)) and latest[0].seq == head
            for room, head in heads.items()
        )

    ada.main.view.connect()
    ada.online()
    ada.wait(has_all, "what happened")
    bruno.core.connect_now()
    bruno.until(lambda: bruno.link is Link.ONLINE, "Bruno online")


def shown(ada: Window) -> list[str]:
    """The lines of the message list, without the times."""
    return [re.sub(r" *(· )?\d\d:\d\d$", "", line.strip()) for line in ada.lines]


def reader_of(ada: Window) -> CacheReader:
    """What is kept."""
    return ada.main._session.reader


def open_again(town: Town, ada: Window) -> Window:
    """The next run of the program, in the same folder."""
    folder = ada.program.data_dir
    ada.close()
    return town.window(data_dir=folder).online()


def test_it_has_a_quiet_line_and_what_follows_comes(host: Host, ada: Window, bruno: Peer) -> None:
    """One line for each, in its place, with the time; nothing of what is in it."""
    bruno.say("before")
    happen(host, ("poll", POLL), ("message", OTHER_FORM))
    back(host, ada, bruno)
    bruno.say("after", "and on")
    ada.wait(lambda: "and on" in ada.lines, "what follows")
    assert shown(ada)[3:] == [
        "Bruno Okafor",
        "before",
        LINE,
        LINE,
        "Bruno Okafor",
        "after",
        "and on",
    ]
    text = ada.messages
    for number, line in enumerate(ada.lines, 1):
        if LINE in line:
            assert re.fullmatch(re.escape(LINE) + r" · \d\d:\d\d", line)
            assert "note" in text.tag_names(f"{number}.3")
    kept = reader_of(ada).latest(GENERAL, 4)
    assert [event.known for event in kept] == [False, False, True, True]
    assert [event.seq for event in kept] == [4, 5, 6, 7]


def test_it_is_no_unread_message(host: Host, ada: Window, bruno: Peer) -> None:
    """Neither in the sidebar and the title, nor by what is counted at the next start."""
    bruno.say("psst", room=DIRECT)
    ada.click_row(ada.main.sidebar.rooms, DIRECT)
    happen(host, ("poll", POLL), ("message", OTHER_FORM))
    back(host, ada, bruno)
    ada.wait(lambda: reader_of(ada).latest(GENERAL, 1)[0].seq == 4, "it to be kept")
    ada.settle()
    unread = {room.room: room.unread for room in reader_of(ada).rooms("ada.lindqvist")}
    assert unread[GENERAL] == 0
    assert ada.main.overview.all_unread == 0
    assert not ada.title.startswith("(")
    bruno.say("a message")
    ada.wait(lambda: ada.title.startswith("(1) "), "the message to count")


def test_it_is_not_found(host: Host, ada: Window, bruno: Peer) -> None:
    """Neither by what is in it nor by its line: only what people said is looked through."""
    happen(host, ("poll", POLL), ("message", OTHER_FORM))
    back(host, ada, bruno)
    bruno.say("the relay of all")
    ada.wait(lambda: "the relay of all" in ada.lines, "the message")
    look_for(ada, "relay")
    found(ada, "1 of 1")
    ada.key("<Escape>")
    look_for(ada, "newer")
    ada.wait(lambda: note(ada) not in {"", "1 of 1"}, "an end of the search")
    found(ada, "Nothing found")


def test_it_is_copied_as_its_line(host: Host, ada: Window, bruno: Peer) -> None:
    """Among others with a time, as somebody's joining is; alone as it stands there."""
    bruno.say("before")
    happen(host, ("poll", POLL))
    back(host, ada, bruno)
    bruno.say("after")
    ada.wait(lambda: "after" in ada.lines, "what follows")
    text = ada.messages

    def copied(begin: str, end: str) -> str:
        text.tag_remove("sel", "1.0", "end")
        text.tag_add("sel", begin, end)
        text.event_generate("<<Copy>>")
        return re.sub(r"\d\d:\d\d", "TIME", str(ada.root.clipboard_get(type="UTF8_STRING")))

    line = text.search(LINE, "1.0")
    begin, end = text.search("before", "1.0"), f"{text.search('after', line)} lineend"
    assert copied(begin, end).splitlines() == [
        "Bruno Okafor, TIME: before",
        f"{LINE}, TIME",
        "Bruno Okafor, TIME: after",
    ]
    assert copied(line, f"{line} lineend") == f"{LINE} · TIME"


def test_after_an_update_it_is_drawn_from_what_was_stored(
    town: Town, host: Host, ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is not asked again: it is not even there."""
    happen(host, ("notice", {"text": "the relay sleeps", "level": 2}), ("poll", POLL))
    back(host, ada, bruno)
    ada.wait(lambda: shown(ada).count(LINE) == 2, "both")
    # An update that brings one of them, and a moment later one that brings the other.
    monkeypatch.setitem(KINDS, "notice", NoticeBody)
    monkeypatch.setitem(drawing.DRAWN, "notice", Drawing())
    again = open_again(town, ada)
    again.wait(lambda: "the relay sleeps" in again.lines, "the notice")
    assert shown(again)[3:] == ["Bruno Okafor", "the relay sleeps", LINE]
    host.stop()
    folder = again.program.data_dir
    again.close()
    monkeypatch.setitem(KINDS, "poll", PollBody)
    monkeypatch.setitem(drawing.DRAWN, "poll", Drawing(note="{} asked all"))
    last = town.window(data_dir=folder)
    last.wait(lambda: last.is_main and "asked all" in last.said, "the poll")
    assert shown(last)[3:] == ["Bruno Okafor", "the relay sleeps", "Bruno Okafor asked all"]


def test_a_message_of_another_form_is_one_after_an_update(
    town: Town, host: Host, ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as unread at once, as nobody has read it; it is drawn, and found."""
    bruno.say("psst", room=DIRECT)
    ada.click_row(ada.main.sidebar.rooms, DIRECT)
    ada.wait(lambda: "psst" in ada.lines, "the conversation")
    ada.click_row(ada.main.sidebar.rooms, GENERAL)
    happen(host, ("message", {"text": "the relay\0 sleeps"}), ("poll", POLL), room=DIRECT)
    back(host, ada, bruno)
    ada.wait(lambda: reader_of(ada).latest(DIRECT, 1)[0].seq == 3, "it to be kept")
    ada.settle()
    assert not ada.title.startswith("(")
    monkeypatch.setitem(KINDS, "message", PartsBody)
    again = open_again(town, ada)
    again.wait(lambda: again.title.startswith("(1) "), "the message to count")
    again.click_row(again.main.sidebar.rooms, DIRECT)
    again.wait(lambda: any("relay" in line for line in again.lines), "the message")
    assert shown(again)[-1] == LINE
    assert not again.title.startswith("(")
    look_for(again, "relay")
    found(again, "1 of 1")


def test_what_is_being_written_meanwhile_stays(ada: Window) -> None:
    """It is told as soon as the program has begun; somebody types already, in the middle even."""
    ada.type("half sentence", ada.composer)
    for _ in range(len(" sentence")):
        ada.key("<Left>")
    ada.main.apply([news.EventsUpgraded((GENERAL,))])
    ada.settle()
    ada.type(" a")
    assert ada.main.composer.draft == "half a sentence"
