"""Buttons, fields, switches and scrollbars answer the mouse and the keyboard."""

from __future__ import annotations

import sys
import tkinter as tk

import pytest

from common.ui.look.cards import Card
from common.ui.look.theme import Theme, surface_of
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button, Variant
from common.ui.widgets.fields import Field
from common.ui.widgets.scrolling import Scrollbar, ScrollPane
from common.ui.widgets.switch import Switch
from tests.gui.kit.conftest import Pump


def _show(widget: tk.Widget, wait_until: Pump) -> None:
    widget.pack()
    wait_until(widget.winfo_viewable)


def _focus(widget: tk.Misc, wait_until: Pump) -> None:
    widget.focus_force()
    wait_until(lambda: widget.focus_get() is widget)


@pytest.mark.parametrize("key", ["<space>", "<Return>", "<KP_Enter>"])
def test_keys_press_a_button(root: tk.Tk, theme: Theme, wait_until: Pump, key: str) -> None:
    """Space and Return press the button that has the keyboard, once."""
    pressed: list[int] = []
    button = Button(root, theme, "Copy", lambda: pressed.append(1), icon="copy")
    _show(button, wait_until)
    _focus(button, wait_until)
    button.event_generate(key)
    wait_until(lambda: pressed == [1])
    button.enabled = False
    button.event_generate(key)
    wait_until.settle()
    assert pressed == [1]
    assert not button.enabled


def test_the_mouse_presses_a_button(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """A click presses it; a release outside does not."""
    pressed: list[int] = []
    button = Button(root, theme, "Join", lambda: pressed.append(1), variant="primary")
    _show(button, wait_until)
    for x in (10, 900):
        button.event_generate("<Enter>")
        button.event_generate("<Button-1>", x=10, y=10)
        button.event_generate("<Leave>" if x > 100 else "<Motion>", x=x, y=10, state=0x100)
        button.event_generate("<ButtonRelease-1>", x=x, y=10)
    wait_until.settle()
    assert pressed == [1]


@pytest.mark.parametrize("variant", ["primary", "secondary", "danger", "quiet", "link"])
@pytest.mark.parametrize("height", [30, 34, 48])
def test_a_button_is_as_high_as_asked(
    root: tk.Tk, theme: Theme, wait_until: Pump, variant: Variant, height: int
) -> None:
    """The height is the promised one for every variant, with and without an icon."""
    for text, icon in (("Go", None), ("Go", "link"), ("", "link")):
        button = Button(root, theme, text, variant=variant, height=height, icon=icon)  # type: ignore[arg-type]
        _show(button, wait_until)
        assert button.winfo_reqheight() == height


def test_tab_goes_from_part_to_part(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Tab reaches every control in the order they were made."""
    field = Field(root, theme, placeholder="Name")
    switch = Switch(root, theme)
    button = Button(root, theme, "Join")
    for part in (field, switch, button):
        part.pack()
    wait_until(button.winfo_viewable)
    _focus(field.entry, wait_until)
    for then in (switch, button, field.entry):
        root.focus_get().event_generate("<Tab>")  # type: ignore[union-attr]
        wait_until(lambda then=then: root.focus_get() is then)  # type: ignore[misc]


def test_what_is_selected_is_shown_where_the_keyboard_is(
    root: tk.Tk, theme: Theme, wait_until: Pump
) -> None:
    """Tab selects a field's text, and leaves it looking as before; a menu over it does not."""
    one, other = Field(root, theme, value="Ada"), Field(root, theme, value="ada")
    for part in (one, other):
        part.pack()
    wait_until(other.winfo_viewable)
    _focus(one.entry, wait_until)

    def shown(field: Field) -> bool:
        grounds = {str(field.entry.cget(each)) for each in ("selectbackground", "background")}
        return len(grounds) == 2

    for field, then in ((one, other), (other, one)):
        field.select_all()
        assert shown(field)
        field.entry.event_generate("<Tab>")
        wait_until(lambda field=field: not shown(field))  # type: ignore[misc]
        assert shown(then)
    one.select_all()
    one.entry.event_generate("<FocusOut>")  # as when a menu or another window has it for now
    wait_until.settle()
    assert shown(one)


def test_typing_into_a_field(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Edits are told, the hint goes when there is text, the limit holds."""
    told: list[str] = []
    sent: list[str] = []
    field = Field(
        root, theme, placeholder="Name", limit=3, on_change=told.append, on_submit=sent.append
    )
    _show(field, wait_until)
    assert field._hint.winfo_manager()
    _focus(field.entry, wait_until)
    for key in ("a", "b", "c", "d"):
        field.entry.event_generate(f"<{key}>")
    wait_until(lambda: field.value == "abc")
    assert not field._hint.winfo_manager()
    assert told[:3] == ["a", "ab", "abc"]
    field.entry.event_generate("<Return>")
    wait_until(lambda: sent == ["abc"])
    field.value = ""
    wait_until(field._hint.winfo_manager)


@pytest.mark.parametrize(
    ("before", "at", "typed", "after", "then"),
    [
        ("0123456789", 5, "abc", "01234abc56", 8),
        ("0123456789", 0, "abcdefghijklm", "abcdefghij", 10),
        ("0123", 4, "4567890", "0123456789", 10),
        ("", 0, "0123", "0123", 4),
    ],
)
def test_what_is_too_long_is_cut_at_the_end(
    root: tk.Tk, theme: Theme, before: str, at: int, typed: str, after: str, then: int
) -> None:
    """The cursor stays behind what was typed, or at the end of what is left."""
    field = Field(root, theme, limit=10, value=before)
    field.entry.icursor(at)
    if len(typed) > 3:
        field.entry.insert("insert", typed)  # pasted
    else:
        for letter in typed:
            field.entry.insert("insert", letter)
    assert (field.value, field.entry.get(), field.entry.index("insert")) == (after, after, then)


@pytest.mark.parametrize("way", ["typed", "pasted", "given"])
def test_the_limit_counts_the_characters_of_emoji(root: tk.Tk, theme: Theme, way: str) -> None:
    """A family is one box here and seven characters for whoever gets the text; none is split."""
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
    field = Field(root, theme, limit=20)
    if way == "typed":
        for _ in range(5):
            field.entry.insert("end", family)
    elif way == "pasted":
        field.editing.replace(0, 0, field._box.clean(family * 5))
    else:
        field.value = family * 5
    assert len(field.value) <= 20
    if sys.platform not in {"win32", "darwin"}:
        assert field.value == family * 2
        field.entry.insert("end", "abcdefghijk")
        assert field.value == f"{family * 2}abcdef"


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="there Tk can show emoji")
def test_emoji_are_copied_from_a_field(root: tk.Tk, theme: Theme) -> None:
    """And cut: what others get are the emoji, not what stands for them."""
    field = Field(root, theme, value="hi \U0001f600 you")
    field.entry.selection_range(3, "end")
    field.entry.event_generate("<<Copy>>")
    assert root.clipboard_get() == "\U0001f600 you"
    field.entry.event_generate("<<Cut>>")
    assert (root.clipboard_get(), field.value) == ("\U0001f600 you", "hi ")
    hidden = Field(root, theme, value="secret", secret=True)
    hidden.select_all()
    hidden.entry.event_generate("<<Copy>>")
    assert root.clipboard_get() == "\U0001f600 you"


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="there Tk can show emoji")
def test_a_field_shows_no_emoji_but_has_them(root: tk.Tk, theme: Theme) -> None:
    """Raw emoji end the program where libXft is older; in the text they are what was typed."""
    told: list[str] = []
    field = Field(root, theme, on_change=told.append, value="a \U0001f600")
    field.entry.insert(2, "\U0001f44d\U0001f3fd and ")
    thumb = "\U0001f44d\U0001f3fd"
    assert field.value == told[-1] == f"a {thumb} and \U0001f600"
    assert max(field.entry.get()) <= "\uffff"
    assert len(field.entry.get()) == len("a x and x")
    # The cursor stands where it would.
    field.entry.icursor(3)
    field.entry.insert("insert", thumb)
    assert field.entry.index("insert") == 4
    assert field.value == f"a {thumb}{thumb} and \U0001f600"
    # By what it is set to, too; and newer ones, or parts of one.
    field.value = "\U0001f600 \U0001f3fd \U0001f1e9"
    assert field.value == told[-1] == "\U0001f600 \U0001f3fd \U0001f1e9"
    assert len(field.entry.get()) == 5
    assert max(field.entry.get()) <= "\uffff"
    field.value = "plain"
    assert field.value == field.entry.get() == told[-1] == "plain"


def test_a_field_shows_focus_and_error(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """A click on its icon or hint puts the cursor in; an error state can be set and taken."""
    field = Field(root, theme, placeholder="Port", icon="search", note="1 to 65535")
    other = Button(root, theme, "Other")
    _show(field, wait_until)
    _show(other, wait_until)
    _focus(other, wait_until)
    field._icon_label.event_generate("<Button-1>")
    wait_until(lambda: root.focus_get() is field.entry)
    wait_until(lambda: field.instate(["focus"]))
    field.set_error(True)
    assert field.instate(["invalid"])
    field.set_error(False)
    field.set_note("")
    assert not field.instate(["invalid"])


def test_select_all(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Ctrl+A selects the text on every system."""
    field = Field(root, theme, value="abc")
    _show(field, wait_until)
    _focus(field.entry, wait_until)
    field.entry.event_generate("<Control-a>")
    wait_until(field.entry.selection_present)
    assert (
        field.entry.get()[field.entry.index("sel.first") : field.entry.index("sel.last")] == "abc"
    )


def test_a_switch_toggles(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """A click, Space and Return toggle it and tell; `set` shows and does not tell."""
    told: list[bool] = []
    switch = Switch(root, theme, on_change=told.append)
    _show(switch, wait_until)
    _focus(switch, wait_until)
    for event in ("<Button-1>", "<space>", "<Return>"):
        switch.event_generate(event)
    wait_until(lambda: told == [True, False, True])
    switch.set(False)
    switch.enabled = False
    switch.event_generate("<space>")
    wait_until.settle()
    assert (switch.on, told) == (False, [True, False, True])


def test_a_scrollbar_drags_and_pages(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """The thumb can be dragged; a click beside it turns a page; it hides when not needed."""
    text = tk.Text(root, height=10)
    bar = Scrollbar(root, theme, text.yview)
    text.configure(yscrollcommand=bar.set)
    text.pack(side="left")
    bar.pack(side="left", fill="y")
    wait_until(bar.winfo_viewable)
    assert not bar.find_all()
    text.insert("end", "line\n" * 200)
    wait_until(bar.find_all)
    bar.event_generate("<Button-1>", x=4, y=bar.winfo_height() - 4)
    bar.event_generate("<ButtonRelease-1>", x=4, y=bar.winfo_height() - 4)
    wait_until(lambda: bar.thumb()[0] > 0)
    top, bottom = bar.thumb()
    middle = (top + bottom) // 2
    bar.event_generate("<Button-1>", x=4, y=middle)
    bar.event_generate("<B1-Motion>", x=4, y=middle + 900)
    bar.event_generate("<ButtonRelease-1>", x=4, y=middle + 900)
    wait_until(lambda: text.yview()[1] == 1)
    bar.event_generate("<Button-4>")
    wait_until(lambda: text.yview()[1] < 1)


def test_parts_stand_on_the_surface_they_are_put_on(root: tk.Tk, theme: Theme) -> None:
    """A label takes the background of the nearest container, in both looks."""
    side = Panel(root, theme, "sidebar")
    card = Card(side, theme, "raised")
    inner = Panel(card, theme)
    label = Label(inner, theme, "Running", icon="check")
    assert surface_of(label) == inner.surface == "raised"
    assert label.cget("background") == theme.palette.raised
    theme.switch("dark")
    assert label.cget("background") == theme.palette.raised
    assert side.cget("background") == theme.palette.sidebar


def test_a_subclass_paints_more(root: tk.Tk, theme: Theme) -> None:
    """What it subscribes is called in addition, so that it need not know what it is made of."""
    panel, painted = Panel(root, theme, "sidebar"), []
    theme.subscribe(panel, lambda: painted.append(theme.mode))
    theme.switch("dark")
    assert painted == ["light", "dark"]
    assert panel.cget("background") == theme.palette.sidebar


def test_a_destroyed_widget_is_not_painted(root: tk.Tk, theme: Theme) -> None:
    """A switch after a page has gone touches none of it."""
    page = Panel(root, theme)
    for text in ("a", "b"):
        Label(page, theme, text)
    page.destroy()
    theme.toggle()
    theme.toggle()
    assert not theme._subscribers


def _pane(root: tk.Tk, theme: Theme, rows: int) -> tuple[ScrollPane, list[Button]]:
    pane = ScrollPane(root, theme, lambda *_: pane.put(content, 0.5, 6))
    content = Panel(pane.inside, theme)
    buttons = [Button(content, theme, f"Button {number}") for number in range(rows)]
    for button in buttons:
        button.pack(pady=20)
    pane.adopt()
    pane.pack(fill="both", expand=True)
    return pane, buttons


def _in_view(pane: ScrollPane, part: tk.Misc) -> bool:
    top = part.winfo_rooty() - pane.winfo_rooty()
    return top >= 0 and top + part.winfo_height() <= pane.winfo_height()


def test_a_page_scrolls_to_what_gets_the_keyboard(
    root: tk.Tk, theme: Theme, wait_until: Pump
) -> None:
    """Tab and the wheel reach what is below, also over the parts of the page."""
    pane, buttons = _pane(root, theme, 20)
    wait_until(pane._scrollbar.winfo_viewable)
    assert _in_view(pane, buttons[0])
    assert not _in_view(pane, buttons[-1])
    _focus(buttons[-1], wait_until)
    wait_until(lambda: _in_view(pane, buttons[-1]))
    _focus(buttons[0], wait_until)
    wait_until(lambda: _in_view(pane, buttons[0]))
    before = pane.canvas.yview()[0]
    buttons[1].event_generate("<Button-5>")
    wait_until(lambda: pane.canvas.yview()[0] > before)
    buttons[1].event_generate("<Button-4>")
    wait_until(lambda: pane.canvas.yview()[0] == before)


def test_a_page_that_fits_does_not_scroll(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """It stands in the middle, without a scrollbar, and stays there."""
    pane, buttons = _pane(root, theme, 2)
    wait_until(lambda: _in_view(pane, buttons[1]) and buttons[1].winfo_viewable())
    buttons[1].event_generate("<Button-5>")
    wait_until.settle()
    assert not pane._scrollbar.winfo_manager()
    assert pane.canvas.yview() == (0.0, 1.0)
    above = buttons[0].winfo_rooty() - pane.winfo_rooty()
    below = pane.winfo_height() - (buttons[1].winfo_rooty() - pane.winfo_rooty())
    assert abs(above - (below - buttons[1].winfo_height())) <= 1
