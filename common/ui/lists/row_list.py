"""The list of a sidebar: headings, and rows with an icon or an avatar, a name and a count."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from common.ui.lists.list_rows import ItemRows, JoinedRows, Keyed, KeyedRows, Rows
from common.ui.lists.virtual_list import VirtualList
from common.ui.look.avatars import BADGE, Presence
from common.ui.look.fonts import Role
from common.ui.look.icons import IconName
from common.ui.look.palette import Surface, Tone
from common.ui.look.pills import draw_count
from common.ui.look.theme import Theme

INSET: Final = 7
"""Space left and right of a row's background, px at 96 dpi."""


@dataclass(frozen=True, slots=True)
class Person:
    """The person whose avatar a row shows."""

    name: str
    username: str
    presence: Presence | None = None


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row; `key` is unique in the whole list.

    `bold` marks something unread or important, `faint` who is offline; with neither, a row is
    muted unless selected (`plain` shows it in the text colour). `detail` is a second line and
    makes the row 64 px high; `mark` is an icon at the right end. `count` is shown when it
    is not empty: in a solid pill, or as a bare number with `quiet_count`. `handle` is shown muted
    after the label, which is shortened in its favour: it distinguishes equal labels. `ending`
    belongs to the label and is never cut. It distinguishes the row as well, so the handle gives way
    to it. It is left out where the label is whole without it, or where too little else is left.
    """

    key: str
    label: str
    icon: IconName | None = None
    person: Person | None = None
    badge: str = ""
    """Name of a server whose square badge is shown."""
    badge_colour: str = BADGE
    """Ground of the badge, `#rrggbb` below white letters."""
    presence: Presence | None = None
    """The dot at the badge."""
    detail: str = ""
    mark: IconName | None = None
    mark_tone: Tone | None = None
    """Colour of the mark in a row that is not selected; without one, that of its text."""
    count: str = ""
    quiet_count: bool = False
    bold: bool = False
    plain: bool = False
    handle: str = ""
    ending: str = ""
    alert: str = ""
    """What is more than a count: shown in a pill of its own before it, such as "@"."""


@dataclass(frozen=True, slots=True)
class MadeRows:
    """Rows without a `detail` that are made when they come into view."""

    keys: Keyed
    make: Callable[[str], ListRow]
    """Makes the row with a key."""

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Section:
    """Rows below a heading; without a title there is none. `line` draws a rule before it."""

    title: str
    rows: tuple[ListRow, ...] | MadeRows
    line: bool = False


@dataclass(frozen=True, slots=True)
class _Heading:
    title: str
    first: bool
    line: bool


class RowList(VirtualList[ListRow | _Heading]):
    """See `VirtualList` for selection and its callbacks (`on_select`, `on_click` and so on).

    `row_height`, `avatar` and the `inset` of headings are px at 96 dpi; a row's background is 2 px
    lower than the row.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        surface: Surface | None = None,
        row_height: int = 34,
        avatar: int = 26,
        inset: int = 17,
        on_select: Callable[[str | None], object] | None = None,
        on_click: Callable[[str], object] | None = None,
        on_open: Callable[[str], object] | None = None,
        on_menu: Callable[[str, int, int], object] | None = None,
    ) -> None:
        self._row_height, self._avatar, self._inset = row_height, avatar, inset
        super().__init__(parent, theme, surface)
        self.on_select, self.on_click = on_select, on_click
        self.on_open, self.on_menu = on_open, on_menu

    def set_sections(self, sections: Sequence[Section]) -> None:
        """Show these sections; see `VirtualList.show_rows` for what is preserved."""
        parts: list[Rows[ListRow | _Heading]] = []
        for section in sections:
            if section.title or section.line:
                parts.append(self._items([_Heading(section.title, not parts, section.line)]))
            rows = section.rows
            if isinstance(rows, MadeRows):
                parts.append(KeyedRows(rows.keys, rows.make, self.theme.px(self._row_height)))
            elif rows:
                parts.append(self._items(rows))
        self.show_rows(JoinedRows(parts))

    def _items(self, items: Sequence[ListRow | _Heading]) -> ItemRows[ListRow | _Heading]:
        return ItemRows(list(items), self.key_of, self.height_of)

    def key_of(self, item: ListRow | _Heading) -> str | None:
        """See `VirtualList`."""
        return item.key if isinstance(item, ListRow) else None

    def height_of(self, item: ListRow | _Heading) -> int:
        """See `VirtualList`."""
        if isinstance(item, ListRow):
            return self.theme.px(64 if item.detail else self._row_height)
        return self.theme.px((26 if item.first else 38) if item.title else 15)

    def draw(self, item: ListRow | _Heading, top: int, tag: str) -> None:
        """See `VirtualList`."""
        if isinstance(item, _Heading):
            self._draw_heading(item, top, tag)
        else:
            self._draw_row(item, top, tag)

    def _draw_heading(self, heading: _Heading, top: int, tag: str) -> None:
        theme, palette = self.theme, self.theme.palette
        if heading.line:
            y = top + theme.px(6)
            self.canvas.create_rectangle(
                theme.px(22),
                y,
                self.canvas.winfo_width() - theme.px(22),
                y + theme.px(1),
                fill=palette.border,
                width=0,
                tags=tag,
            )
        if heading.title:
            # In a narrow list with large letters it begins further left, and ends with "…" at last.
            room = self.canvas.winfo_width() - theme.px(4)
            title = theme.fonts.fit("label_bold", heading.title.upper(), room)
            spare = room - theme.fonts.width("label_bold", title)
            self.canvas.create_text(
                max(theme.px(2), min(theme.px(self._inset), spare)),
                top + self.height_of(heading) - theme.px(12),
                text=title,
                font=theme.fonts["label_bold"],
                fill=palette.muted,
                anchor="w",
                tags=tag,
            )

    def _draw_row(self, row: ListRow, top: int, tag: str) -> None:
        theme, palette, canvas = self.theme, self.theme.palette, self.canvas
        width, inset = canvas.winfo_width(), theme.px(INSET)
        gap = theme.px(4 if row.detail else 2)
        height = self.height_of(row) - gap
        chosen = self.band(top, height, inset, width - inset, row.key, tag)
        middle = top + height / 2
        strong = chosen or row.bold
        ink = palette.text if strong or row.plain or row.detail else palette.muted
        if chosen:
            ink = palette.on_selection
        left = self._draw_picture(row, middle, ink, tag)
        right = self._draw_end(row, width - inset - theme.px(8), middle, ink, tag)
        role: Role = "row_bold" if strong or row.detail else "row"
        label, handle = self._texts(row, role, right - left)
        raised = theme.px(10) if row.detail else 0
        canvas.create_text(
            left,
            middle - raised,
            text=label,
            font=theme.fonts[role],
            fill=ink,
            anchor="w",
            tags=tag,
        )
        quiet = palette.on_selection_muted if chosen else palette.muted
        if handle:
            canvas.create_text(
                left + theme.fonts.width(role, label) + theme.px(6),
                middle - raised,
                text=handle,
                font=theme.fonts["label"],
                fill=quiet,
                anchor="w",
                tags=tag,
            )
        if row.detail:
            detail = theme.fonts.fit("label", row.detail, right - left)
            canvas.create_text(
                left,
                middle + theme.px(11),
                text=detail,
                font=theme.fonts["label"],
                fill=quiet,
                anchor="w",
                tags=tag,
            )

    def _texts(self, row: ListRow, role: Role, room: int) -> tuple[str, str]:
        """The label with its ending, and the handle, shortened to the room there is for both."""
        fonts, gap = self.theme.fonts, self.theme.px(6)
        if not row.ending:
            handle = fonts.fit("label", row.handle, room * 2 // 3)
            taken = fonts.width("label", handle) + gap if handle else 0
            return fonts.fit(role, row.label, room - taken), handle
        ending = fonts.width(role, row.ending)
        whole = fonts.width(role, row.label)
        # One that is alike another is to be distinguished by something, as long as there is room.
        spare = room // 2 if row.handle else 0 if whole <= room else room // 3
        if whole + ending > room and ending > spare:
            return fonts.fit(role, row.label, room), ""
        label = fonts.fit(role, row.label, room - ending) + row.ending
        return label, fonts.fit("label", row.handle, room - fonts.width(role, label) - gap)

    def _draw_picture(self, row: ListRow, middle: float, ink: str, tag: str) -> int:
        """Draw the icon or avatar before the label; returns where the label begins."""
        theme = self.theme
        if row.badge:
            image = theme.badge(row.badge, 36, row.badge_colour, row.presence)
            left, width = theme.px(24), theme.px(36)
        elif row.person:
            person, size = row.person, self._avatar
            behind = self.behind(row.key)
            image = theme.avatar(person.name, person.username, size, person.presence, behind=behind)
            left, width = theme.px(30 - size / 2), theme.px(size)
        elif row.icon:
            image, left, width = theme.icon(row.icon, ink), theme.px(21), theme.px(16)
        else:
            return theme.px(17)
        self.canvas.create_image(left, middle, image=image, anchor="w", tags=tag)
        return left + width + theme.px(12 if row.badge else 10)

    def _draw_end(self, row: ListRow, right: int, middle: float, colour: str, tag: str) -> int:
        """Draw the count and the mark at the right; returns where the label must end."""
        theme = self.theme
        if row.mark:
            toned = row.mark_tone is not None and colour != theme.palette.on_selection
            mark = theme.palette.tone(row.mark_tone) if row.mark_tone and toned else colour
            image = theme.icon(row.mark, mark)
            x = right - theme.px(6)
            self.canvas.create_image(x, middle, image=image, anchor="e", tags=tag)
            right -= theme.px(30)
        if row.count and row.quiet_count:
            self.canvas.create_text(
                right - theme.px(6),
                middle,
                text=row.count,
                font=theme.fonts["label_bold"],
                fill=colour,
                anchor="e",
                tags=tag,
            )
            right -= theme.fonts.width("label_bold", row.count) + theme.px(14)
        elif row.count:
            right -= draw_count(self.canvas, theme, right, middle, row.count, tag=tag) + theme.px(8)
        if row.alert:
            ink = theme.palette.pill_slow
            width = draw_count(self.canvas, theme, right, middle, row.alert, ink, tag=tag)
            right -= width + theme.px(8)
        return right
