"""A table's columns share the room by what is in them, and what is cut can be read whole."""

from __future__ import annotations

import tkinter as tk
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ui.lists.table import Column, PersonCell, Row, Table, TextCell
from common.ui.lists.table_header import Need, share
from common.ui.look.theme import Theme
from tests.gui.kit.conftest import Pump

COLUMNS = (
    Column("person", "Person", 180, 104, stretch=True),
    Column("address", "Address", 104, 66),
    Column("since", "Since", 48, 40, align="right"),
)
LONG = "2001:db8:85a3:8d3:1319:8a2e:370:7348"
lengths = st.integers(0, 400)


@pytest.mark.parametrize(
    ("room", "needs", "widths"),
    [
        (400, (50, 50, 50), (200, 100, 100)),  # the rest goes to what stretches
        (300, (50, 50, 50), (100, 100, 100)),
        (300, (50, 150, 50), (75, 150, 75)),  # the others give up what they don't need
        (250, (50, 150, 50), (50, 150, 50)),
        (200, (50, 150, 50), (50, 100, 50)),  # only the longest is cut
        (200, (150, 150, 50), (75, 75, 50)),
        (90, (150, 150, 50), (40, 40, 40)),  # too little for all: none is below its shortest
    ],
)
def test_columns_share_the_room(room: int, needs: tuple[int, ...], widths: tuple[int, ...]) -> None:
    """Who has room to spare gives it to who needs it."""
    whole = [Need(need, need) for need in needs]
    assert share(room, whole, (100,) * 3, (40,) * 3, (True, False, False)) == list(widths)


def test_what_matters_less_goes_first() -> None:
    """A username gives way to an address, and an address to nothing but a longer name."""
    needs = [Need(200, 120), Need(150, 150)]
    assert share(300, needs, (100,) * 2, (40,) * 2, (True, False)) == [150, 150]
    assert share(260, needs, (100,) * 2, (40,) * 2, (True, False)) == [120, 140]


@given(
    st.integers(0, 2000),
    st.lists(st.tuples(lengths, lengths, lengths, st.booleans()), min_size=1, max_size=8),
)
def test_what_can_be_whole_is_whole(room: int, columns: list[tuple[int, int, int, bool]]) -> None:
    """Never more than the room unless the shortest need it; and with room, every content fits."""
    needs, usual, shortest, stretch = zip(*columns, strict=True)
    shortest = tuple(map(min, shortest, usual))
    whole = [Need(need, need // 2) for need in needs]
    widths = share(room, whole, usual, shortest, stretch)
    least = sum(min(need.core, low) for need, low in zip(whole, shortest, strict=True))
    assert sum(widths) <= max(room, least)
    if sum(needs) <= room:
        assert all(width >= need for width, need in zip(widths, needs, strict=True))
    elif sum(need.core for need in whole) <= room:
        assert all(width >= need.core for width, need in zip(widths, whole, strict=True))


def make(root: tk.Tk, theme: Theme, pump: Pump, width: int, *addresses: str) -> Table:
    """A table on the screen with a row for each address."""
    root.geometry(f"{width}x300+0+0")
    table = Table(root, theme, COLUMNS)
    table.pack(fill="both", expand=True)
    table.set_rows(
        [
            Row(address, (PersonCell("Ada Lovelace", "ada"), TextCell(address), TextCell("09:02")))
            for address in addresses
        ]
    )
    pump(lambda: table.canvas.winfo_width() == width and table._drawn)
    return table


def shown(table: Table) -> list[str]:
    """The texts on the canvas."""
    canvas: Any = table.canvas  # typeshed knows no types of items
    return [canvas.itemcget(n, "text") for n in canvas.find_all() if canvas.type(n) == "text"]


def point(table: Table, key: str, column: int) -> None:
    """Move the pointer over a cell."""
    left, right = table._columns(table.canvas.winfo_width())[column]
    top, bottom = table.bounds(key)
    x, y = (left + right) // 2, (top + bottom) // 2
    table.canvas.event_generate("<Enter>", x=x, y=y)
    table.canvas.event_generate("<Motion>", x=x, y=y)


def test_a_long_address_gets_its_room(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """The person's column gives up what it has to spare; a shorter table takes it back."""
    table = make(root, theme, wait_until, 640, "192.0.2.7")
    before = table._columns(640)
    table.set_rows(
        [*table._rows, Row(LONG, (*table._rows[0].cells[:1], TextCell(LONG), TextCell("09:03")))]
    )
    wait_until(lambda: LONG in shown(table), "the whole address")
    assert "Ada Lovelace" in shown(table)
    assert table._columns(640)[1][0] == table._head._spans[1][0] != before[1][0]
    table.set_rows(table._rows[:1])
    assert table._columns(640) == before


def test_a_digit_more_moves_no_column(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Numbers change all the time; the eye is not to follow them from side to side."""
    table = make(root, theme, wait_until, 640, "192.0.2.7")
    before = table._columns(640)
    for address in ("192.0.2.71", "192.0.2.255"):
        table.set_rows([Row("a", (*table._rows[0].cells[:1], TextCell(address), TextCell("9:02")))])
        assert table._columns(640) == before


def test_a_cut_cell_is_told_whole(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """The pointer brings up the text; over a cell that is whole nothing comes."""
    table = make(root, theme, wait_until, 330, LONG)
    assert LONG not in shown(table)
    point(table, LONG, 1)
    assert table.whole.text == LONG
    wait_until(lambda: table.whole.shown, "the text")
    point(table, LONG, 2)
    assert table.whole.text == ""


def test_a_refresh_leaves_what_is_told(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Counts change five times a second: only a change of the cell itself takes it away."""
    table = make(root, theme, wait_until, 330, LONG)
    point(table, LONG, 1)
    table.whole.show()
    person, address, _ = table._rows[0].cells
    table.set_rows([Row(LONG, (person, address, TextCell("09:03")))])
    assert table.whole.shown
    table.set_rows([Row(LONG, (person, TextCell(LONG + "0"), TextCell("09:03")))])
    assert not table.whole.shown


def test_only_some_of_many_rows_are_measured(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Asking Tk how wide thousands of texts are would be felt at each refresh."""
    table = make(root, theme, wait_until, 640, "192.0.2.7")
    theme.fonts._widths.clear()
    table.set_rows(
        [
            Row(f"{n}", (PersonCell(f"Ada {n}", f"ada{n}"), TextCell(f"192.0.2.{n}"), TextCell("")))
            for n in range(5000)
        ]
    )
    assert len(theme.fonts._widths) < 300
