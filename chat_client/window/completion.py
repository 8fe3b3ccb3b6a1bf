"""Completion of mentions (`@`) in the composer: the candidates, and their popup list."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from chat_client.window.overview import Presence
from common.domain.mentions import may_begin
from common.domain.search_normalization import comparable
from common.limits import DISPLAY_NAME_LENGTH
from common.ui.lists.row_list import ListRow, Person, RowList, Section
from common.ui.look.avatars import Presence as Dot
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Panel
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:
    from chat_client.window.composer import Composer

MOST: Final = 6
"""Maximum number of candidates shown: the list must not cover the message that one answers."""
_WIDTH: Final = 320
_ROW: Final = 34
_GAP: Final = 4
_ORDER: Final[dict[Presence, int]] = {"online": 0, "unknown": 1, "offline": 2}
_DOTS: Final[dict[Presence, Dot | None]] = {
    "online": "online",
    "offline": "offline",
    "unknown": None,
}


class Candidate(NamedTuple):
    """Somebody who can be mentioned."""

    username: str
    name: str
    presence: Presence = "unknown"


class Typed(NamedTuple):
    """A mention that is being typed: the offset of its `@`, and the text after the `@`."""

    begin: int
    name: str


def typed_mention(text: str, cursor: int) -> Typed | None:
    """The mention that ends at the cursor, or None if none is being typed there."""
    begin = text.rfind("@", max(0, cursor - DISPLAY_NAME_LENGTH - 1), cursor)
    if begin < 0 or not may_begin(text, begin):
        return None
    name = text[begin + 1 : cursor]
    if "\n" in name or name[:1].isspace():
        return None
    if cursor < len(text) and (text[cursor].isalnum() or text[cursor] in "._-"):
        return None  # in the middle of a word
    return Typed(begin, name)


def matching(people: Iterable[Candidate], name: str, most: int = MOST) -> list[Candidate]:
    """At most `most` people whose username, display name, or a word of it, starts with `name`.

    Names that start with it come before those with a later word that does, then by presence.
    """
    wanted = _folded(name)
    found: list[tuple[int, int, str, Candidate]] = []
    for person in people:
        shown = _folded(person.name)
        if person.username.startswith(wanted) or shown.startswith(wanted):
            rank = 0
        elif wanted and f" {wanted}" in shown:
            rank = 1
        else:
            continue
        found.append((rank, _ORDER[person.presence], shown, person))
    found.sort(key=lambda each: (*each[:3], each[3].username))
    return [person for *_, person in found[:most]]


def _folded(name: str) -> str:
    return comparable(name).casefold()


class Completion:
    """Shows candidates above the composer while a mention is being typed.

    `people()` returns those of the room. Up and Down select in the list, Return and Tab insert the
    selected person, a click inserts any, Escape closes the list until the next `@`.
    """

    def __init__(
        self,
        within: tk.Misc,
        theme: Theme,
        composer: Composer,
        people: Callable[[], Iterable[Candidate]],
    ) -> None:
        self._theme, self._composer, self._people = theme, composer, people
        self._frame = Panel(within, theme, "raised")
        self._frame.configure(highlightthickness=1)
        theme.subscribe(self._frame, self._paint)
        self.list = RowList(
            self._frame, theme, surface="raised", row_height=_ROW, avatar=24, on_click=self._take
        )
        self.list.canvas.configure(takefocus=False)
        self.list.pack(fill="both", expand=True, padx=1, pady=1)
        self.offered: list[Candidate] = []
        self._typed: Typed | None = None
        self._dismissed: int | None = None
        """Offset of the mention whose list was closed by Escape."""
        text = composer.text
        composer.take_key = self._take_key
        for keys, act in (
            ("<Up>", lambda: self._step(-1)),
            ("<Down>", lambda: self._step(1)),
            ("<Escape>", self._dismiss),
        ):
            text.bind(keys, partial(self._pressed, act))
        text.bind("<<Modified>>", lambda _: self._later(), add="+")
        text.bind("<Key>", lambda _: self._later(), add="+")
        text.bind("<ButtonRelease-1>", lambda _: self._later(), add="+")
        # On the root: a timer of a widget that is destroyed meanwhile would fail.
        text.bind("<FocusOut>", lambda _: theme.root.after(200, self._left), add="+")

    @property
    def shown(self) -> bool:
        """Whether the list is shown."""
        return bool(self._frame.winfo_manager())

    def update(self) -> None:
        """Update the candidates for the text before the cursor; without any, the list is hidden."""
        typed = None
        if "@" in self._composer.draft and not self._composer.closed:
            typed = typed_mention(self._composer.draft, self._composer.cursor)
        if typed is None:
            self._dismissed = None
        if typed == self._typed:
            return
        self._typed = typed
        if typed is None or typed.begin == self._dismissed:
            self.hide()
            return
        self._show(matching(self._people(), typed.name))

    def hide(self) -> None:
        """Hide the list."""
        self._frame.place_forget()
        self.offered = []

    def _later(self) -> None:
        # The cursor moves after the text has changed.
        self._theme.root.after_idle(self._update_if_there)

    def _update_if_there(self) -> None:
        if self._frame.winfo_exists():
            self.update()

    def _left(self) -> None:
        if self._frame.winfo_exists() and self.shown:
            focus = self._frame.focus_get()
            if focus is not self._composer.text:
                self._typed = None
                self.hide()

    def _show(self, people: Sequence[Candidate]) -> None:
        self.offered = list(people)
        if not people:
            self.hide()
            return
        self.list.set_sections([Section("", tuple(map(_row, people)))])
        self.list.select(people[0].username)
        px, card = self._theme.px, self._composer
        height = len(people) * px(_ROW) + 2 + 2
        self._frame.place(
            in_=card, x=0, y=-px(_GAP), anchor="sw",
            width=min(px(_WIDTH), card.winfo_width()), height=height,
        )  # fmt: skip
        self._frame.lift()

    def _pressed(self, act: Callable[[], object], _: object) -> str | None:
        """Handle a key of the list: while the list is shown, the key has no other effect."""
        if not self.shown:
            return None
        act()
        return "break"

    def _take_key(self) -> bool:
        """Insert the selected person, on Return or Tab; returns whether there was one."""
        # Characters may have been typed right before the key: the list may be out of date.
        self.update()
        if not self.shown or self.list.selected is None:
            return False
        self._take(self.list.selected)
        return True

    def _step(self, step: int) -> None:
        names = [person.username for person in self.offered]
        selected = self.list.selected
        at = names.index(selected) if selected in names else -1
        self.list.select(names[(at + step) % len(names)])

    def _dismiss(self) -> None:
        if self._typed is not None:
            self._dismissed = self._typed.begin
        self.hide()

    def _take(self, username: str) -> None:
        typed = self._typed
        self.hide()
        if typed is not None:
            end = typed.begin + 1 + len(typed.name)
            follows = self._composer.draft[end : end + 1]
            space = "" if follows.isspace() and follows else " "
            self._composer.editing.replace(typed.begin, end, f"@{username}{space}", whole=True)
        self._typed = None
        self._composer.text.focus_set()

    def _paint(self) -> None:
        palette = self._theme.palette
        self._frame.configure(
            background=palette.raised,
            highlightbackground=palette.field_border,
            highlightcolor=palette.field_border,
        )


def _row(person: Candidate) -> ListRow:
    return ListRow(
        person.username,
        safe(person.name),
        person=Person(person.name, person.username, _DOTS[person.presence]),
        plain=True,
        handle=f"@{person.username}",
    )
