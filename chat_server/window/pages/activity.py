"""The activity feed at the bottom of the window, the newest line first."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from chat_server.window.feed import Kind, Line
from common.ui.look.icons import IconName
from common.ui.look.palette import Tone
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Hairline, Label, Panel
from common.ui.widgets.editing import Editing
from common.ui.widgets.richtext import RichText
from common.ui.widgets.scrolling import Scrollbar
from common.ui.widgets.textbox import TextBox

_LOOKS: Final[dict[Kind, tuple[IconName, Tone]]] = {
    Kind.STARTED: ("power", "running"),
    Kind.STOPPED: ("power", "muted"),
    Kind.CHANGED: ("broadcast", "muted"),
    Kind.CAME: ("enter", "running"),
    Kind.LEFT: ("leave", "muted"),
    Kind.TERMINATED: ("terminate", "danger"),
    Kind.SLOW: ("warning", "warning"),
    Kind.CAUGHT_UP: ("check-circle", "running"),
    Kind.FAILED: ("warning", "danger"),
    Kind.ROLE: ("shield", "muted"),
    Kind.MUTED: ("ban", "muted"),
    Kind.REFUSED: ("ban", "warning"),
}


_SPACING: Final = 5
"""Space above and below a line, px at 96 dpi."""
_BELOW: Final = 12


class Activity(Panel):
    """Read-only lines that can be selected and copied; the arrow keys scroll them."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent, theme, "sidebar")
        self._theme = theme
        self._lines: tuple[Line, ...] = ()
        Hairline(self, theme).pack(fill="x")
        self._title = Label(self, theme, "Activity", font="field_bold")
        self._title.pack(anchor="w", padx=theme.px(24), pady=(theme.px(12), theme.px(4)))
        body = Panel(self, theme)
        body.pack(
            fill="both", expand=True, padx=(theme.px(24), theme.px(6)), pady=(0, theme.px(_BELOW))
        )
        self.pack_propagate(False)
        self.text = tk.Text(
            body, height=1, width=1, wrap="word", cursor="", font=theme.fonts["body"],
            borderwidth=0, highlightthickness=0, padx=0, pady=theme.px(2), insertwidth=0,
            tabs=(theme.px(40), "right", theme.px(54), "left", theme.px(80), "left"),
            spacing1=theme.px(_SPACING), spacing3=theme.px(_SPACING),
        )  # fmt: skip
        self.text.tag_configure("line", lmargin2=theme.px(80))
        self.text.tag_configure("time", font=theme.fonts["label"])
        self.text.tag_configure("name", font=theme.fonts["body_bold"])
        # Tk's bindings without those that edit; selecting and copying stay.
        self.text.bindtags((str(self.text), "HostActivity", str(self.winfo_toplevel()), "all"))
        self._bind_class()
        Editing(_Lines(self.text, RichText(self.text, theme), writable=False), theme)
        body.ring_for(self.text)
        scrollbar = Scrollbar(body, theme, self.text.yview)
        self.text.configure(yscrollcommand=scrollbar.set)
        scrollbar.pack(side="right", fill="y", pady=theme.px(4))
        self.text.pack(side="left", fill="both", expand=True)
        theme.subscribe(self.text, self._repaint)

    def set_height(self, height: int) -> None:
        """Take at most `height` screen pixels, so that whole lines fit."""
        theme = self._theme
        line = theme.fonts.line("body_bold") + 2 * theme.px(_SPACING)
        above = theme.px(1) + self._title.winfo_reqheight() + theme.px(12) + theme.px(4)
        rest = above + theme.px(_BELOW) + 2 * theme.px(2)
        lines = max(1, (height - rest) // line)
        self.configure(height=rest + lines * line)

    def show(self, lines: tuple[Line, ...]) -> None:
        """Show these lines."""
        if lines is not self._lines:
            self._lines = lines
            self._write()

    def show_newest(self) -> None:
        """Scroll to the top, where the newest line is."""
        self.text.yview_moveto(0)

    def _bind_class(self) -> None:
        """The bindings of Tk's Text for reading: pointer, wheel, copy, keys that move the view."""
        text = self.text
        for event in (
            "<Button-1>", "<B1-Motion>", "<Double-Button-1>", "<Triple-Button-1>",
            "<ButtonRelease-1>", "<B1-Leave>", "<B1-Enter>", "<Shift-Button-1>",
            "<MouseWheel>", "<Button-4>", "<Button-5>",
        ):  # fmt: skip
            script = text.tk.call("bind", "Text", event)
            if script:
                text.tk.call("bind", "HostActivity", event, script)
        for key, amount, what in (
            ("Up", -1, "units"), ("Down", 1, "units"), ("Prior", -1, "pages"), ("Next", 1, "pages"),
        ):  # fmt: skip
            text.bind(f"<{key}>", lambda _, n=amount, w=what: text.yview_scroll(n, w))  # type: ignore[misc]
        text.bind("<Home>", lambda _: text.yview_moveto(0))
        text.bind("<End>", lambda _: text.yview_moveto(1))

    def _write(self) -> None:
        text, theme = self.text, self._theme
        top = text.yview()[0]
        text.delete("1.0", "end")
        for place, line in enumerate(self._lines):
            icon, tone = _LOOKS[line.kind]
            image = theme.icon(icon, theme.palette.tone(tone))
            text.insert("end", "\n" * bool(place) + "\t", "line", line.time, ("line", "time"))
            text.insert("end", "\t", "line")
            text.image_create("end", image=image, align="center")
            text.insert("end", "\t", "line")
            if line.name:
                text.insert("end", line.name, ("line", "name"), " ", "line")
            if line.handle:
                text.insert("end", f"{line.handle} ", ("line", "handle"))
            text.insert("end", line.text, "line")
        # The scroll position is kept, unless it is at the top, where the newest line is shown.
        text.yview_moveto(top)

    def _repaint(self) -> None:
        palette = self._theme.palette
        self.text.configure(
            background=palette.sidebar, foreground=palette.text,
            selectbackground=palette.marked, selectforeground=palette.on_marked,
            inactiveselectbackground=palette.marked,
        )  # fmt: skip
        self.text.tag_configure("time", foreground=palette.muted)
        self.text.tag_configure("handle", foreground=palette.muted)
        self._write()


class _Lines(TextBox):
    """The text for selecting and copying, with spaces between the columns."""

    def selected(self) -> str:
        """The selected lines as one reads them."""
        lines = super().selected().split("\n")
        return "\n".join(" ".join(filter(None, line.split("\t"))) for line in lines)
