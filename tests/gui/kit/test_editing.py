"""Undo, clipboard and menu, of a text with pictures and of a field alike."""

from __future__ import annotations

import sys
import tkinter as tk
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.ui.look.theme import Theme
from common.ui.widgets.editing import Editing, clean_line, clean_lines
from common.ui.widgets.fields import Field
from common.ui.widgets.redirect import redirect_typing
from common.ui.widgets.richtext import RichText
from common.ui.widgets.selection import copied, copy, selected
from common.ui.widgets.textbox import TextBox
from tests.gui.kit.conftest import Pump

SMILE = "\U0001f600"
WOMAN = "\U0001f469"
CODER = "\U0001f469\u200d\U0001f4bb"
THUMB = "\U0001f44d\U0001f3fd"
HAN = "\U00020bb7"
"""Beyond the BMP, and no emoji."""
x11 = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="X11 only")


class Desk:
    """A text or a field, driven by keys and read in characters."""

    def __init__(self, root: tk.Tk, theme: Theme, kind: str, pump: Pump) -> None:
        self._pump = pump
        self.root = root
        self.most = 1_000_000
        self.widget: tk.Text | tk.Entry
        if kind == "text":
            self._make_text(root, theme)
        else:
            self._field = Field(root, theme)
            self._field.pack()
            self.widget, self.editing = self._field.entry, self._field.editing
        pump(self.widget.winfo_viewable)
        self.widget.focus_force()
        pump(lambda: root.focus_displayof() is self.widget)

    def _make_text(self, root: tk.Tk, theme: Theme) -> None:
        text = tk.Text(root, undo=False, height=6)
        self._rich = RichText(text, theme, most_pictures=5)
        self._box = TextBox(text, self._rich, self._refused)
        self.widget, self.editing = text, Editing(self._box, theme)
        text.bind("<<Modified>>", lambda _: self._modified(text))
        text.pack()

    def _refused(self, text: str, _: str) -> bool:
        return len(text) > self.most

    def _modified(self, text: tk.Text) -> None:
        if text.edit_modified():
            self._rich.replace_typed("1.0", "end-1c")
            text.edit_modified(False)
            self.editing.changed()

    @property
    def text(self) -> str:
        """What was typed."""
        self._pump.settle()
        return self.editing._box.characters()

    @property
    def cursor(self) -> int:
        """Where the cursor is, in characters."""
        return self.editing._box.cursor()

    def key(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            self.widget.event_generate(key)
            self._pump.settle()

    def type(self, text: str) -> None:
        """Letters and spaces, key by key."""
        for letter in text:
            self.key("<space>" if letter == " " else f"<Key-{letter}>")

    def commit(self, text: str) -> None:
        """As an input method does it."""
        self.widget.tk.call("tk::TextInsert", str(self.widget), text)
        self._pump.settle()

    @property
    def is_text(self) -> bool:
        """Whether it has several lines."""
        return isinstance(self.widget, tk.Text)

    def choose(self, start: int, end: int) -> None:
        """Select characters."""
        self.editing._box.select(start, end)
        self._pump.settle()

    def undone(self) -> list[str]:
        """All texts that undo leads to, one after the other."""
        passed: list[str] = []
        while True:
            self.key("<Control-z>")
            if passed and passed[-1] == self.text:
                return passed
            passed.append(self.text)


@pytest.fixture(params=["text", "field"])
def desk(root: tk.Tk, theme: Theme, wait_until: Pump, request: pytest.FixtureRequest) -> Desk:
    """Either of the two."""
    return Desk(root, theme, request.param, wait_until)


@pytest.fixture
def text_desk(root: tk.Tk, theme: Theme, wait_until: Pump) -> Desk:
    """A text."""
    return Desk(root, theme, "text", wait_until)


@pytest.fixture
def field_desk(root: tk.Tk, theme: Theme, wait_until: Pump) -> Desk:
    """A field."""
    return Desk(root, theme, "field", wait_until)


def test_typing_is_undone_by_words(desk: Desk) -> None:
    """And done again by Ctrl+Y as well as by Ctrl+Shift+Z; the cursor goes along."""
    desk.type("one two")
    desk.key("<Control-z>")
    assert (desk.text, desk.cursor) == ("one ", 4)
    desk.key("<Control-z>")
    assert desk.text == ""
    desk.key("<Control-Shift-Z>")
    assert desk.text == "one "
    desk.key("<Control-y>")
    assert (desk.text, desk.cursor) == ("one two", 7)
    desk.key("<Control-y>")
    assert desk.text == "one two"


@pytest.mark.parametrize("emoji", [SMILE, CODER, THUMB, HAN, "\U0001f1e9\U0001f1ea"])
def test_emoji_are_undone_as_they_came(desk: Desk, emoji: str) -> None:
    """However often: none is doubled and none lost."""
    desk.type("ab")
    copy(desk.root, emoji)
    desk.key("<Control-v>")
    desk.type("cd")
    assert desk.text == f"ab{emoji}cd"
    for _ in range(2):
        assert desk.undone() == [f"ab{emoji}", "ab", ""]
        desk.key("<Control-y>", "<Control-y>", "<Control-y>")
        assert (desk.text, desk.cursor) == (f"ab{emoji}cd", len(emoji) + 4)
    desk.key("<Control-a>", "<BackSpace>")
    assert desk.text == ""
    desk.key("<Control-z>")
    assert desk.text == f"ab{emoji}cd"


def test_cut_and_pasted_it_is_what_it_was(desk: Desk) -> None:
    """A😀B is A😀B again, on the clipboard too, and each is one step."""
    copy(desk.root, f"A{SMILE}B")
    desk.key("<Control-v>", "<Control-a>", "<Control-x>")
    assert desk.text == ""
    assert copied(desk.root) == f"A{SMILE}B"
    desk.key("<Control-v>", "<Control-v>")
    assert desk.text == f"A{SMILE}BA{SMILE}B"
    assert desk.undone() == [f"A{SMILE}B", "", f"A{SMILE}B", ""]


def test_select_all_and_copy_adds_nothing(desk: Desk) -> None:
    """No newline that nobody typed."""
    desk.type("one")
    desk.key("<Control-a>", "<Control-c>")
    assert copied(desk.root) == "one"
    if desk.is_text:
        desk.editing.insert("a\nb\n")
        desk.key("<Control-a>", "<Control-c>")
        assert copied(desk.root) == "a\nb\n"


@pytest.mark.skipif(sys.platform == "darwin", reason="Option is the key there")
@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("one two  ", ["one ", "", ""]),
        ("one, two", ["one, ", "one", ""]),
        (f"a{SMILE}{CODER} ", ["a", "", ""]),
        (f"{HAN}漢 e\u0301", [f"{HAN}漢 ", "", ""]),
    ],
)
def test_whole_words_are_deleted(desk: Desk, text: str, texts: list[str]) -> None:
    """By Ctrl+BackSpace with the space behind, by Ctrl+Delete with that before; undone each."""
    desk.editing.insert(text)
    passed = []
    for _ in texts:
        desk.key("<Control-BackSpace>")
        passed.append(desk.text)
    assert passed == texts
    desk.key("<Control-z>", "<Control-z>", "<Control-z>")
    desk.editing.replace(0, len(desk.text), "one  two", whole=True)
    desk.editing._box.select(0, 0)
    desk.key("<Control-Delete>")
    assert desk.text == "  two"
    desk.key("<Control-Delete>", "<Control-z>")
    assert desk.text == "  two"


@pytest.mark.parametrize("text", [f"a{HAN}b", f"{HAN}{HAN}", f"{SMILE}{HAN}", f"{CODER}x{HAN}"])
def test_a_character_is_one_step_and_one_key(desk: Desk, text: str) -> None:
    """Of those beyond the BMP, which Tk 8.6 counts as two, and of those that one emoji has."""
    desk.editing.insert(text)
    count = sum(text.count(piece) for piece in (CODER, SMILE, HAN, "a", "b", "x"))
    places = [desk.cursor]
    for _ in range(count):
        desk.key("<Left>")
        places.append(desk.cursor)
    assert places[-1] == 0
    assert len(set(places)) == count + 1
    desk.key("<Right>")
    desk.key("<End>")
    for _ in range(count):
        before = desk.text
        desk.key("<BackSpace>")
        assert before.startswith(desk.text)
        assert desk.text != before
    assert desk.text == ""
    desk.editing.insert(text)
    desk.key("<Home>")
    for _ in range(count):
        desk.key("<Delete>")
    assert desk.text == ""


@pytest.mark.parametrize("key", ["<Control-v>", "<Shift-Insert>"])
def test_pasting_replaces_what_is_selected(desk: Desk, key: str) -> None:
    """In one step, and undone the selection is back."""
    desk.type("onetwo")
    copy(desk.root, f"{SMILE}!")
    desk.choose(1, 4)
    desk.key(key)
    assert (desk.text, desk.cursor) == (f"o{SMILE}!wo", 3)
    assert desk.editing._box.selection() == (3, 3)
    desk.key("<Control-z>")
    assert desk.text == "onetwo"
    assert desk.editing._box.selection() == (1, 4)


def test_typing_over_a_selection_is_one_step(desk: Desk) -> None:
    """What was there comes back by one Ctrl+Z, and nothing else with it."""
    desk.type("onetwo")
    desk.choose(0, 6)
    desk.type("x")
    assert desk.text == "x"
    desk.key("<Control-z>")
    assert desk.text == "onetwo"


def test_a_part_of_an_emoji_may_change(desk: Desk) -> None:
    """One emoji begins like another: the difference is within a picture."""
    copy(desk.root, f"a{CODER}b")
    desk.key("<Control-v>")
    desk.choose(1, 1 + len(CODER))
    copy(desk.root, WOMAN)
    desk.key("<Control-v>")
    assert desk.text == f"a{WOMAN}b"
    desk.key("<Control-z>")
    assert desk.text == f"a{CODER}b"
    desk.key("<Control-y>")
    assert desk.text == f"a{WOMAN}b"
    if desk.is_text:
        assert len(desk.widget.image_names()) == 1


def test_more_emoji_than_are_drawn_are_there(text_desk: Desk) -> None:
    """Beyond some hundreds they are boxes, and characters to everybody else."""
    said = f"a{SMILE}b{CODER}" * 6
    copy(text_desk.root, said)
    text_desk.key("<Control-v>", "<Control-a>", "<Control-c>")
    assert text_desk.text == copied(text_desk.root) == said
    assert len(text_desk.widget.image_names()) == 5
    text_desk.key("<End>")
    text_desk.commit(THUMB)
    text_desk.key("<BackSpace>", "<Left>")
    assert text_desk.cursor == len(said) - len(CODER)
    assert max(text_desk.widget.get("1.0", "end")) <= "\uffff"  # type: ignore[call-arg]
    text_desk.key("<Control-z>", "<Control-z>")
    assert text_desk.text in {said, ""}


def test_a_field_that_goes_while_one_types_leaves_nothing(field_desk: Desk) -> None:
    """What was to be noted then is not: Tk would look for a callback that is gone."""
    field_desk.widget.event_generate("<Key-a>")
    assert field_desk.editing._later is not None
    field_desk.widget.destroy()
    field_desk._pump.settle()


def test_what_the_program_sets_is_not_undone(field_desk: Desk) -> None:
    """Nor what was typed before it."""
    field_desk.type("typed")
    field_desk._field.value = "set"
    field_desk.key("<Control-z>")
    assert field_desk.text == "set"


@x11
def test_a_middle_click_pastes_what_is_selected_elsewhere(desk: Desk) -> None:
    """Where it was clicked, also into nothing, of which a hint tells."""
    other = tk.Entry(desk.root)
    other.insert(0, "selected")
    other.pack()
    other.selection_range(0, "end")
    hint = desk.widget if desk.is_text else desk._field._hint
    hint.event_generate("<Button-2>", x=3, y=3)
    hint.event_generate("<ButtonRelease-2>", x=3, y=3)
    assert desk.text == "selected"
    desk.widget.event_generate("<Button-2>", x=1, y=5)
    desk.widget.event_generate("<ButtonRelease-2>", x=1, y=5)
    assert desk.text == "selected" * 2
    assert desk.cursor == len("selected")
    assert desk.undone() == ["selected", ""]


@x11
def test_a_selection_is_handed_out_as_characters(desk: Desk) -> None:
    """What a middle click in another program gets."""
    copy(desk.root, f"A{SMILE}B")
    desk.key("<Control-v>")
    desk.choose(0, 2)
    assert selected(desk.root) == f"A{SMILE}"


def test_a_secret_is_neither_copied_nor_cut(root: tk.Tk, theme: Theme) -> None:
    """Nor handed out as what is selected; pasting into it is fine."""
    field = Field(root, theme, secret=True, value="secret")
    copy(root, "kept")
    field.select_all()
    for event in ("<<Copy>>", "<<Cut>>"):
        field.entry.event_generate(event)
    assert copied(root) == "kept"
    assert selected(root) == ""
    assert [item.label for item in field.editing.menu() if item.enabled and item.label] == ["Paste"]


def test_the_menu_offers_what_makes_sense(desk: Desk) -> None:
    """All of it is there always; what can't be done is greyed."""

    def offered() -> list[str]:
        return [item.label for item in desk.editing.menu() if item.label and item.enabled]

    labels = [item.label for item in desk.editing.menu()]
    assert labels == ["Undo", "Redo", "", "Cut", "Copy", "Paste", "", "Select all"]
    desk.root.clipboard_clear()
    assert offered() == []
    desk.type("one")
    assert offered() == ["Undo", "Select all"]
    copy(desk.root, "x")
    desk.choose(0, 2)
    assert offered() == ["Undo", "Cut", "Copy", "Paste", "Select all"]
    desk.choose(0, 3)
    assert "Select all" not in offered()
    desk.key("<Control-z>")
    assert offered() == ["Redo", "Paste"]


def test_what_is_for_reading_offers_no_change(root: tk.Tk, theme: Theme) -> None:
    """A field that only shows something can be copied; whole, if it is shown shortened."""
    field = Field(root, theme, value="chat://shor…")
    field.entry.configure(state="readonly")
    field.copy_as("chat://shortened")
    enabled = [item.label for item in field.editing.menu() if item.enabled and item.label]
    assert enabled == ["Copy", "Select all"]
    field.select_all()
    assert [item.label for item in field.editing.menu()] == ["Copy", "", "Select all"]
    field.entry.event_generate("<<Copy>>")
    field.entry.event_generate("<<Paste>>")
    field.entry.event_generate("<<Undo>>")
    assert field.value == "chat://shor…"
    assert copied(root) == "chat://shortened"


@pytest.mark.parametrize("key", ["<Menu>", "<Shift-F10>", "<Button-3>"])
@x11
def test_the_menu_comes_up(
    desk: Desk, wait_until: Pump, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """By the right button and by the keyboard; what is chosen is done."""
    desk.type("one")
    shown: list[Callable[[], object]] = []
    monkeypatch.setattr(
        "common.ui.widgets.editing.popup",
        lambda _parent, _theme, items, _x, _y: shown.extend(
            item.command for item in items if item.label == "Select all"
        ),
    )
    desk.widget.event_generate(key)
    wait_until(lambda: shown)
    shown.pop()()
    assert desk.editing._box.selected() == "one"


def test_what_is_refused_changes_nothing(text_desk: Desk) -> None:
    """Pasted or typed, over a selection too; deleting is never refused."""
    text_desk.type("abc")
    text_desk.most = 4
    copy(text_desk.root, "pasted")
    text_desk.choose(0, 1)
    text_desk.key("<Control-v>")
    assert text_desk.text == "abc"
    assert text_desk.editing._box.selected() == "a"
    text_desk.choose(3, 3)
    text_desk.type("defg")
    assert text_desk.text == "abcd"
    text_desk.key("<BackSpace>")
    assert text_desk.text == "abc"


LINE_ENDS = ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_whatever_ends_a_line_is_a_newline(end: str) -> None:
    """Words are not glued together; one line has spaces instead."""
    assert clean_lines(f"a{end}b{end}") == "a\nb\n"
    assert clean_line(f"a{end}b{end}") == "a b"


def test_indentation_and_tabs_stay() -> None:
    """Only what no text has goes: control characters, half characters."""
    snippet = "    if x:\n\treturn\x1b[0m\x00\ud800"
    assert clean_lines(snippet) == "    if x:\n\treturn[0m"
    assert clean_line("\tname ") == " name "
    assert clean_lines(f"{CODER}\u200e\u202e") == f"{CODER}\u200e\u202e"


_PIECES = st.sampled_from(["a", " b", SMILE, CODER, THUMB, WOMAN, HAN, "\u200d", "\n", "漢", ""])
_EDITS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 20), st.integers(0, 6), _PIECES),
        st.sampled_from(["undo", "redo"]),
    ),
    max_size=12,
)


@given(_EDITS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_widget_and_its_history_say_the_same(
    desk: Desk, edits: list[tuple[int, int, str] | str]
) -> None:
    """Whatever stretch of emoji is replaced by whatever, undone and done again."""
    box, editing = desk.editing._box, desk.editing
    box.replace(0, len(box.characters()), "")
    editing.reset()
    said = ""
    for edit in edits:
        if isinstance(edit, tuple):
            start = min(edit[0], len(said))
            end = min(start + edit[1], len(said))
            piece = box.clean(edit[2])
            if start == end and not piece:
                continue
            editing.replace(start, end, piece, whole=True)
            said = said[:start] + piece + said[end:]
            assert box.cursor() >= start + len(piece) or max(said) > "\u2000"
        else:
            editing.undo() if edit == "undo" else editing.redo()
            said = editing._history.text
        assert box.characters() == said
        assert editing._history.text == said
    while editing._history.can_undo:
        editing.undo()
        assert box.characters() == editing._history.text
    assert box.characters() == ""
    while editing._history.can_redo:
        editing.redo()
        assert box.characters() == editing._history.text


def test_typing_elsewhere_goes_to_the_text(text_desk: Desk, theme: Theme, wait_until: Pump) -> None:
    """From what has no use for it; what is pasted there, too."""
    root = text_desk.root
    redirect_typing(root, lambda: text_desk.editing)
    canvas = tk.Canvas(root, width=50, height=20)
    canvas.pack()
    used: list[str] = []
    canvas.bind("<space>", lambda _: used.append("space"))
    field = Field(root, theme)
    field.pack()
    wait_until(field.winfo_viewable)

    def press(widget: tk.Misc, key: str) -> None:
        widget.focus_force()
        wait_until(lambda: root.focus_displayof() is widget)
        widget.event_generate(key)
        wait_until.settle()

    press(canvas, "<Key-a>")
    assert text_desk.text == "a"
    text_desk.choose(0, 1)  # and is not replaced by what is typed elsewhere
    wait_until(lambda: root.focus_displayof() is text_desk.widget)
    press(canvas, "<space>")
    press(canvas, "<Left>")
    press(canvas, "<Control-b>")
    press(field.entry, "<Key-b>")
    assert (text_desk.text, used, field.value) == ("a", ["space"], "b")
    copy(root, SMILE)
    press(canvas, "<Control-v>")
    text_desk.choose(0, 2)
    press(root, "<Key-c>")
    assert text_desk.text == f"a{SMILE}c"
    press(canvas, "<Control-z>")
    assert text_desk.text == f"a{SMILE}"
    press(canvas, "<Control-y>")
    assert text_desk.text == f"a{SMILE}c"
    other = tk.Toplevel(root)
    wait_until(other.winfo_viewable)
    press(other, "<Key-d>")
    assert text_desk.text == f"a{SMILE}c"


def test_return_is_not_lost_before_the_text_is_on_the_screen(
    text_desk: Desk, wait_until: Pump
) -> None:
    """Who types as soon as there is a window sends what was typed; elsewhere Return stays."""
    root, sent = text_desk.root, []
    redirect_typing(root, lambda: text_desk.editing, lambda: sent.append(text_desk.text))
    text_desk.widget.pack_forget()
    root.focus_force()
    wait_until(lambda: root.focus_displayof() is root)
    for key in ("<Key-h>", "<Key-i>", "<Shift-Return>", "<Return>"):
        root.event_generate(key)
        wait_until.settle()
    assert sent == ["hi"]
    text_desk.widget.pack()
    wait_until(lambda: root.focus_displayof() is text_desk.widget)
    canvas = tk.Canvas(root, width=50, height=20)
    canvas.pack()
    wait_until(canvas.winfo_viewable)
    canvas.focus_force()
    wait_until(lambda: root.focus_displayof() is canvas)
    canvas.event_generate("<Return>")
    wait_until.settle()
    assert sent == ["hi"]


@pytest.mark.parametrize("letter", ["a", "漢", SMILE, CODER, "\n"])
def test_a_field_takes_no_more_than_it_holds(
    root: tk.Tk, theme: Theme, wait_until: Pump, letter: str
) -> None:
    """A pasted book is cut before Tk has to measure it."""
    field = Field(root, theme, limit=100)
    field.pack()
    wait_until(field.winfo_viewable)
    lengths: list[int] = []
    field._variable.trace_add("write", lambda *_: lengths.append(len(field._variable.get())))
    copy(root, f"begin{letter * 3000}")
    field.entry.event_generate("<<Paste>>")
    wait_until(lambda: lengths)
    assert max(lengths) <= 100
    assert field.value == ("begin" if letter == "\n" else f"begin{letter * (95 // len(letter))}")


def test_a_long_line_costs_no_more_than_reading_it(
    text_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in 16,000 characters: the widget is read a few times, whatever is in them."""
    text_desk.editing.insert("a" * 8000 + SMILE * 1000)
    reads: list[tuple[str, str]] = []
    dump = RichText._dump

    def counted(rich: RichText, start: str, end: str) -> Iterator[tuple[str, str, str]]:
        reads.append((start, end))
        return dump(rich, start, end)

    monkeypatch.setattr(RichText, "_dump", counted)
    text_desk.key("<Key-x>")
    assert text_desk.text.endswith(f"{SMILE}x")
    assert len(reads) <= 10
