"""Notifications inside the window: a banner for a state, a toast for an event."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from common.ui.look.icons import IconName
from common.ui.look.palette import PillTone
from common.ui.look.theme import Theme, surface_of
from common.ui.widgets.basics import bare_label

TOAST_TIME: Final = 2600
"""Milliseconds for which a toast is shown."""
FAILURE_TIME: Final = 6000
"""The same for a failure, which is unexpected and takes longer to read."""
RISE: Final = 24
"""Distance of a toast from the lower edge, px at 96 dpi."""

_ICONS: Final[dict[PillTone, IconName]] = {
    "active": "check-circle",
    "away": "warning",
    "muted": "clock",
    "slow": "warning",
}


class Banner(tk.Frame):
    """A tinted strip across a page, for a state that lasts (offline, disk nearly full).

    Create it in the order in which it is to be packed; it packs itself with `pack_options` at the
    first `show` and takes no room while hidden. The tones are those of pills: `active` good,
    `away` caution, `muted` neutral, `slow` bad.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, **pack_options: object) -> None:
        super().__init__(parent, borderwidth=0)
        self._theme = theme
        self._pack = {"side": "top", "fill": "x", **pack_options}
        self._tone: PillTone = "muted"
        self._command: Callable[[], object] | None = None
        self._icon, self._text, self._action = (bare_label(self) for _ in range(3))
        self._text.configure(font=theme.fonts["body"], anchor="w", justify="left")
        self._action.configure(
            font=theme.fonts["body_bold"], cursor="hand2", takefocus=True, padx=theme.px(4)
        )
        pad = theme.px(8)
        self._icon.pack(side="left", padx=(theme.px(16), pad), pady=pad)
        self._text.pack(side="left", fill="x", expand=True, pady=pad)
        for event in ("<Button-1>", "<Return>", "<space>"):
            self._action.bind(event, lambda _: self._act())
        self._action.configure(highlightthickness=theme.px(2))
        self._ringed = False
        theme.focus.watch(self._action, self._ring)
        self._text.bind("<Configure>", lambda event: self._text.configure(wraplength=event.width))
        theme.subscribe(self, self._paint)

    @property
    def shown(self) -> bool:
        """Whether it is shown."""
        return bool(self.winfo_manager())

    def show(
        self,
        text: str,
        tone: PillTone = "muted",
        action: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Show `text`, with a link `(label, command)` at its end if `action` is given."""
        self._tone = tone
        self._text.configure(text=text)
        self._action.pack_forget()
        self._command = None
        if action:
            label, self._command = action
            self._action.configure(text=label)
            self._action.pack(side="right", padx=self._theme.px(12), before=self._text)
        self._paint()
        if not self.shown:
            self.pack(self._pack)

    def hide(self) -> None:
        """Take it away."""
        self.pack_forget()

    def _act(self) -> None:
        if self._command:
            self._command()

    def _ring(self, on: bool) -> None:
        """Show whether the link has the keyboard."""
        self._ringed = on
        self._paint()

    def _paint(self) -> None:
        ink = self._theme.palette.pill(self._tone)
        self.configure(background=ink.fill)
        for part in (self._icon, self._text, self._action):
            part.configure(background=ink.fill, foreground=ink.text)
        edge = ink.text if self._ringed else ink.fill
        self._action.configure(highlightcolor=edge, highlightbackground=edge)
        self._icon.configure(image=self._theme.icon(_ICONS[self._tone], ink.text))


class Toasts:
    """Short messages over the lower edge of a page, one at a time, hidden after a while.

    The page is `parent`, or `over` which is in it: then they stay on top of its other children.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, *, over: tk.Misc | None = None) -> None:
        self._parent, self._theme = parent, theme
        self._over = over or parent
        self._label: tk.Label | None = None
        self._timer: str | None = None

    @property
    def text(self) -> str:
        """What is shown now."""
        return str(self._label.cget("text")).replace("\n", " ") if self._label is not None else ""

    def show(self, text: str, milliseconds: int = TOAST_TIME, *, rise: int = RISE) -> None:
        """Show `text`, replacing the former toast, `rise` px at 96 dpi above the lower edge."""
        self.hide()
        label = self._label = bare_label(self._parent)
        room = self._over.winfo_width() - 2 * self._theme.px(32)
        if room > 0:  # else it is not on the screen yet
            text = self._in_lines(text, room)
        label.configure(text=text, compound="center", font=self._theme.fonts["body"])
        label.place(in_=self._over, relx=0.5, rely=1, y=-self._theme.px(rise), anchor="s")
        label.bind("<Button-1>", lambda _: self.hide())
        label.bind("<Destroy>", lambda _: self._cancel())
        self._theme.subscribe(label, lambda: self._paint(label))
        self._timer = self._parent.after(milliseconds, self.hide)

    def _in_lines(self, text: str, room: int) -> str:
        """A text in one line, or in two where it is too long, of which the second may be cut."""
        fonts = self._theme.fonts
        if fonts.width("body", text) <= room:
            return text
        words = text.split(" ")
        count = len(words)
        while count > 1 and fonts.width("body", " ".join(words[:count])) > room:
            count -= 1
        lines = " ".join(words[:count]), " ".join(words[count:])
        return "\n".join(fonts.fit("body", line, room) for line in lines if line)

    def hide(self) -> None:
        """Take it away."""
        self._cancel()
        label, self._label = self._label, None
        if label is not None:
            label.destroy()

    def _paint(self, label: tk.Label) -> None:
        theme, palette = self._theme, self._theme.palette
        lines = str(label.cget("text")).split("\n")
        width = max(theme.fonts.width("body", line) for line in lines) + theme.px(32)
        height = theme.px(36) + (len(lines) - 1) * theme.fonts.line("body")
        label.configure(
            image=theme.images.rounded(width, height, theme.px(8), palette.shadow),
            foreground=palette.on_shadow,
            background=palette.surface(surface_of(self._parent)),
        )

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            self._parent.after_cancel(timer)
