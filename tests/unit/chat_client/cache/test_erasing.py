"""Removing the messages of a deleted account from the cache, while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Event as Flag

import pytest

from chat_client.cache import erasure
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.cache.search import NEWEST, Found, Search
from common.domain.names import GENERAL
from common.protocol.events import Event, PartOfBody, UnknownBody
from common.protocol.messages import Person
from tests.events import cid_of, deleted, joined, said

CANARY = "canary-" + "x" * 30
DIRECT = "dm:ada:bob"


def person(username: str, *, former: bool = False, erased: bool = False) -> Person:
    """Somebody as the server tells it."""
    return Person(
        username=username,
        display_name="Former member" if former else username.title(),
        role="member",
        change=5,
        former=former,
        erased=erased,
    )


@pytest.fixture
def cache(path: Path) -> Iterator[Cache]:
    """Two people in a room and in a conversation of their own; ada says the canary."""
    with closing(Cache(path)) as made:
        with made.transaction():
            made.unheard.make()
            for username in ("ada", "bob"):
                made.people.add(person(username))
            for room in (GENERAL, DIRECT):
                made.add_events([joined(1, room=room), *_said(room)])
            for event in _said(GENERAL):
                made.unheard.add(event)
        yield made


def _said(room: str) -> list[Event]:
    texts = (("ada", f"{CANARY} @bob"), ("bob", "theirs"))
    return [said(seq, *texts[seq % 2], room=room) for seq in range(2, 40)]


def erase_all(cache: Cache) -> int:
    """Step after step; how many there were."""
    for step in range(10_000):
        if not cache.erasure.pending:
            return step
        with cache.transaction():
            cache.erasure.step()
    raise AssertionError("it never ends")


def files(path: Path) -> list[Path]:
    """The database and its write-ahead log."""
    return [path, path.with_name(f"{path.name}-wal")]


def search(path: Path, words: str) -> list[int]:
    """Places in the general room with these words."""
    found: list[int] = []
    ended = Flag()

    def tell(item: Found) -> None:
        found.extend(item.seqs)
        if item.ended:
            ended.set()

    running = Search(path, GENERAL, words, NEWEST, tell)
    assert ended.wait(10)
    running.stop()
    return found


def test_nothing_of_it_is_read_from_the_first_moment_on(cache: Cache, path: Path) -> None:
    """Not in pages, counts, the search, nor by commands; all else is as before."""
    reader = CacheReader(path)
    before = reader.latest(GENERAL, 100)
    assert len(search(path, "canary")) == 19
    with cache.transaction():
        assert cache.erasure.add("ada")
    assert any(CANARY.encode() in file.read_bytes() for file in files(path))
    after = reader.latest(GENERAL, 100)
    assert after == [each.without_text() if each.sender == "ada" else each for each in before]
    assert CANARY not in repr(after)
    assert reader.before(DIRECT, 9, 3)[1].known
    assert CANARY not in repr(reader.after(DIRECT, 0, 100))
    (general,) = reader.rooms("bob", only=GENERAL)
    assert general.unread == 0
    assert list(reader.unread_with_sign(general, "bob")) == []
    assert search(path, "canary") == []
    assert len(search(path, "theirs")) == 19
    assert [event.sender for event in cache.unheard.page(None, 100)] == ["bob"] * 19
    reader.close()


@pytest.mark.parametrize("at_once", [2, 500])
def test_it_goes_on_after_a_crash_until_nothing_is_left_on_the_disk(
    cache: Cache, path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Neither in the tables, nor in what is free, nor in the write-ahead log."""
    monkeypatch.setattr(erasure, "_ERASED_AT_ONCE", at_once)
    with cache.transaction():
        cache.erasure.add("ada")
    steps = 0
    while cache.erasure.pending:
        with suppress(ZeroDivisionError), cache.transaction():
            cache.erasure.step()
            raise ZeroDivisionError
        assert cache.erasure.pending
        with closing(Cache(path)) as again:
            assert again.erasure.pending
        with cache.transaction():
            cache.erasure.step()
        steps += 1
    assert steps == (1 if at_once == 500 else 20)
    assert not any(CANARY.encode() in file.read_bytes() for file in files(path))
    with closing(Cache(path)) as again:
        assert not again.erasure.pending
        assert not again.erasure.add("ada")
    with closing(CacheReader(path)) as reader:
        left = reader.latest(GENERAL, 100)
    assert [each.seq for each in left] == list(range(1, 40))
    assert [each.cid for each in left] == [cid_of(seq) for seq in range(1, 40)]
    assert {(each.sender, each.text) for each in left if each.is_message} == {("bob", "theirs")}


def test_whatever_comes_later_comes_without_its_text(cache: Cache) -> None:
    """Pages under way, also of kinds that this version does not understand."""
    late = said(40, text=CANARY)
    newer = late._replace(kind="poll", body=UnknownBody({"question": CANARY}))
    part = late._replace(body=PartOfBody({"text": "x"}, {"text": "x", "title": CANARY}))
    assert cache.erasure.apply(late) is late
    with cache.transaction():
        cache.erasure.add("ada")
    for event in (late, newer, part):
        shown = cache.erasure.apply(event)
        assert CANARY not in repr(shown)
        assert shown == Event(
            GENERAL, 40, "removed", "ada", late.sent_at, late.cid, {},
        )  # fmt: skip
    for event in (joined(41), deleted(42), said(43, "bob")):
        assert cache.erasure.apply(event) is event


def test_what_is_not_understood_is_removed_too(cache: Cache, path: Path) -> None:
    """Its words may be anywhere in it."""
    unknown = said(40)._replace(kind="poll", body=UnknownBody({"question": CANARY}))
    with cache.transaction():
        cache.add_event(unknown)
        cache.erasure.add("ada")
    erase_all(cache)
    assert not any(CANARY.encode() in file.read_bytes() for file in files(path))


def test_a_transaction_that_fails_erases_nobody(cache: Cache, path: Path) -> None:
    """In memory as in the file."""
    with suppress(ZeroDivisionError), cache.transaction():
        cache.erasure.add("ada")
        raise ZeroDivisionError
    assert not cache.erasure.pending
    assert cache.erasure.apply(said(50)).text
    with closing(CacheReader(path)) as reader:
        assert CANARY in repr(reader.latest(GENERAL, 9))
        assert len(cache.unheard.page(None, 100)) == 38


@pytest.mark.parametrize("how", ["forgotten", "listed again"])
def test_in_another_history_of_the_server_the_account_is_there(cache: Cache, how: str) -> None:
    """A backup of before was put in place: what is fetched again is shown again."""
    with cache.transaction():
        cache.people.add(person("ada", former=True, erased=True))
        cache.erasure.add("ada")
    with cache.transaction():
        if how == "forgotten":
            cache.people.forget()
        else:
            cache.people.add(person("ada"))
    assert not cache.erasure.pending
    assert cache.erasure.apply(said(50)).text == "hello"


def test_former_members_are_known_as_such(cache: Cache, path: Path) -> None:
    """And have no name by which they could be mentioned."""
    with cache.transaction():
        cache.people.add(person("ada", former=True))
    assert cache.people.is_former("ada")
    assert not cache.people.is_former("bob")
    assert cache.people.display_names() == {"bob": "Bob"}
    assert not cache.erasure.pending
    with closing(CacheReader(path)) as reader:
        assert reader.former() == {"ada"}
        assert CANARY in repr(reader.latest(GENERAL, 9))


def test_many_are_removed_one_after_the_other(
    cache: Cache, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else is done meanwhile."""
    monkeypatch.setattr(erasure, "_ERASED_AT_ONCE", 5)
    with cache.transaction():
        cache.erasure.add("ada")
        cache.erasure.add("bob")
        cache.erasure.step()
        cache.add_event(cache.erasure.apply(said(40, "bob", "theirs, late")))
    erase_all(cache)
    for file in files(path):
        assert CANARY.encode() not in file.read_bytes()
        assert b"theirs" not in file.read_bytes()
