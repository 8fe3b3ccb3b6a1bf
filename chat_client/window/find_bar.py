"""The search bar of the open conversation."""

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_client.cache.search import NEWEST, Found
from common.ui.look.theme import Theme
from common.ui.program.mailbox import Mailbox
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.fields import Field
from common.ui.widgets.tooltip import Tooltip

TYPING: Final = 150
"""Milliseconds without a keystroke after which the search starts."""
PARTLY: Final = "Searches the messages on this device. Others are on the server."
_INSET: Final = 22
"""Space beside what is said below the field, px at 96 dpi."""
_LONGEST: Final = 200
"""Maximum length of the search text in characters."""
Search = Callable[[str, int, Callable[[Found], None]], object]
"""Looks for words before a place of the open conversation, and tells on some other thread."""


class FindBar(Panel):
    """Goes from message to message that has the words in it, the newest first.

    `search(words, before, tell)` replaces the search before it, and `stop()` ends it;
    `on_words(words)` is told what is looked for, or ""; `on_place(seq)` where to go;
    `on_close()` that it went away and let go of the keyboard. `is_whole()` tells whether all of the
    conversation is on this device, where it is looked through. It packs itself with `pack_options`.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        root: tk.Tk,
        search: Search,
        stop: Callable[[], object],
        *,
        on_words: Callable[[str], object],
        on_place: Callable[[int], object],
        on_close: Callable[[], object],
        is_whole: Callable[[], bool] = lambda: True,
        **pack_options: object,
    ) -> None:
        super().__init__(parent, theme, "window")
        self._theme = theme
        self._search, self._stop = search, stop
        self._on_words, self._on_place, self._on_close = on_words, on_place, on_close
        self._is_whole = is_whole
        self._pack = {"side": "top", "fill": "x", **pack_options}
        self._words = ""
        self._seqs: list[int] = []
        self._at = -1
        """Which of `_seqs` is shown; -1 for none."""
        self._waiting = False
        """Whether the next that is found is to be shown."""
        self._ended, self._more = True, False
        self._number = 0
        """Number of the current search: results of earlier ones are dropped."""
        self._timer: str | None = None
        self._mailbox: Mailbox[tuple[int, Found]] = Mailbox(root, self._take)
        self._build()
        self.bind("<Destroy>", lambda _: self.stop(), add="+")

    def _build(self) -> None:
        theme = self._theme
        pad = theme.px(8)
        self.partly = Label(self, theme, PARTLY, font="label", tone="muted")
        self.bind("<Configure>", self._resized, add="+")
        self.field = Field(
            self,
            theme,
            placeholder="Find in this conversation",
            icon="search",
            limit=_LONGEST,
            on_change=self._typed,
            on_submit=lambda _: self.older(),
        )
        self.field.pack(side="left", fill="x", expand=True, padx=(theme.px(20), pad), pady=pad)
        for keys, go in (
            ("<Shift-Return>", self.newer),
            ("<Shift-KP_Enter>", self.newer),
            ("<Up>", self.older),
            ("<Down>", self.newer),
        ):
            self.field.entry.bind(keys, lambda _, go=go: (go(), "break")[1])  # type: ignore[misc]
        for icon, go, what in (
            ("chevron-up", self.older, "Earlier (Enter)"),
            ("chevron-down", self.newer, "Later (Shift+Enter)"),
            ("close", self.hide, "Close (Esc)"),
        ):
            button = Button(self, theme, "", go, variant="quiet", icon=icon)  # type: ignore[arg-type]
            button.pack(side="left", padx=(0, theme.px(16) if icon == "close" else 0))
            Tooltip(button, theme, what)

    def _resized(self, event: "tk.Event[tk.Misc]") -> None:
        self.partly.configure(wraplength=max(1, event.width - 2 * self._theme.px(_INSET)))

    @property
    def shown(self) -> bool:
        """Whether it is there."""
        return bool(self.winfo_manager())

    def show(self) -> None:
        """Have the keyboard in it; what was looked for the last time is selected."""
        if not self.shown:
            self.pack(self._pack)
            if self.field.value:
                self._begin()
        self.field.take_keyboard()

    def hide(self) -> None:
        """Take it away. Harmless when it is."""
        if self.shown:
            had_keyboard = str(self.tk.call("focus")).startswith(f"{self}.")
            self.pack_forget()
            self._forget()
            self._on_words("")
            if had_keyboard:
                self._on_close()

    def older(self) -> None:
        """To the message with the words before this one; after the first, look again."""
        if self._timer is not None:
            self._begin()
        elif self._at + 1 < len(self._seqs):
            self._go(self._at + 1)
        elif not self._ended:
            self._waiting = True
        elif self._more:
            self._look(self._seqs[-1])
        elif self._seqs:
            self._begin()

    def newer(self) -> None:
        """The other way."""
        if self._timer is not None:
            self._begin()
        elif self._at > 0:
            self._go(self._at - 1)
        elif self._seqs and self._ended and not self._more:
            self._go(len(self._seqs) - 1)

    # What is looked for

    def _typed(self, _: str) -> None:
        self._forget_timer()
        self._timer = self.after(TYPING, self._begin)

    def _begin(self) -> None:
        """Look for what stands there now."""
        self._forget()
        self._words = self.field.value.strip()
        self._on_words(self._words)
        if self._words:
            self._look(NEWEST)

    def _look(self, before: int) -> None:
        self._ended, self._waiting = False, True
        self._number += 1
        number = self._number
        if self._is_whole():
            self.partly.pack_forget()
        else:
            pad = self._theme.px(8)
            self.partly.pack(
                side="bottom",
                anchor="w",
                padx=self._theme.px(_INSET),
                pady=(0, pad),
                before=self.field,
            )
        mailbox = self._mailbox  # the thread that searches must not hold a widget
        self._search(self._words, before, lambda found: mailbox.post((number, found)))
        self._say()

    def _forget(self) -> None:
        self._forget_timer()
        self._stop()
        self._number += 1
        self._seqs.clear()
        self._at = -1
        self._words = ""
        self._ended, self._more, self._waiting = True, False, False
        self.partly.pack_forget()
        self._say()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None

    def stop(self) -> None:
        """Nothing more is looked for; idempotent."""
        self._forget_timer()
        self._mailbox.close()

    # What is found

    def _take(self, told: list[tuple[int, Found]]) -> None:
        for number, found in told:
            if number != self._number:
                continue
            self._seqs += found.seqs
            self._ended, self._more = found.ended, found.more
            if found.problem:
                # What was found is not all there is, and must not pass for it.
                self._forget()
                self.field.set_note("The messages can't be read", "danger")
                return
            if self._waiting and found.seqs:
                self._go(self._at + 1)
            elif self._waiting and found.ended and self._seqs:
                self._begin()
                return
        self._say()

    def _go(self, at: int) -> None:
        self._at, self._waiting = at, False
        self._on_place(self._seqs[at])
        self._say()

    def _say(self) -> None:
        """Which of how many is shown, in the field itself."""
        if not self._words:
            self.field.set_note("")
        elif self._seqs:
            several = "" if self._ended and not self._more else "+"
            self.field.set_note(f"{self._at + 1:,} of {len(self._seqs):,}{several}")
        else:
            self.field.set_note("Nothing found" if self._ended else "Looking …")
