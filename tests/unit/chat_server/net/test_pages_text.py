"""Pages of the log: the very frames that were published, whatever was said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat_server.net import pages
from chat_server.net.pages import PAGE_BYTES, PAGE_EVENTS, Pages
from chat_server.rules.commands import handle_command
from chat_server.rules.effects import Publish
from chat_server.store.sqlite.reader import SqliteReader
from common import limits
from common.domain.names import GENERAL
from common.domain.text import TextRefusedError, check_text
from common.protocol.fast_encode import event_frame
from tests import strategies
from tests.events import send
from tests.unit.chat_server.house import NOW, House, all_of, seqs


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[House, Pages]]:
    """A house in which ada is, and somebody who reads its log."""
    with TemporaryDirectory() as folder:
        house = House(Path(folder) / "chat.db")
        reader = Pages(SqliteReader(house.path))
        house.join("ada")
        yield house, reader
        reader.close()
        house.close()


def say_all(house: House, texts: list[str]) -> tuple[int, list[bytes]]:
    """Say these in one transaction: the head before, and the frames that were published."""
    before = house.world.head(GENERAL)
    (ada,) = house.world.sessions.of("ada")
    frames: list[bytes] = []
    with house.log.transaction():
        for text in texts:
            command = send(house.request(), text, cid=house.cid())
            frames += [
                event_frame(effect.event)
                for effect in all_of(handle_command(house.world, ada, command, NOW), Publish)
            ]
    return before, frames


def all_pages(reader: Pages, after: int) -> list[pages.Page]:
    """Every page until the log ends."""
    found: list[pages.Page] = []
    while (page := reader.page(GENERAL, after)).frames:
        found.append(page)
        after = page.last
    return found


@given(st.lists(strategies.text(), min_size=1, max_size=8))
@example(list(strategies.HARD_TEXTS))
@example([".\u2028\u2029", "\ufeff", "\ufffe\uffff", "\U0001fffe", '"\\/'])
@example(
    ["x" * limits.TEXT_BYTES, '"' * limits.TEXT_BYTES, "\\" * limits.TEXT_BYTES, "\n\t." * 5000]
)
@example(["\U0010ffff" * (limits.TEXT_BYTES // 4), "é" * (limits.TEXT_BYTES // 2)])
@example(["[1, 2]", "null", '{"a": 1}', "\\u0000", "1e999", "'; --", "%s", "?"])
def test_texts_come_back_as_they_were_said(told: tuple[House, Pages], texts: list[str]) -> None:
    """Frames from the disk are the frames that everyone else got, byte by byte."""
    house, reader = told
    before, frames = say_all(house, texts)
    assert b"".join(page.frames for page in all_pages(reader, before)) == b"".join(frames)


def test_every_lawful_character_comes_back(told: tuple[House, Pages]) -> None:
    """All of Unicode that a message may have."""
    house, reader = told
    lawful = "\t\n" + "".join(
        chr(code)
        for code in [*range(0x20, 0x7F), *range(0xA0, 0xD800), *range(0xE000, sys.maxunicode + 1)]
    )
    texts = [f".{lawful[start : start + 4000]}" for start in range(0, len(lawful), 4000)]
    before, frames = say_all(house, texts)
    assert len(frames) == len(texts)
    assert b"".join(page.frames for page in all_pages(reader, before)) == b"".join(frames)


def _slow_verdict(text: str) -> str:
    """What the rules say, asked one after the other."""
    size = len(text.encode(errors="surrogatepass"))
    if any("\ud800" <= c <= "\udfff" for c in text):
        return "not_unicode"
    if size > limits.TEXT_BYTES:
        return "too_long"
    if any((ord(c) < 0x20 and c not in "\t\n") or 0x7F <= ord(c) <= 0x9F for c in text):
        return "control_character"
    return "" if text.strip() else "blank"


def _verdict(text: str) -> str:
    try:
        assert check_text(text) == text
    except TextRefusedError as error:
        return error.code
    return ""


@given(
    st.text() | st.text(st.characters(max_codepoint=0xFF)) | st.text(" \t\n\x1c\x1f\x7f\x85\xa0")
)
@example("")
@example(" ")
@example("x" * limits.TEXT_BYTES)
@example("x" * (limits.TEXT_BYTES + 1))
@example(" " * (limits.TEXT_BYTES + 1))
def test_the_quick_way_says_what_the_rules_say(text: str) -> None:
    """For ASCII, for all else, at the bound."""
    assert _verdict(text) == _slow_verdict(text)


def test_each_single_character_gets_the_same_verdict() -> None:
    """Alone and among others."""
    for code in range(0x3100):
        for text in (chr(code), f"a{chr(code)}b", f" {chr(code)} "):
            assert _verdict(text) == _slow_verdict(text), code


@pytest.fixture
def long_log(house: House) -> tuple[House, list[bytes]]:
    """A log that ends exactly with a page: 1 join and short messages up to 2 × PAGE_EVENTS."""
    house.join("ada")
    _, frames = say_all(house, [f"{n}" for n in range(2, 2 * PAGE_EVENTS + 1)])
    assert house.world.head(GENERAL) == 2 * PAGE_EVENTS
    return house, frames


@pytest.mark.parametrize("after", [0, 1, 63, 64, 65, 510, 511, 512, 513, 960, 1022, 1023, 1024])
def test_pages_end_where_pages_end(long_log: tuple[House, list[bytes]], after: int) -> None:
    """Wherever one begins: consecutive, all of it, and they end at the same places."""
    house, frames = long_log
    reader = Pages(SqliteReader(house.path))
    found = all_pages(reader, after)
    assert [page.last for page in found] == [end for end in (512, 1024) if end > after]
    assert [seq for page in found for seq in seqs(page.frames)] == list(range(after + 1, 1025))
    if after:
        assert b"".join(page.frames for page in found) == b"".join(frames[after - 1 :])
    assert reader.page(GENERAL, 1024) == pages.Page(b"", 1024, whole=False)
    reader.close()


def test_a_page_that_was_not_whole_grows(long_log: tuple[House, list[bytes]]) -> None:
    """What is kept is only what stays: the last piece of the log is read again, at every length."""
    house, _ = long_log
    reader = Pages(SqliteReader(house.path))
    for count in (1, 62, 1, 1, 64, 382, 1, 1):
        before = reader.page(GENERAL, 1024)
        say_all(house, ["more"] * count)
        page = reader.page(GENERAL, 1024)
        end = min(house.world.head(GENERAL), 1536)
        assert seqs(page.frames) == list(range(1025, end + 1))
        assert page.whole == (end == 1536)
        assert page.frames.startswith(before.frames)
    assert reader.page(GENERAL, 1024) is reader.page(GENERAL, 1024)
    assert seqs(reader.page(GENERAL, 1536).frames) == [1537]
    reader.close()


def test_a_page_of_long_messages_ends_with_what_reaches_its_bound(house: House) -> None:
    """By bytes, one message more and never less."""
    house.join("ada")
    _, frames = say_all(house, ["x" * limits.TEXT_BYTES] * 40)
    reader = Pages(SqliteReader(house.path))
    found = all_pages(reader, 1)
    assert b"".join(page.frames for page in found) == b"".join(frames)
    for page in found[:-1]:
        assert PAGE_BYTES <= len(page.frames) < PAGE_BYTES + len(frames[0])
    reader.close()


def test_few_pages_are_kept(long_log: tuple[House, list[bytes]]) -> None:
    """Those used last; and rooms are not mixed up."""
    house, _ = long_log
    reader = Pages(SqliteReader(house.path))
    for after in range(40):
        reader.page(GENERAL, after)
        reader.page(GENERAL, 0)
    assert len(reader._kept) == pages.KEPT_PAGES
    assert (GENERAL, 0) in reader._kept
    assert reader.page("dm:ada:bob", 0) == pages.Page(b"", 0, whole=False)
    reader.close()
