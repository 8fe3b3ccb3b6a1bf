"""Writing a message: what is typed, pasted and undone in the real window."""

from __future__ import annotations

import sys

import pytest

from chat_client.window.join.ways import Way
from common.limits import TEXT_BYTES
from common.ui.widgets.selection import copied, selected
from tests.gui.harness import Host, Peer, Town, Window

SMILE = "\U0001f600"
x11 = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="X11 only")


def test_undo_with_an_emoji(ada: Window) -> None:
    """However often it is pressed: the emoji is there once, or not at all."""
    ada.type("Hello ", ada.composer)
    ada.paste(SMILE, ada.composer)
    ada.type(" world")
    texts = []
    for _ in range(5):
        ada.key("<Control-z>")
        texts.append(ada.main.composer.draft)
    assert texts == [f"Hello {SMILE} ", f"Hello {SMILE}", "Hello ", "", ""]
    for _ in range(4):
        ada.key("<Control-y>")
    assert ada.main.composer.draft == f"Hello {SMILE} world"
    ada.key("<Control-a>")
    ada.key("<Control-c>")
    assert copied(ada.root) == f"Hello {SMILE} world"


def test_another_room_has_its_own_undo(ada: Window, bruno: Peer) -> None:
    """Ctrl+Z brings nothing from one conversation into another."""
    ada.type("for all", ada.composer)
    ada.click_row(ada.main.members.people, bruno.username)
    ada.key("<Control-z>", ada.composer)
    assert ada.main.composer.draft == ""
    ada.click_row(ada.main.sidebar.rooms, "general")
    ada.key("<Control-z>", ada.composer)
    assert ada.main.composer.draft == "for all"


@pytest.mark.parametrize(
    ("pasted", "sent"),
    [
        ("    if x:\n\treturn", "    if x:\n\treturn"),
        ("\n \n  indented\n\n  more\n \n", "  indented\n\n  more"),
        ("a\rb\vc\fd\x85e\u2028f\u2029g\r\nh", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("trailing  ", "trailing  "),
        ("\u200fhe\u200e llo\u061c", "\u200fhe\u200e llo\u061c"),
    ],
)
def test_what_is_pasted_is_sent_as_it_was(ada: Window, bruno: Peer, pasted: str, sent: str) -> None:
    """But for blank lines around it, and with newlines for all that ends a line."""
    ada.paste(pasted, ada.composer)
    ada.key("<Return>")
    bruno.until(lambda: bruno.texts() == [sent], "the message")


@pytest.mark.parametrize("long", ["a" * 300_000, "漢" * 6000, SMILE * 5000, "line\n" * 5000])
def test_what_is_too_long_is_not_pasted(ada: Window, bruno: Peer, long: str) -> None:
    """What was written stays, the reason is told, and the clipboard still has it."""
    ada.type("before ", ada.composer)
    ada.paste(long, ada.composer)
    composer = ada.main.composer
    assert composer.draft == "before "
    assert str(composer._problem.cget("text")).startswith(
        "Not pasted: a message has at most 16,384"
    )
    assert composer._problem.winfo_viewable()
    assert copied(ada.root) == long
    ada.type("x")
    assert not composer._problem.winfo_viewable()
    ada.key("<Return>")
    bruno.until(lambda: bruno.texts() == ["before x"], "the message")


def test_no_more_can_be_typed_than_can_be_sent(ada: Window, bruno: Peer) -> None:
    """The key is refused with a reason; the message can be sent as it is."""
    ada.paste("a" * (TEXT_BYTES - 1), ada.composer)
    ada.type("bc")
    composer = ada.main.composer
    assert composer.draft == "a" * (TEXT_BYTES - 1) + "b"
    assert composer._problem.winfo_viewable()
    ada.key("<Shift-Return>")
    assert "\n" not in composer.draft
    ada.key("<BackSpace>")
    assert not composer._problem.winfo_viewable()
    ada.type("d")
    ada.key("<Return>")
    bruno.until(lambda: bruno.texts() == ["a" * (TEXT_BYTES - 1) + "d"], "the message")


def test_a_draft_that_is_too_long_can_be_shortened(ada: Window) -> None:
    """As one of two messages that could not be sent: nothing of it is lost."""
    composer = ada.main.composer
    composer.set_draft("b" * (TEXT_BYTES + 100))
    ada.focus(ada.composer)
    ada.type("x")
    assert len(composer.draft) == TEXT_BYTES + 100
    ada.composer.tag_add("sel", "1.0", "1.50")
    ada.composer.mark_set("insert", "1.50")
    ada.type("x")
    assert composer.draft == "x" + "b" * (TEXT_BYTES + 50)


@x11
@pytest.mark.parametrize("seen", [True, False])
def test_a_middle_click_pastes_into_the_composer(ada: Window, seen: bool) -> None:
    """Also where the hint stands while it is empty."""
    ada.messages.tag_add("sel", "1.0", "1.end")
    said = selected(ada.root).strip()
    assert said == "Today"
    target = ada.main.composer._hint if seen else ada.composer
    target.event_generate("<ButtonPress-2>", x=2, y=3)
    target.event_generate("<ButtonRelease-2>", x=2, y=3)
    ada.settle()
    assert ada.main.composer.draft.strip() == "Today"


def test_the_cursor_is_in_view_before_the_hint(ada: Window) -> None:
    """It is not covered, and the text hardly moves when one begins to write."""
    hint, text = ada.main.composer._hint, ada.composer
    assert hint.winfo_viewable()
    begin = hint.winfo_x()
    ada.type("M", text)
    letter = text.bbox("1.0")
    assert letter is not None
    # Tk draws one half of the cursor on either side of the place.
    cursor = text.winfo_fpixels(text.cget("insertwidth"))
    assert letter[0] + cursor / 2 < begin <= letter[0] + ada.program.theme.px(4)


def test_a_click_on_a_button_leaves_the_keyboard(ada: Window) -> None:
    """Typing goes on, and Space is a space."""
    ada.type("one", ada.composer)
    mode = ada.main._theme.mode
    ada.click(ada.main.header.toggle_theme)
    assert ada.main._theme.mode != mode
    assert ada.root.focus_displayof() is ada.composer
    ada.type(" two")
    assert ada.main.composer.draft == "one two"
    ada.click(ada.main.header.toggle_theme)
    assert ada.main._theme.mode == mode


def test_typing_anywhere_goes_to_the_composer(ada: Window, bruno: Peer) -> None:
    """After a click into the messages or at a list; nothing of it is lost."""
    bruno.say("words")
    ada.wait(lambda: "words" in ada.said, "the message")
    ada.click_text("words")
    ada.focus(ada.messages)
    ada.type("a b")
    assert ada.main.composer.draft == "a b"
    assert ada.root.focus_displayof() is ada.composer
    rooms = ada.main.sidebar.rooms.canvas
    ada.click(rooms, 60, rooms.winfo_height() - 5)
    assert ada.root.focus_displayof() is ada.composer
    ada.click_row(ada.main.members.people, ada.main.overview.me)
    assert ada.root.focus_displayof() is ada.composer
    ada.focus(rooms)
    ada.type("c")
    ada.paste("d", ada.messages)
    assert ada.main.composer.draft == "a bcd"
    # What Tab led to is pressed by Space; letters go on to the composer.
    mode = ada.main._theme.mode
    ada.key("<space>", ada.main.header.toggle_theme)
    ada.wait(lambda: ada.main._theme.mode != mode, "the button's work")
    assert ada.main.composer.draft == "a bcd"
    ada.type("e")
    assert ada.main.composer.draft == "a bcde"


def test_fields_keep_their_keys(ada: Window) -> None:
    """What is looked for is not written."""
    ada.key("<Control-f>", ada.composer)
    ada.type("word")
    assert ada.main.find.field.value == "word"
    ada.root.clipboard_clear()
    ada.root.clipboard_append("other")
    ada.key("<Control-a>")
    ada.key("<Control-v>")
    assert ada.main.find.field.value == "other"
    ada.key("<Control-z>")
    assert ada.main.find.field.value == "word"
    assert ada.main.composer.draft == ""


def test_a_pasted_link_replaces_the_damaged_one(town: Town, host: Host) -> None:
    """Selected and pasted over, there is one link and not two in a row."""
    window = town.window()
    window.turn(Way.LINK)
    window.paste(host.link[:-9], window.join.column.link.link.entry)
    window.join.column.link.link.select_all()
    window.paste(f"{host.link}\n", window.join.column.link.link.entry)
    assert window.join.column.link.link.value == host.link
