"""A table of people or things: sortable columns, one selectable row, any number of rows."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import nlargest
from typing import Final, Literal, NamedTuple

from common.ui.lists.table_header import Need, TableHeader, layout
from common.ui.lists.virtual_list import VirtualList
from common.ui.look.avatars import Presence
from common.ui.look.icons import IconName
from common.ui.look.palette import PillTone, Tone
from common.ui.look.pills import draw_pill, pill_width
from common.ui.look.theme import Theme
from common.ui.widgets.tooltip import Tooltip

ROW: Final = 36
"""Height of a row without its hairline, px at 96 dpi."""
EDGE: Final = 12
"""Space left and right of the cells, px at 96 dpi."""

_ICON: Final = 23
"""From the left edge of a cell's icon to its text, px at 96 dpi."""
_AVATAR: Final = 36
"""The same for an avatar."""
_MEASURED: Final = 8
_STEP: Final = 4
"""Step in which columns grow and shrink, px at 96 dpi."""

SortKey = str | float | None
"""The sort key of a cell: numbers or texts throughout a column; None comes last."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; widths are px at 96 dpi.

    It gets `width`, or more if its contents need it, and with `stretch` a share of the spare room.
    In a narrow window room that no contents need is given up first, then usernames and columns
    with `yield_first`, and then the longest contents are shortened, down to `shortest`; see
    `common.ui.lists.table_header.share`.
    """

    id: str
    title: str
    width: int = 100
    shortest: int = 48
    align: Literal["left", "right"] = "left"
    tone: Tone = "text"
    stretch: bool = False
    sortable: bool = True
    yield_first: bool = False


@dataclass(frozen=True, slots=True)
class TextCell:
    """Text, with an icon before it if one is named; `tone` overrides the column's."""

    text: str
    icon: IconName | None = None
    tone: Tone | None = None
    sort: SortKey = None


@dataclass(frozen=True, slots=True)
class PersonCell:
    """An avatar, a bold name and a muted username."""

    name: str
    username: str
    presence: Presence | None = None
    sort: SortKey = None


@dataclass(frozen=True, slots=True)
class PillCell:
    """A state pill."""

    text: str
    tone: PillTone
    sort: SortKey = None


Cell = TextCell | PersonCell | PillCell


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a unique key, and a cell for each column."""

    key: str
    cells: tuple[Cell, ...]


class _Pointed(NamedTuple):
    """A shortened cell under the pointer: where it is, and its full text."""

    key: str
    place: int
    text: str
    area: tuple[int, int, int, int]


class Table(VirtualList[Row]):
    """See `VirtualList` for selection and its callbacks (`on_select`, `on_open`, `on_menu`).

    A click on a title sorts by that column, another reverses the order; then `on_sort(id,
    descending)` is called. Rows may be given in any order. With `on_menu` set, the selected row
    shows a "more" button at its end. A tooltip shows the full text of a shortened cell.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        columns: Sequence[Column],
        *,
        sort: str | None = None,
        descending: bool = False,
        on_select: Callable[[str | None], object] | None = None,
        on_open: Callable[[str], object] | None = None,
        on_menu: Callable[[str, int, int], object] | None = None,
        on_sort: Callable[[str, bool], object] | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self._rows: list[Row] = []
        self._spans: list[tuple[int, int]] = []
        self._spans_for: tuple[int, tuple[Need, ...]] = (-1, ())
        self._needs: tuple[Need, ...] = (Need(),) * len(self.columns)
        self._pointed: _Pointed | None = None
        self._sort, self._descending = sort, descending
        self._row_height = theme.px(ROW) + theme.px(1)
        super().__init__(parent, theme)
        self.on_select, self.on_open, self.on_menu = on_select, on_open, on_menu
        self.on_sort = on_sort
        self._head = TableHeader(self, theme, self.columns, self._title_pressed)
        self._head.pack(side="top", fill="x", before=self.canvas)
        tk.Misc.lower(self._head)  # Tab follows the stacking order: from the titles to the rows
        self._head.show_sort(sort, descending)
        self.canvas.bind("<Configure>", lambda _: self._lay_out(), add="+")
        self.whole = Tooltip(self.canvas, theme, "")
        self.canvas.bind("<Motion>", self._point, add="+")
        self.canvas.bind("<Leave>", lambda _: self._point_at(None), add="+")

    @property
    def sort(self) -> tuple[str | None, bool]:
        """The column sorted by, and whether the order is descending."""
        return self._sort, self._descending

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows, sorted as the person chose; see `VirtualList.show`."""
        wanted = list(rows)
        if wanted != self._rows:
            self._rows = wanted
            self._make_room()
            self.show(self._sorted())
            self._point_again()

    def sort_by(self, column: str, descending: bool = False) -> None:
        """Sort by that column's cells."""
        self._sort, self._descending = column, descending
        self._head.show_sort(column, descending)
        self.show(self._sorted())

    def key_of(self, item: Row) -> str:
        """See `VirtualList`."""
        return item.key

    def height_of(self, item: Row) -> int:  # noqa: ARG002  # all rows are alike
        """See `VirtualList`."""
        return self._row_height

    def draw(self, item: Row, top: int, tag: str) -> None:
        """See `VirtualList`."""
        theme, width = self.theme, self.canvas.winfo_width()
        height, one, edge = theme.px(ROW), theme.px(1), theme.px(EDGE)
        self.canvas.create_rectangle(
            edge,
            top + height,
            width - edge,
            top + height + one,
            fill=theme.palette.hairline,
            width=0,
            tags=tag,
        )
        chosen = self.band(top, height, 0, width, item.key, tag)
        middle = top + height / 2
        for column, cell, (left, right) in zip(
            self.columns, item.cells, self._columns(width), strict=False
        ):
            match cell:
                case TextCell():
                    self._draw_text(column, cell, left, right, middle, chosen, tag)
                case PersonCell():
                    behind = self.behind(item.key)
                    self._draw_person(cell, left, right, middle, behind, chosen, tag)
                case PillCell():
                    ink = theme.palette.pill(cell.tone)
                    draw_pill(self.canvas, theme, left, middle, cell.text, ink, tag)
        if chosen and self.on_menu:
            more = theme.icon("more", theme.palette.on_selection)
            self.canvas.create_image(width - edge, middle, image=more, anchor="e", tags=tag)

    def pressed(self, key: str, event: tk.Event[tk.Misc]) -> None:
        """Open the menu for a click on the "more" button."""
        if self.on_menu and self.is_about_all(event):
            self.on_menu(key, event.x_root, event.y_root)

    def is_about_all(self, event: tk.Event[tk.Misc]) -> bool:
        """Whether it is on a "more" button."""
        right = self.canvas.winfo_width() - self.theme.px(EDGE + 22)
        return self.on_menu is not None and event.x > right

    def _columns(self, width: int) -> list[tuple[int, int]]:
        if (width, self._needs) != self._spans_for:
            spare = self.theme.px(24 if self.on_menu else 0)
            edge = self.theme.px(EDGE)
            self._spans = layout(self.columns, self._needs, self.theme, edge, width - edge - spare)
            self._spans_for = (width, self._needs)
        return self._spans

    def _make_room(self) -> None:
        """Measure the contents, and redraw if that moves a column."""
        needs = tuple(self._need(place) for place in range(len(self.columns)))
        if needs == self._needs:
            return
        width = self.canvas.winfo_width()
        before = list(self._columns(width))
        self._needs = needs
        if self._columns(width) != before:
            self._lay_out()
            self.redraw()

    def _need(self, place: int) -> Need:
        """Width of a column's contents in whole steps, so that a digit more moves no column.

        Only the longest texts are measured: asking Tk for thousands of widths would be noticed.
        """
        cells = {row.cells[place] for row in self._rows if place < len(row.cells)}
        longest = nlargest(_MEASURED, cells, key=_length)
        whole = self._steps(max(map(self._width, longest), default=0))
        column = self.columns[place]
        if column.yield_first:
            return Need(whole, min(whole, self.theme.px(column.shortest)))
        people = [cell for cell in cells if isinstance(cell, PersonCell)]
        if not people:
            return Need(whole, whole)
        names = nlargest(_MEASURED, people, key=lambda cell: len(cell.name))
        return Need(whole, self._steps(max(map(self._name_width, names))))

    def _steps(self, width: int) -> int:
        step = self.theme.px(_STEP)
        return -(-width // step) * step

    def _width(self, cell: Cell) -> int:
        """The width of a cell that is shown whole, in screen pixels."""
        theme = self.theme
        match cell:
            case TextCell():
                return theme.px(_ICON if cell.icon else 0) + theme.fonts.width("body", cell.text)
            case PersonCell():
                username = theme.fonts.width("body", cell.username)
                return self._name_width(cell) + theme.px(8) + username
            case PillCell():
                return pill_width(theme, cell.text)

    def _name_width(self, cell: PersonCell) -> int:
        return self.theme.px(_AVATAR) + self.theme.fonts.width("row_bold", cell.name)

    def _viewed(self, first: float, last: float) -> None:
        super()._viewed(first, last)
        self._point_again()

    def _point(self, event: tk.Event[tk.Misc]) -> None:
        key = self._key_at(event.y)
        spans = self._columns(self.canvas.winfo_width())
        place = next((at for at, (x, end) in enumerate(spans) if x <= event.x <= end), None)
        self._point_at(None if key is None or place is None else self._cut_cell(key, place))

    def _point_again(self) -> None:
        """Keep the tooltip of a cell that is unchanged and still in the same place."""
        if self._pointed is not None and self._pointed != self._cut_cell(*self._pointed[:2]):
            self._point_at(None)

    def _point_at(self, pointed: _Pointed | None) -> None:
        """The pointer is over that cell now, or over none that is shortened."""
        if pointed != self._pointed:
            self._pointed = pointed
            self.whole.hide()
            if pointed is not None:
                self.whole.wait_at(pointed.text, pointed.area)

    def _cut_cell(self, key: str, place: int) -> _Pointed | None:
        """The cell if it is shortened, None if it is shown in full."""
        at = self._source.place(key)
        if at is None or place >= len(self._source.item(at).cells):
            return None
        cell = self._source.item(at).cells[place]
        left, right = self._columns(self.canvas.winfo_width())[place]
        if self._width(cell) <= right - left:
            return None
        top, bottom = self.bounds(key)
        return _Pointed(key, place, _whole_text(cell), (left, top, right, bottom))

    def _lay_out(self) -> None:
        self._head.lay_out(self._columns(self.canvas.winfo_width()))

    def _colour(self, tone: Tone, chosen: bool) -> str:
        palette = self.theme.palette
        if not chosen:
            return palette.tone(tone)
        on_band = {
            "text": palette.on_selection,
            "muted": palette.on_selection_muted,
            "danger": palette.on_selection_danger,
        }
        return on_band.get(tone) or palette.tone(tone)

    def _draw_text(
        self,
        column: Column,
        cell: TextCell,
        left: int,
        right: int,
        middle: float,
        chosen: bool,
        tag: str,
    ) -> None:
        theme = self.theme
        ink = self._colour(cell.tone or column.tone, chosen)
        if cell.icon:
            image = theme.icon(cell.icon, ink)
            self.canvas.create_image(left, middle, image=image, anchor="w", tags=tag)
            left += theme.px(_ICON)
        text = theme.fonts.fit("body", cell.text, right - left)
        at_right = column.align == "right"
        self.canvas.create_text(
            right if at_right else left,
            middle,
            text=text,
            fill=ink,
            font=theme.fonts["body"],
            anchor="e" if at_right else "w",
            tags=tag,
        )

    def _draw_person(
        self,
        cell: PersonCell,
        left: int,
        right: int,
        middle: float,
        behind: str,
        chosen: bool,
        tag: str,
    ) -> None:
        theme, create = self.theme, self.canvas.create_text
        image = theme.avatar(cell.name, cell.username, 26, cell.presence, behind=behind)
        self.canvas.create_image(left, middle, image=image, anchor="w", tags=tag)
        left += theme.px(_AVATAR)
        name = theme.fonts.fit("row_bold", cell.name, right - left)
        create(
            left,
            middle,
            text=name,
            font=theme.fonts["row_bold"],
            anchor="w",
            fill=self._colour("text", chosen),
            tags=tag,
        )
        left += theme.fonts.width("row_bold", name) + theme.px(8)
        username = theme.fonts.fit("body", cell.username, right - left)
        if username not in ("", "…"):
            create(
                left,
                middle,
                text=username,
                font=theme.fonts["body"],
                anchor="w",
                fill=self._colour("muted", chosen),
                tags=tag,
            )

    def _title_pressed(self, column: str) -> None:
        descending = not self._descending if column == self._sort else False
        self.sort_by(column, descending)
        if self.on_sort:
            self.on_sort(column, descending)

    def _sorted(self) -> list[Row]:
        place = next((at for at, col in enumerate(self.columns) if col.id == self._sort), None)
        if place is None:
            return self._rows
        return sorted(self._rows, key=partial(_rank, place), reverse=self._descending)


def _length(cell: Cell) -> int:
    return len(_whole_text(cell))


def _whole_text(cell: Cell) -> str:
    return f"{cell.name}  {cell.username}" if isinstance(cell, PersonCell) else cell.text


def _rank(place: int, row: Row) -> tuple[int, float, str]:
    """Numbers before texts, so that a column of mixed cells still has an order."""
    cell = row.cells[place]
    by = cell.sort
    if by is None:
        by = cell.name if isinstance(cell, PersonCell) else cell.text
    return (1, 0.0, by.casefold()) if isinstance(by, str) else (0, by, "")
