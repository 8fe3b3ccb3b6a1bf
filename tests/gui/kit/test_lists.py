"""Tables and row lists: selection, scrolling, sorting, and drawing only what is seen."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from typing import Final

import pytest

from common.ui.lists.row_list import ListRow, RowList, Section
from common.ui.lists.table import Column, PersonCell, Row, Table, TextCell
from common.ui.look.theme import Theme
from tests.gui.kit.conftest import Pump

COLUMNS = (Column("name", "Name", stretch=True), Column("n", "Number", 80, align="right"))


def _row(n: int, name: str = "") -> Row:
    return Row(f"k{n}", (PersonCell(name or f"Person {n:05}", f"p{n}"), TextCell(str(n), sort=n)))


@pytest.fixture
def table(root: tk.Tk, theme: Theme, wait_until: Pump) -> Table:
    """A table with 5,000 rows, on the screen."""
    made = Table(root, theme, COLUMNS, sort="n")
    made.pack(fill="both", expand=True)
    made.set_rows([_row(n) for n in range(5000)])
    wait_until(lambda: made._drawn)
    return made


def _keys(table: Table, *keys: str) -> None:
    for key in keys:
        table.canvas.event_generate(f"<{key}>")


def test_only_rows_in_view_are_drawn(table: Table, wait_until: Pump) -> None:
    """However long the table is, and wherever it is scrolled to."""
    seen = table.canvas.winfo_height() // 37 + 2
    assert len(table._drawn) <= seen
    table.canvas.yview_moveto(0.5)
    wait_until(lambda: min(table._drawn) > 2000)
    assert len(table._drawn) <= seen
    assert len(table.canvas.find_all()) < seen * 8


def test_keys_move_the_selection(table: Table, wait_until: Pump) -> None:
    """Down, Up, Home, End and the page keys select, tell, and scroll into view."""
    told: list[str | None] = []
    table.on_select = told.append
    table.canvas.focus_force()
    wait_until(lambda: table.focus_get() is table.canvas)
    _keys(table, "Down", "Down", "Down", "Up")
    wait_until(lambda: told == ["k0", "k1", "k2", "k1"])
    _keys(table, "End")
    wait_until(lambda: table.selected == "k4999")
    top, bottom = table.bounds("k4999")
    assert 0 <= top < bottom <= table.canvas.winfo_height()
    _keys(table, "Home", "Next")
    wait_until(lambda: table.selected == "k10")


def test_the_mouse_selects_and_opens(table: Table, wait_until: Pump) -> None:
    """A click selects, a double click opens, the other button asks for a menu."""
    opened: list[str] = []
    menus: list[str] = []
    table.on_open = opened.append
    table.on_menu = lambda key, _x, _y: menus.append(key)
    y = sum(table.bounds("k3")) // 2
    table.canvas.event_generate("<Button-1>", x=50, y=y)
    wait_until(lambda: table.selected == "k3")
    table.canvas.event_generate("<Button-1>", x=50, y=y)
    wait_until(lambda: opened == ["k3"])
    table.canvas.event_generate("<Button-3>", x=50, y=y + 37)
    wait_until(lambda: menus == ["k4"])
    assert table.selected == "k4"
    right = table.canvas.winfo_width() - 15
    table.canvas.event_generate("<Button-1>", x=right, y=y)
    wait_until(lambda: menus == ["k4", "k3"])


def test_the_wheel_scrolls(table: Table, wait_until: Pump) -> None:
    """X11's wheel buttons scroll down and up again."""
    table.canvas.event_generate("<Button-5>")
    wait_until(lambda: table.bounds("k0")[0] < 0)
    table.canvas.event_generate("<Button-4>")
    wait_until(lambda: table.bounds("k0")[0] == 0)


def test_an_update_keeps_the_place_and_the_selection(table: Table, wait_until: Pump) -> None:
    """Rows come and go above the view; what is in view stays where it is."""
    table.select("k2500")
    wait_until.settle()
    before = table.bounds("k2500")
    told: list[str | None] = []
    table.on_select = told.append
    table.set_rows([_row(n) for n in range(-300, 5000) if n % 7 or n == 2500])
    wait_until.settle()
    assert table.selected == "k2500"
    assert table.bounds("k2500") == before
    table.set_rows([_row(n) for n in range(100)])
    assert told == [None]
    assert not table.selected


def test_changes_above_the_view_draw_nothing_of_it(table: Table, wait_until: Pump) -> None:
    """Tk draws all that is in view when it is told what can be scrolled to: not at each change."""
    table.canvas.yview_moveto(0.5)
    wait_until(lambda: min(table._drawn) > 2000)
    seen = list(table._drawn.values())[3].item.key
    place, drawings = table.bounds(seen), table._drawings
    region = str(table.canvas.cget("scrollregion"))
    for count in range(1, 9):
        table.set_rows([_row(n) for n in range(-count, 5000)])
        assert table.bounds(seen) == place
    assert str(table.canvas.cget("scrollregion")) == region
    assert table._drawings == drawings
    wait_until(lambda: str(table.canvas.cget("scrollregion")) != region)
    assert table.bounds(seen) == place
    assert table._drawings == drawings


@pytest.mark.parametrize(("end", "key"), [(-(10**6), "k-8"), (10**6, "k4999")])
def test_who_scrolls_at_once_gets_to_the_new_end(table: Table, end: int, key: str) -> None:
    """Before the scrollbar shows that there are more rows."""
    table.canvas.yview_moveto(0.5)
    table.canvas.update()
    table.set_rows([_row(n) for n in range(-8, 5000)])
    table._wheel(end)
    table.canvas.update()
    top, bottom = table.bounds(key)
    assert top >= 0
    assert bottom <= table.canvas.winfo_height()


def test_a_list_that_shrinks_to_less_than_the_view_is_shown_whole(
    table: Table, wait_until: Pump
) -> None:
    """Wherever it was scrolled to, at once."""
    table.canvas.yview_moveto(1.0)
    wait_until(lambda: max(table._drawn) == 4999)
    table.set_rows([_row(n) for n in range(20)])
    assert table.bounds("k19")[1] <= table.canvas.winfo_height()
    table.set_rows([_row(n) for n in range(3)])
    assert table.bounds("k0")[0] == 0
    wait_until(lambda: not table.scrollbar.winfo_manager())


def test_a_list_may_end_before_it_says_how_long_it_is(table: Table, root: tk.Tk) -> None:
    """Nothing of it is left to be done then."""
    table.canvas.yview_moveto(0.5)
    table.canvas.update()
    table.set_rows([_row(n) for n in range(-8, 5000)])
    assert table._resize_later is not None
    before = set(root.tk.splitlist(root.tk.call("after", "info")))
    timer = table._resize_later
    assert timer in before
    table.destroy()
    assert timer not in root.tk.splitlist(root.tk.call("after", "info"))


def test_an_equal_update_draws_nothing(table: Table, wait_until: Pump) -> None:
    """Rows equal to those shown keep their canvas items; one changed row is drawn anew."""
    before = set(table.canvas.find_all())
    table.set_rows([_row(n) for n in range(5000)])
    assert set(table.canvas.find_all()) == before
    table.set_rows([_row(n, "Changed" if n == 2 else "") for n in range(5000)])
    wait_until.settle()
    new = set(table.canvas.find_all()) - before
    assert 0 < len(new) <= 6


def test_titles_sort(table: Table, wait_until: Pump) -> None:
    """A click on a title sorts, a second one turns round; numbers sort as numbers."""
    told: list[tuple[str, bool]] = []
    table.on_sort = lambda column, descending: told.append((column, descending))
    x, y = table._head.title_place("n")
    table._head.event_generate("<Button-1>", x=x, y=y)
    wait_until(lambda: told == [("n", True)])
    assert table.order()[:2] == ["k4999", "k4998"]
    table._head.focus_force()
    wait_until(lambda: table.focus_get() is table._head)
    table._head.event_generate("<Left>")
    table._head.event_generate("<space>")
    wait_until(lambda: told[1:] == [("name", False)])
    assert table.order()[:2] == ["k0", "k1"]


def test_columns_shrink_with_the_window(table: Table, root: tk.Tk, wait_until: Pump) -> None:
    """In a narrow window every column still is inside."""
    root.geometry("260x400")
    wait_until(lambda: table.canvas.winfo_width() < 270)
    wait_until.settle()
    assert table._spans[-1][1] <= table.canvas.winfo_width()
    assert table._spans[0][1] < table._spans[1][0]


def test_a_list_shorter_than_the_view_does_not_scroll(table: Table, wait_until: Pump) -> None:
    """The scrollbar goes with the need for it, and the wheel does nothing."""
    wait_until(table.scrollbar.winfo_manager)
    table.set_rows([_row(n) for n in range(3)])
    wait_until(lambda: not table.scrollbar.winfo_manager())
    wait_until(lambda: table.canvas.winfo_width() == table.winfo_width())
    table.canvas.event_generate("<Button-5>")
    wait_until.settle()
    assert table.bounds("k0")[0] == 0
    table.set_rows([])
    assert table.order() == []


def test_headings_cannot_be_selected(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Keys pass over headings, clicks on them do nothing."""
    rows = RowList(root, theme, surface="sidebar")
    rows.pack(fill="both", expand=True)
    rows.set_sections(
        [
            Section("Rooms", (ListRow("a", "alpha", "hash"), ListRow("b", "beta", bold=True))),
            Section("People", (ListRow("c", "gamma", count="3"),), line=True),
        ]
    )
    wait_until(lambda: rows._drawn)
    rows.canvas.event_generate("<Button-1>", x=40, y=5)
    wait_until.settle()
    assert rows.selected is None
    rows.canvas.focus_force()
    wait_until(lambda: rows.focus_get() is rows.canvas)
    for expected in ("a", "b", "c", "c"):
        rows.canvas.event_generate("<Down>")
        wait_until(lambda expected=expected: rows.selected == expected)  # type: ignore[misc]
    rows.select(None)
    assert rows.selected is None
    rows.select("nobody")
    assert rows.selected is None


def test_tab_shows_where_the_keyboard_is(
    root: tk.Tk, theme: Theme, table: Table, wait_until: Pump
) -> None:
    """Arriving by Tab draws a ring; the mouse does not."""
    table.canvas.focus_force()
    wait_until(lambda: table.focus_get() is table.canvas)
    plain = len(table.canvas.find_withtag(table._drawn[0].tag))
    table.canvas.event_generate("<<TraverseIn>>")
    wait_until(lambda: len(table.canvas.find_withtag(table._drawn[0].tag)) == plain + 1)
    table.canvas.event_generate("<Button-1>", x=40, y=60)
    wait_until.settle()
    assert len(table.canvas.find_withtag(table._drawn[0].tag)) <= plain
    assert root.winfo_exists()
    assert theme.mode == "light"


def _rows(root: tk.Tk, theme: Theme, wait_until: Pump) -> tuple[RowList, list[str]]:
    told: list[str] = []
    rows = RowList(
        root,
        theme,
        on_select=lambda key: told.append(f"select {key}"),
        on_click=lambda key: told.append(f"click {key}"),
        on_open=lambda key: told.append(f"open {key}"),
    )
    rows.pack(fill="both", expand=True)
    rows.set_sections([Section("", tuple(ListRow(key, key) for key in "abc"))])
    wait_until(lambda: rows._drawn)
    return rows, told


def _at(rows: RowList, key: str) -> int:
    return sum(rows.bounds(key)) // 2


def test_keys_go_on_from_where_they_were(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Also when what was done there left nothing selected, as a person's menu does."""
    rows, _ = _rows(root, theme, wait_until)
    menus: list[str] = []

    def ask(key: str, x: int, y: int) -> None:
        del x, y
        rows.select(None)
        menus.append(key)

    rows.on_menu = ask
    rows.canvas.focus_force()
    wait_until(lambda: rows.focus_get() is rows.canvas)
    for event in ("<Down>", "<Down>", "<Shift-F10>", "<Shift-F10>", "<Down>", "<Shift-F10>"):
        rows.canvas.event_generate(event)
        wait_until.settle()
    assert menus == ["b", "b", "c"]
    rows.canvas.event_generate("<Button-3>", x=30, y=_at(rows, "a"))
    wait_until.settle()
    rows.canvas.event_generate("<Shift-F10>")
    wait_until(lambda: menus == ["b", "b", "c", "a", "a"])
    rows.set_sections([Section("", tuple(ListRow(key, key) for key in "bc"))])
    rows.canvas.event_generate("<Shift-F10>")
    wait_until(lambda: menus[-1] == "b")


def test_a_press_and_release_on_one_row_is_a_click(
    root: tk.Tk, theme: Theme, wait_until: Pump
) -> None:
    """The press alone does nothing, so that it can be taken back."""
    rows, told = _rows(root, theme, wait_until)
    rows.canvas.event_generate("<ButtonPress-1>", x=30, y=_at(rows, "b"))
    wait_until.settle()
    assert (told, rows.selected) == ([], None)
    rows.canvas.event_generate("<ButtonRelease-1>", x=90, y=_at(rows, "b") + 2)
    wait_until.settle()
    assert told == ["select b", "click b"]


@pytest.mark.parametrize(
    "events",
    [
        [("<ButtonPress-3>", 30, "a"), ("<ButtonRelease-3>", 30, "a")],
        [("<ButtonPress-2>", 30, "a"), ("<ButtonRelease-2>", 30, "a")],
        [("<ButtonPress-3>", 30, "a"), ("<ButtonRelease-1>", 30, "a")],
        [("<ButtonRelease-1>", 30, "a")],
        [("<ButtonPress-1>", 30, "a"), ("<ButtonRelease-1>", 30, "b")],
        [("<ButtonPress-1>", 30, "a"), ("<ButtonRelease-1>", -9, "a")],
        [("<ButtonPress-1>", 30, "a"), ("<ButtonRelease-1>", 9000, "a")],
    ],
)
def test_what_is_no_click(
    root: tk.Tk, theme: Theme, wait_until: Pump, events: list[tuple[str, int, str]]
) -> None:
    """Other buttons, the click that closes a menu, and a press that ended elsewhere."""
    rows, told = _rows(root, theme, wait_until)
    rows.select("a")
    for event, x, key in events:
        rows.canvas.event_generate(event, x=x, y=_at(rows, key))
    # What was begun there is over.
    rows.canvas.event_generate("<ButtonRelease-1>", x=30, y=_at(rows, "a"))
    wait_until.settle()
    assert (told, rows.selected) == ([], "a")


def test_a_click_may_end_the_list(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """As when another screen takes its place."""
    rows, told = _rows(root, theme, wait_until)
    rows.on_select = lambda _: rows.destroy()
    rows.canvas.event_generate("<ButtonPress-1>", x=30, y=_at(rows, "c"))
    rows.canvas.event_generate("<ButtonRelease-1>", x=30, y=_at(rows, "c"))
    wait_until.settle()
    assert not told


def _press_on(table: Table, key: str, event: str) -> None:
    table.canvas.event_generate(event, x=50, y=sum(table.bounds(key)) // 2)


def test_several_rows_can_be_chosen(table: Table, wait_until: Pump) -> None:
    """Control adds and takes away, Shift goes on from where one began; a click begins anew."""
    table.multiple = True
    told: list[str | None] = []
    table.on_select = told.append
    _press_on(table, "k1", "<Button-1>")
    _press_on(table, "k3", "<Control-Button-1>")
    wait_until(lambda: table.chosen == ["k1", "k3"])
    _press_on(table, "k6", "<Shift-Button-1>")
    wait_until(lambda: table.chosen == ["k3", "k4", "k5", "k6"])
    _press_on(table, "k4", "<Control-Button-1>")
    wait_until(lambda: table.chosen == ["k3", "k5", "k6"])
    assert told == ["k1", "k3", "k6", "k3"]
    _press_on(table, "k5", "<Button-1>")
    wait_until(lambda: table.chosen == ["k5"])
    _press_on(table, "k5", "<Control-Button-1>")
    wait_until(lambda: table.chosen == [])
    assert table.selected is None


def test_keys_choose_several_rows(table: Table, wait_until: Pump) -> None:
    """Shift with the arrows makes it longer and shorter; Control+A chooses all."""
    table.multiple = True
    table.canvas.focus_force()
    wait_until(lambda: table.focus_get() is table.canvas)
    _keys(table, "Down", "Down", "Shift-Down", "Shift-Down")
    wait_until(lambda: table.chosen == ["k1", "k2", "k3"])
    _keys(table, "Shift-Up")
    wait_until(lambda: table.chosen == ["k1", "k2"])
    _keys(table, "Control-a")
    wait_until(lambda: len(table.chosen) == 5000)
    _keys(table, "Down")
    wait_until(lambda: len(table.chosen) == 1)


def test_only_one_row_is_chosen_where_that_is_all(table: Table, wait_until: Pump) -> None:
    """Control and Shift are a click like any other then."""
    _press_on(table, "k1", "<Button-1>")
    _press_on(table, "k3", "<Control-Button-1>")
    _press_on(table, "k5", "<Shift-Button-1>")
    _keys(table, "Control-a")
    wait_until(lambda: table.chosen == ["k5"])


def test_the_menu_is_about_all_that_are_chosen(table: Table, wait_until: Pump) -> None:
    """By a right click on any of them, or on a "more" button; beside them it is about that row."""
    table.multiple = True
    menus: list[list[str]] = []
    table.on_menu = lambda _key, _x, _y: menus.append(table.chosen)
    _press_on(table, "k1", "<Button-1>")
    _press_on(table, "k3", "<Control-Button-1>")
    _press_on(table, "k3", "<Button-3>")
    _press_on(table, "k1", "<Button-3>")
    right = table.canvas.winfo_width() - 15
    table.canvas.event_generate("<Button-1>", x=right, y=sum(table.bounds("k1")) // 2)
    _press_on(table, "k5", "<Button-3>")
    wait_until(lambda: len(menus) == 4)
    assert menus == [["k1", "k3"], ["k1", "k3"], ["k1", "k3"], ["k5"]]


def test_rows_that_are_gone_are_not_chosen(table: Table, wait_until: Pump) -> None:
    """The others stay; whoever listens hears of it, with one of those that are left."""
    table.multiple = True
    for key, event in (("k1", "<Button-1>"), ("k2", "<Control-Button-1>")):
        _press_on(table, key, event)
    _press_on(table, "k3", "<Control-Button-1>")
    wait_until(lambda: table.chosen == ["k1", "k2", "k3"])
    told: list[str | None] = []
    table.on_select = told.append
    table.set_rows([_row(n) for n in range(5000) if n != 3])
    assert (table.chosen, told) == (["k1", "k2"], ["k1"])
    table.set_rows([_row(n) for n in range(5000) if n not in {1, 2, 3}])
    assert (table.chosen, told) == ([], ["k1", None])


THEODORA: Final = "Theodora Papadopoulou"


@pytest.mark.parametrize(
    ("width", "name", "handle", "shown"),
    [
        (300, "Ada Lindqvist", "@ada", ["Ada Lindqvist (you)", "@ada"]),
        (190, "Ada Lindqvist", "@ada.lindqvist", ["Ada Li… (you)"]),
        (190, "Ada Lindqvist", "", ["Ada Lindqvist"]),
        (214, "Ada", "@ada.lindqvist", ["Ada (you)", "@ada.…"]),
        (214, THEODORA, "", ["Theodora… (you)"]),
        (214, THEODORA, "@theodora", ["Theodora… (you)"]),
        (150, THEODORA, "", ["Theo…"]),
    ],
)
def test_ones_own_name_is_shortened_last(
    root: tk.Tk, theme: Theme, wait_until: Pump, width: int, name: str, handle: str,
    shown: list[str],
) -> None:  # fmt: skip
    """First what tells it from equal ones, as “(you)” does, too; and that is never cut."""
    rows = RowList(root, theme)
    rows.place(x=0, y=0, width=theme.px(width), height=theme.px(200))
    row = ListRow("k", name, mark="shield", handle=handle, ending=" (you)")
    rows.set_sections((Section("", (row,)),))
    canvas = rows.canvas
    call = partial(canvas.tk.call, str(canvas))

    def texts() -> list[int]:
        return [item for item in canvas.find_all() if call("type", item) == "text"]

    wait_until(texts)
    said = [str(call("itemcget", item, "-text")) for item in texts()]
    assert [each[:2] for each in said] == [each[:2] for each in shown]
    assert [each.endswith(" (you)") for each in said] == [each.endswith(" (you)") for each in shown]
    assert ["…" in each for each in said] == ["…" in each for each in shown]
    assert max(canvas.bbox(item)[2] for item in texts()) < theme.px(width) - theme.px(30)
