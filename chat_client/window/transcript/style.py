"""How the message list looks, and how a Text is made for reading only."""

import tkinter as tk
from typing import Final

from common.ui.look.palette import contrast
from common.ui.look.theme import Theme

INDENT: Final = 52
"""Where names and messages begin, right of the avatars, px at 96 dpi."""

# The Text class's bindings that a read-only widget needs: scrolling, selecting and copying.
_READING: Final = (
    "<Button-1>",
    "<B1-Motion>",
    "<Double-Button-1>",
    "<Triple-Button-1>",
    "<Shift-Button-1>",
    "<Double-Shift-Button-1>",
    "<B1-Leave>",
    "<B1-Enter>",
    "<ButtonRelease-1>",
    "<<SelectAll>>",
    "<<SelectNone>>",
    "<<Copy>>",
    "<MouseWheel>",
    "<Shift-MouseWheel>",
    "<Button-4>",
    "<Button-5>",
)
_CLASS: Final = "Transcript"


def read_only(text: tk.Text) -> None:
    """Make a Text read-only: text can be selected, copied and scrolled, but not edited.

    A disabled Text can't get the keyboard focus on some systems; so its class bindings are
    replaced by a subset of them.
    """
    for sequence in _READING:
        script = text.tk.call("bind", "Text", sequence)
        if script:
            text.tk.call("bind", _CLASS, sequence, script)
    # The class's own bindings move the insertion cursor, which is invisible here, and scroll to it.
    for key, count, what in (
        ("Up", -3, "units"),
        ("Down", 3, "units"),
        ("Prior", -1, "pages"),
        ("Next", 1, "pages"),
    ):
        text.tk.call("bind", _CLASS, f"<{key}>", f"%W yview scroll {count} {what}")
    text.bindtags((str(text), _CLASS, str(text.winfo_toplevel()), "all"))
    text.configure(insertwidth=0)


class Styles:
    """The tags of a transcript's Text; there is no tag for a single message."""

    def __init__(self, text: tk.Text, theme: Theme) -> None:
        self._text, self._theme = text, theme
        self._names: dict[str, str] = {}
        """Colour of senders' names → its tag."""

    def configure(self) -> None:
        """Configure all tags with the current colours and fonts."""
        text, theme = self._text, self._theme
        palette, fonts, px = theme.palette, theme.fonts, theme.px
        indent, tab = px(INDENT), 4 * fonts.width("row", "0")
        text.configure(font=fonts["row"], spacing2=px(3))
        text.tag_configure(
            "body",
            lmargin1=indent,
            lmargin2=indent,
            spacing1=px(2),
            spacing3=px(2),
            tabs=(indent + tab, indent + 2 * tab),
            tabstyle="wordprocessor",
        )
        text.tag_configure("head", lmargin2=indent, spacing1=px(12), spacing3=px(0))
        text.tag_configure("time", font=fonts["label"], foreground=palette.muted)
        text.tag_configure(
            "day",
            justify="center",
            font=fonts["label_bold"],
            foreground=palette.muted,
            spacing1=px(20),
            spacing3=px(6),
        )
        text.tag_configure(
            "unread",
            justify="center",
            font=fonts["label_bold"],
            foreground=palette.danger,
            spacing1=px(12),
            spacing3=px(2),
        )
        text.tag_configure(
            "note",
            lmargin1=indent,
            lmargin2=indent,
            font=fonts["label"],
            foreground=palette.muted,
            spacing1=px(8),
            spacing3=px(4),
        )
        # The newline has the tag, too, so that the band reaches from edge to edge.
        band = palette.pill_away.fill
        text.tag_configure("mentioned", background=band, lmargincolor=band)
        text.tag_configure("mention", font=fonts["row_bold"], foreground=palette.link)
        text.tag_configure("link", foreground=palette.link, underline=True)
        text.tag_configure("small", font=fonts["label"])
        text.tag_configure("more", foreground=palette.link)
        text.tag_configure("waiting", foreground=palette.muted)
        text.tag_configure("failed", foreground=palette.danger)
        for colour, tag in self._names.items():
            self._configure_name(tag, colour)
        text.tag_raise("link")
        text.tag_raise("sel")

    def name_tag(self, username: str) -> str:
        """The tag of a sender's name: bold, in the colour of their avatar."""
        colour = self._theme.colours.of(username)
        tag = self._names.get(colour)
        if tag is None:
            # Once for each colour: Tk lays out all text of a tag again when the tag is configured.
            tag = self._names[colour] = f"name-{colour}"
            self._configure_name(tag, colour)
        return tag

    def _configure_name(self, tag: str, colour: str) -> None:
        shown = _readable(colour, self._theme.palette.window)
        self._text.tag_configure(tag, font=self._theme.fonts["row_bold"], foreground=shown)
        # Below "sel", so that a selected name has the colour that suits the selection's background.
        self._text.tag_lower(tag, "sel")


def _readable(colour: str, background: str) -> str:
    """`colour`, lightened until it can be read on a dark background (WCAG 2, 4.5:1)."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    for _ in range(20):
        found = "#" + "".join(f"{part:02x}" for part in parts)
        if contrast(found, background) >= 4.5:
            return found
        parts = [part + (255 - part) // 10 + 1 if part < 250 else 255 for part in parts]
    return colour
