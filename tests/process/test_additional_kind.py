"""An additional kind of event, end to end, through programs that know it and programs that don't.

It is only in the registry and in the table of drawings: the server accepts, stores and delivers it,
a client of this version stores it, and one that knows it shows what was stored.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.core import Core
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.outbox_message import OutboxState
from chat_client.window.transcript import drawing
from chat_client.window.transcript.drawing import Drawing
from chat_client.window.transcript.timeline import lay_out
from common.domain.invite import parse_invite
from common.domain.names import GENERAL
from common.domain.times import local_time
from common.protocol import messages
from common.protocol.messages import KINDS
from tests.process.harness import DEADLINE, House, Server
from tests.process.stranger import RefusedError, Stranger, new_cid
from tests.process.topics import TOPIC, TopicBody

BODY: Final = {"topic": "Lunch 😀", "n": 3, "of": ["soup", "é"]}


@pytest.fixture
def server(house: House) -> Server:
    """One that knows the kind."""
    return house.server(program=("tests.process.topics", "chat_server"))


Come = Callable[[str], Stranger]


@pytest.fixture
def come(server: Server) -> Iterator[Come]:
    """Lets somebody join, with a client that knows the kind and is made of JSON alone."""
    here: list[Stranger] = []

    def come(username: str) -> Stranger:
        stranger = Stranger(server.invite, username, username.title())
        here.append(stranger)
        stranger.connect()
        stranger.join()
        return stranger

    yield come
    for stranger in here:
        stranger.hang_up()


@pytest.fixture
def ada(come: Come) -> Stranger:
    """Somebody."""
    return come("ada")


class Window:
    """What a window has: the core, its news and what is kept."""

    def __init__(self, account: Account, path: Path) -> None:
        self.told: list[news.News] = []
        self.path = path
        self._box: queue.SimpleQueue[news.News] = queue.SimpleQueue()
        self.core = Core(account, Cache(path), self._tell)
        self.core.start()

    def _tell(self, items: Sequence[news.News]) -> None:
        for item in items:
            self._box.put(item)

    def until(self, wanted: Callable[[news.News], bool]) -> news.News:
        """The first news from now on that are wanted."""
        while True:
            item = self._box.get(timeout=DEADLINE)
            self.told.append(item)
            if wanted(item):
                return item

    def lines(self) -> list[str]:
        """The message list, as it is drawn: of each event its line, or what was said."""
        reader = CacheReader(self.path)
        try:
            events = reader.latest(GENERAL, 99)
        finally:
            reader.close()
        today = local_time(events[-1].sent_at).date()
        return [
            entry.drawing.note_about(entry.name) if entry.drawing.note else entry.text
            for entry in lay_out(events, None, str.title, today)
        ]


Learn = Callable[[], None]


@pytest.fixture
def learn(monkeypatch: pytest.MonkeyPatch) -> Learn:
    """What an update of the client brings."""

    def learn() -> None:
        monkeypatch.setitem(KINDS, TOPIC, TopicBody)
        monkeypatch.setattr("common.protocol.messages.events.SENDABLE", messages.SENDABLE | {TOPIC})
        monkeypatch.setitem(drawing.DRAWN, TOPIC, Drawing(note="{} set a topic"))

    return learn


def test_the_server_takes_it_once_and_hands_it_on(
    server: Server, ada: Stranger, come: Come
) -> None:
    """Acknowledged, and again the same, over a restart; in a page, while catching up, and live."""
    cid = new_cid()
    ack = ada.ask("send", room=GENERAL, cid=cid, kind=TOPIC, body=BODY)
    turned = dict(reversed(BODY.items()))
    place = {name: ack[name] for name in ("room", "seq", "cid", "sent_at")}
    for restart in (False, True):
        if restart:
            server.stop()
            server.start()
            ada.hang_up()
            ada.come_in()
        again = ada.ask("send", room=GENERAL, cid=cid, kind=TOPIC, body=turned)
        assert {name: again[name] for name in place} == place
        for other in ({**BODY, "n": 4}, {"topic": BODY["topic"], "n": 3}):
            with pytest.raises(RefusedError) as refused:
                ada.ask("send", room=GENERAL, cid=cid, kind=TOPIC, body=other)
            assert (refused.value.code, refused.value.error["field"]) == ("cid_reused", "cid")
    with pytest.raises(RefusedError) as refused:
        ada.ask("send", room=GENERAL, cid=cid, kind="message", body={"text": "Lunch 😀"})
    assert refused.value.code == "cid_reused"
    told = {**place, "kind": TOPIC, "sender": "ada", "body": BODY}
    page = ada.ask("history", room=GENERAL, count=9)
    assert {"room": GENERAL, **page["events"][-1]} == told
    bruno = come("bruno")
    bruno.follow(GENERAL)
    bruno.until(lambda: bruno.copy(GENERAL).position >= ack["seq"])
    (caught_up,) = [each for each in bruno.copy(GENERAL).events if each["cid"] == cid]
    assert caught_up == {"type": "event", **told}
    live = ada.ask("send", room=GENERAL, cid=new_cid(), kind=TOPIC, body=turned)
    bruno.until(lambda: bruno.copy(GENERAL).position >= live["seq"])
    assert bruno.copy(GENERAL).events[-1]["body"] == BODY


@pytest.mark.parametrize(
    ("kind", "body", "code", "field"),
    [
        (TOPIC, {"text": "hello"}, "malformed", "body.topic"),
        (TOPIC, {**BODY, "n": "3"}, "malformed", "body.n"),
        (TOPIC, {**BODY, "of": ["soup", 7]}, "malformed", "body.of.1"),
        (TOPIC, {**BODY, "colour": "red"}, "malformed", "body.colour"),
        (TOPIC, {**BODY, "topic": "x" * 20_000}, "too_long", "body.topic"),
        ("message", BODY, "malformed", "body.text"),
        ("message", {"text": "hello", "topic": "x"}, "malformed", "body.topic"),
        ("join", {}, "unknown_kind", "kind"),
        ("poll", BODY, "unknown_kind", "kind"),
    ],
)  # fmt: skip
def test_the_server_takes_no_other_body(
    ada: Stranger, kind: str, body: dict[str, Any], code: str, field: str
) -> None:
    """That of another kind is none of this one; and the next command is carried out."""
    with pytest.raises(RefusedError) as refused:
        ada.ask("send", room=GENERAL, cid=new_cid(), kind=kind, body=body)
    assert (refused.value.code, refused.value.error["field"]) == (code, field)
    ada.ask("send", room=GENERAL, cid=new_cid(), kind=TOPIC, body=BODY)


def test_this_version_keeps_it_and_the_next_one_shows_it(
    house: House, server: Server, ada: Stranger, learn: Learn
) -> None:
    """As one quiet line first; after the update from what was stored, without the server."""
    ada.ask("send", room=GENERAL, cid=new_cid(), kind=TOPIC, body=BODY)
    ada.say(GENERAL, "and so on")
    listener = house.client(server, "cleo").listen("--count", "1")
    heard = [json.loads(listener.line()) for _ in range(3)]
    assert listener.status() == 0, listener.transcript()
    assert [(each["kind"], each["body"]) for each in heard if each["sender"] == "ada"] == [
        ("join", {}), (TOPIC, BODY), ("message", {"text": "and so on"}),
    ]  # fmt: skip
    account = new_account(parse_invite(server.invite), "bruno", "Bruno")
    path = house.folder / "bruno.db"
    before = Window(account, path)
    before.until(lambda item: isinstance(item, news.EventsAdded) and "so on" in str(item))
    before.core.stop()
    lines = before.lines()
    assert lines[0:1] + lines[2:4] == [
        "Ada joined", "and so on", "Cleo joined",
    ]  # fmt: skip
    assert lines[1] == "Ada did something that only a newer ChatClient can show"
    server.stop()
    learn()
    after = Window(account, path)
    assert after.until(lambda item: isinstance(item, news.EventsUpgraded)) == news.EventsUpgraded(
        (GENERAL,)
    )
    after.core.stop()
    assert after.lines()[1] == "Ada set a topic"
    reader = CacheReader(path)
    assert reader.latest(GENERAL, 99)[1].body == BODY
    reader.close()


def _brings_it(item: news.News) -> bool:
    return isinstance(item, news.EventsAdded) and item.events[-1].kind == TOPIC


def test_it_waits_in_the_outbox_over_a_restart(house: House, server: Server, learn: Learn) -> None:
    """Written without a server, kept, sent by the next run of the client, and in its room once."""
    learn()
    account = new_account(parse_invite(server.invite), "bruno", "Bruno")
    path = house.folder / "bruno.db"
    first = Window(account, path)
    joined = first.until(lambda item: isinstance(item, news.AccountChanged))
    assert isinstance(joined, news.AccountChanged)
    first.until(lambda item: isinstance(item, news.EventsAdded))
    server.stop()
    first.core.send(GENERAL, TOPIC, BODY)
    waiting = first.until(lambda item: isinstance(item, news.OutboxChanged))
    assert isinstance(waiting, news.OutboxChanged)
    assert waiting.state is OutboxState.WAITING
    first.core.stop()
    reader = CacheReader(path)
    (out,) = reader.outbox(GENERAL)
    reader.close()
    assert (out.kind, out.body, out.text, out.state) == (TOPIC, BODY, "", OutboxState.WAITING)
    server.start()
    second = Window(joined.account, path)
    sent = second.until(
        lambda item: isinstance(item, news.OutboxChanged) and item.state is OutboxState.SENT
    )
    assert isinstance(sent, news.OutboxChanged)
    assert (sent.cid, sent.waiting) == (waiting.cid, 0)
    if not any(map(_brings_it, second.told)):
        second.until(_brings_it)
    second.core.stop()
    reader = CacheReader(path)
    mine = [event for event in reader.latest(GENERAL, 99) if event.kind == TOPIC]
    assert reader.outbox(GENERAL) == []
    reader.close()
    assert [(event.seq, event.cid, event.body) for event in mine] == [(sent.seq, out.cid, BODY)]
    assert all(event.known for event in mine)
    assert second.lines()[-1] == "Bruno set a topic"
