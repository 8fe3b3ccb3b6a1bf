"""Finding words in the open conversation, by keys and by clicks."""

from __future__ import annotations

import gc
import re
import weakref
from functools import partial

import pytest

from chat_client.cache import search
from chat_client.cache.search import Found
from chat_client.window.find_bar import FindBar
from common.ui.widgets.buttons import Button
from tests.gui.harness import Host, Peer, Window

FAR = 400
"""Messages after those that are to be found: more than the list holds."""


def hear(ada: Window, bruno: Peer, *texts: str) -> None:
    """Bruno says things, and Ada's window shows the last of them."""
    bruno.say(*texts)
    ada.wait(lambda: texts[-1] in ada.lines, "the messages")
    ada.settle()


def bar(ada: Window) -> FindBar:
    """The bar of the open conversation."""
    return ada.main.find


def note(ada: Window) -> str:
    """What the bar says about what was found."""
    return str(bar(ada).field._note.cget("text"))


def look_for(ada: Window, words: str) -> None:
    """Press Ctrl+F and type."""
    ada.key("<Control-f>", ada.composer)
    ada.type(words)


def found(ada: Window, said: str) -> None:
    """Wait until the bar says so."""
    ada.wait(lambda: note(ada) == said, f"{said!r}, not {note(ada)!r}")
    ada.settle()


def marked(ada: Window, tag: str) -> list[str]:
    """The texts that are marked."""
    text = ada.messages
    ranges = [str(place) for place in text.tag_ranges(tag)]
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    return [text.get(start, end).strip() for start, end in pairs]


def in_view(ada: Window, line: str) -> bool:
    """Whether a line of the message list can be seen."""
    place = ada.messages.search(line, "1.0")
    return bool(place) and ada.messages.dlineinfo(place) is not None


def visible(ada: Window) -> str:
    """The lines of the message list that can be seen."""
    text = ada.messages
    return text.get("@0,0 linestart", f"@0,{text.winfo_height()} lineend")


def test_the_first_key_is_the_bars(ada: Window) -> None:
    """It has the keyboard at once, before the loop has come round: somebody types fast."""
    ada.focus(ada.composer)
    ada.composer.event_generate("<Control-f>")
    assert ada.root.focus_get() is bar(ada).field.entry


def test_enter_goes_from_match_to_match(ada: Window, bruno: Peer) -> None:
    """The newest first and round again; with Shift the other way."""
    hear(ada, bruno, "the relay one", "nothing here", "THE RELAY two", "the end")
    look_for(ada, "relay")
    found(ada, "1 of 2")
    assert marked(ada, "here") == ["THE RELAY two"]
    assert marked(ada, "found") == ["relay", "RELAY"]
    for keys, said, here in (
        ("<Return>", "2 of 2", "the relay one"),
        ("<Return>", "1 of 2", "THE RELAY two"),
        ("<Shift-Return>", "2 of 2", "the relay one"),
        ("<Shift-Return>", "1 of 2", "THE RELAY two"),
        ("<Up>", "2 of 2", "the relay one"),
        ("<Down>", "1 of 2", "THE RELAY two"),
    ):
        ada.key(keys)
        found(ada, said)  # behind the last it looks again, on its thread
        assert marked(ada, "here") == [here]


def test_what_is_far_up_is_fetched(ada: Window, bruno: Peer) -> None:
    """It stands in view with its neighbours; "Latest" goes back to the end."""
    hear(ada, bruno, "before it", "an anchor in the cellar", "after it")
    hear(ada, bruno, *(f"word {n}" for n in range(FAR)))
    ada.main.transcript.show_latest()
    assert "anchor" not in ada.said
    look_for(ada, "anchor")
    found(ada, "1 of 1")
    assert [in_view(ada, line) for line in ("before it", "an anchor", "after it")] == [True] * 3
    assert marked(ada, "here") == ["an anchor in the cellar"]
    assert not ada.main.transcript.at_bottom
    assert ada.main.latest.winfo_ismapped()
    assert ada.main.latest.cget("text") == "Latest"
    ada.click(ada.main.latest)
    ada.wait(lambda: in_view(ada, f"word {FAR - 1}"), "the newest")
    assert not ada.main.latest.winfo_ismapped()


def test_words_are_marked_in_what_is_drawn_later(ada: Window, bruno: Peer) -> None:
    """In pages fetched while one scrolls, after a change of the colours, and in new messages."""
    hear(ada, bruno, *(f"relay {n}" for n in range(FAR)))
    ada.main.transcript.show_latest()
    look_for(ada, "relay")
    found(ada, f"1 of {FAR}")
    far = f"relay {FAR - 100}"

    def up() -> bool:
        ada.messages.yview_moveto(0.0)
        return far in ada.lines

    ada.wait(up, "a page")
    ada.program.theme.toggle()
    ada.settle()
    seen = marked(ada, "found")
    assert seen == ["relay"] * len(re.findall("relay", visible(ada)))
    assert len(seen) > 10
    ada.key("<Escape>")
    assert marked(ada, "found") == marked(ada, "here") == []


def test_names_and_times_are_not_what_was_said(ada: Window, bruno: Peer) -> None:
    """Only messages are looked at, and only they are marked."""
    hear(ada, bruno, "hello")
    look_for(ada, "bruno")
    found(ada, "Nothing found")
    assert marked(ada, "found") == []


def test_escape_gives_the_keyboard_back(ada: Window, bruno: Peer) -> None:
    """And nothing is marked any more; the next Ctrl+F has the words still."""
    hear(ada, bruno, "the relay")
    ada.type("half a mess", ada.composer)
    look_for(ada, "relay")
    found(ada, "1 of 1")
    ada.key("<Escape>")
    assert not bar(ada).shown
    assert marked(ada, "found") == marked(ada, "here") == []
    ada.type("age")
    assert ada.main.composer.draft == "half a message"
    ada.key("<Control-f>")
    found(ada, "1 of 1")
    entry = bar(ada).field.entry
    assert (entry.index("sel.first"), entry.index("sel.last")) == (0, len("relay"))


def test_it_is_there_for_the_mouse(ada: Window, bruno: Peer) -> None:
    """A button opens it, and its own do what the keys do."""
    hear(ada, bruno, "relay one", "relay two")
    ada.click(ada.main.header.open_find)
    assert bar(ada).shown
    ada.type("relay")
    found(ada, "1 of 2")
    older, newer, close = (
        child for child in bar(ada).winfo_children() if isinstance(child, Button)
    )
    ada.click(older)
    assert note(ada) == "2 of 2"
    ada.click(newer)
    assert note(ada) == "1 of 2"
    ada.click(close)
    assert not bar(ada).shown
    ada.click(ada.main.header.open_find)
    assert bar(ada).shown
    ada.click(ada.main.header.open_find)
    assert not bar(ada).shown


def test_more_than_enough_is_looked_for_on_the_way(
    ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A "+" tells that there may be more; going on finds them."""
    monkeypatch.setattr(search, "FOUND_AT_ONCE", 3)
    hear(ada, bruno, *(f"relay {n}" for n in range(5)))
    look_for(ada, "relay")
    found(ada, "1 of 3+")
    for said in ("2 of 3+", "3 of 3+", "4 of 5", "5 of 5", "1 of 3+"):
        ada.key("<Return>")
        found(ada, said)
    assert marked(ada, "here") == ["relay 4"]


def test_another_room_begins_without_it(ada: Window, bruno: Peer) -> None:
    """What is found belongs to the conversation in which it was looked for."""
    hear(ada, bruno, "the relay")
    look_for(ada, "relay")
    found(ada, "1 of 1")
    ada.click_row(ada.main.members.people, bruno.username)
    ada.wait(lambda: ada.main.room != "general", "the other room")
    assert not bar(ada).shown
    look_for(ada, "relay")
    found(ada, "Nothing found")


def test_a_signed_out_person_can_look_as_well(host: Host, ada: Window, bruno: Peer) -> None:
    """What is kept is on this computer."""
    hear(ada, bruno, "the relay")
    host.stop()
    ada.wait(lambda: ada.banner, "the banner")
    look_for(ada, "relay")
    found(ada, "1 of 1")


def test_the_window_can_be_closed_while_it_looks(ada: Window, bruno: Peer) -> None:
    """The search ends with it."""
    hear(ada, bruno, *(f"relay {n}" for n in range(50)))
    look_for(ada, "relay")
    ada.key("<Return>")
    ada.close()
    assert ada.ended


@pytest.mark.parametrize("at", [0, 1, 7, 20])
def test_a_match_among_the_newest_is_in_view(ada: Window, bruno: Peer, at: int) -> None:
    """However near the end it is, with what was said before it."""
    texts = [f"word {n}" for n in range(60)]
    texts[-1 - at] = "the relay"
    hear(ada, bruno, *texts)
    look_for(ada, "relay")
    found(ada, "1 of 1")
    assert in_view(ada, "the relay")
    assert ada.main.latest.winfo_ismapped() == (not ada.main.transcript.at_bottom)


@pytest.mark.parametrize(
    "text",
    [
        "\U0001d538 relay",
        "\u304a\U00020bb7\u91ce\u5bb6 relay",
        "\U0001faea relay",
        "\u0130\u0130 relay",
    ],
)
def test_no_letters_are_too_much(ada: Window, bruno: Peer, text: str) -> None:
    """Tk's own search overwrites memory where it meets some of these."""
    hear(ada, bruno, *(f"{text} {n}" for n in range(10)))
    look_for(ada, "relay")
    found(ada, "1 of 10")
    assert marked(ada, "found") == ["relay"] * 10
    ada.paste(text[:1], bar(ada).field.entry)
    ada.wait(lambda: "of" not in note(ada) or note(ada) == "1 of 10", "an answer")


@pytest.mark.parametrize(
    ("said", "words", "whole"),
    [
        ("in Zu\u0308rich today", "Z\u00fcrich", "Zu\u0308rich"),
        ("in Z\u00fcrich today", "zu\u0308rich", "Z\u00fcrich"),
        ("it is 100\u00a0EUR now", "100 eur", "100\u00a0EUR"),
        ("one\ttwo", "one two", "one\ttwo"),
    ],
)
def test_what_looks_the_same_is_found_and_marked(
    ada: Window, bruno: Peer, said: str, words: str, whole: str
) -> None:
    """Accents in one character or two, spaces of every kind."""
    hear(ada, bruno, said, "the end")
    bar(ada).show()
    bar(ada).field.value = words
    ada.wait(lambda: marked(ada, "found") == [whole], f"{whole!r}, not {marked(ada, 'found')!r}")
    found(ada, "1 of 1")


def test_emoji_are_found(ada: Window, bruno: Peer) -> None:
    """They are pictures in the list; nothing is marked across one that is not looked for."""
    hear(ada, bruno, "well \U0001f600 then", "re\U0001f600lay", "the end")
    ada.key("<Control-f>", ada.composer)
    ada.paste("\U0001f600 THEN", bar(ada).field.entry)
    found(ada, "1 of 1")
    (start, end) = ada.messages.tag_ranges("found")
    assert ada.main.transcript._pen.rich.get(str(start), str(end)) == "\U0001f600 then"
    bar(ada).field.value = "relay"
    found(ada, "Nothing found")
    assert marked(ada, "found") == []


def test_a_part_of_an_emoji_marks_all_of_it(ada: Window, bruno: Peer) -> None:
    """However it is spelt, and whoever spells it otherwise later."""
    runner = "\u26f9\ufe0f\u200d\u2640\ufe0f"
    hear(
        ada, bruno, f"{runner} relay", f"{runner[:-1]} other", "\U0001f44d\U0001f3fd yes", "the end"
    )

    def seen() -> str:
        ranges = map(str, ada.messages.tag_ranges("found"))
        rich = ada.main.transcript._pen.rich
        return "".join(rich.get(start, end) for start, end in zip(ranges, ranges, strict=True))

    bar(ada).show()
    for words, whole in (
        (f"{runner} relay", f"{runner} relay"),
        (f"{runner[:-1]} other", f"{runner[:-1]} other"),
        ("\U0001f3fd y", "\U0001f44d\U0001f3fd y"),
    ):
        bar(ada).field.value = words
        ada.wait(
            partial(lambda text: seen() == text, whole), f"{whole!r} to be marked, not {seen()!r}"
        )


def test_the_words_themselves_are_in_view_in_a_long_message(ada: Window, bruno: Peer) -> None:
    """A message may be many screens high."""
    lines = [f"line {n}" for n in range(200)]
    lines[120] = "the relay"
    hear(ada, bruno, "\n".join(lines), "the end")
    look_for(ada, "relay")
    found(ada, "1 of 1")
    assert in_view(ada, "the relay")
    assert marked(ada, "found") == ["relay"]


def test_a_letter_that_is_everywhere_costs_little(ada: Window, bruno: Peer) -> None:
    """Only what is in view is marked."""
    hear(ada, bruno, *("a" * 16_000 for _ in range(20)), "the end")
    look_for(ada, "a")
    found(ada, "1 of 20")
    assert 0 < len(marked(ada, "found")) < 16_000


def test_what_comes_meanwhile_is_found_when_one_looks_again(ada: Window, bruno: Peer) -> None:
    """Behind the first match is the newest one, whenever it came."""
    hear(ada, bruno, "relay one")
    look_for(ada, "relay")
    found(ada, "1 of 1")
    hear(ada, bruno, "relay two")
    ada.key("<Return>")
    found(ada, "1 of 2")
    assert marked(ada, "here") == ["relay two"]


def test_a_room_that_is_fetched_again(ada: Window, bruno: Peer) -> None:
    """Places found before are nothing any more; going to them does no harm."""
    hear(ada, bruno, "relay one", "relay two")
    look_for(ada, "relay")
    found(ada, "1 of 2")
    transcript = ada.main.transcript
    transcript._reading.events.clear()
    transcript.go_to(1_000)
    ada.settle()
    assert "relay two" in ada.said


def test_what_can_not_be_read_is_said(ada: Window, bruno: Peer) -> None:
    """It stays said: what was found until then does not pass for all."""
    hear(ada, bruno, "relay one", "relay two")
    look_for(ada, "relay")
    found(ada, "1 of 2")
    bar(ada)._take([(bar(ada)._number, Found(ended=True, problem="the disk is gone"))])
    ada.key("<Return>")
    assert note(ada) == "The messages can't be read"


def test_the_keyboard_stays_where_it_is_when_the_bar_goes(ada: Window, bruno: Peer) -> None:
    """Only the bar itself gives it to the composer."""
    hear(ada, bruno, "the relay")
    look_for(ada, "relay")
    found(ada, "1 of 1")
    ada.focus(ada.messages)
    ada.key("<Escape>")
    assert not bar(ada).shown
    assert ada.root.focus_displayof() is ada.messages


def test_leaving_takes_the_bar_along(ada: Window, bruno: Peer) -> None:
    """The colours can be changed afterwards, and nothing of the former screen is kept."""
    hear(ada, bruno, "the relay")
    look_for(ada, "relay")
    found(ada, "1 of 1")
    former = weakref.ref(ada.main)
    session = ada.screens.session
    assert session is not None
    account = session.account
    del session
    ada.screens.show_join()
    ada.screens.open(account)
    ada.online()
    ada.program.theme.toggle()
    ada.settle()
    gc.collect()
    assert former() is None
