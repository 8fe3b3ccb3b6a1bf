"""Draws what the message list holds into its Text: days, heads, messages, what waits."""

import tkinter as tk
from collections.abc import Callable
from functools import partial
from itertools import count

from PIL.Image import new as image

from chat_client.state.outgoing import Delivery, Outgoing
from chat_client.window.timeline import Entry
from chat_client.window.transcript_style import name_tag
from window.richtext import RichText
from window.text import safe
from window.theme import Theme


class Pen:
    """Writes at marks with right gravity, which then stand behind what was written.

    `on_link(url)` is told when a link is clicked; `on_failed(message, action)` for "edit" or
    "delete" on a message that could not be sent.
    """

    def __init__(
        self,
        text: tk.Text,
        theme: Theme,
        *,
        on_link: Callable[[str], object],
        on_failed: Callable[[Outgoing, str], object],
    ) -> None:
        self._text, self._theme = text, theme
        self._on_link, self._on_failed = on_link, on_failed
        self.rich = RichText(text, theme)
        self._actions: dict[str, Callable[[], object]] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._numbers = count()
        text.bind("<<Copy>>", self._copy)
        # On release: a press may begin a selection.
        text.tag_bind("action", "<ButtonRelease-1>", self._clicked)
        text.tag_bind("action", "<Enter>", lambda _: text.configure(cursor="hand2"))
        text.tag_bind("action", "<Leave>", lambda _: text.configure(cursor="arrow"))

    def draw(self, entry: Entry, at: str) -> None:
        """Draw an event at a mark, and set its own mark `eSEQ` to its beginning."""
        text = self._text
        start = text.index(at)
        self._draw_beginning(entry, at)
        if entry.kind == "join":
            text.insert(at, f"{entry.name} joined · {entry.time}\n", ("note",))
        else:
            self._draw_words(entry, at)
        text.mark_set(f"e{entry.seq}", start)

    def _draw_words(self, entry: Entry, at: str) -> None:
        for span in entry.spans:
            tags = ("body",) if span.url is None else ("body", "link", *self._link(span.url))
            self.rich.insert(at, span.text, tags)
        self._text.insert(at, "\n", ("body",))

    def _draw_beginning(self, entry: Entry, at: str) -> None:
        if entry.day is not None:
            self._draw_day(entry.day, at)
        if entry.heads_group and entry.kind == "message":
            self._draw_head(entry.name, entry.sender, entry.time, at)

    def _draw_day(self, day: str, at: str) -> None:
        rule = self._rule()
        start = self._text.index(at)
        self._text.image_create(at, image=rule, align="center")
        self._text.insert(at, f"   {day}   ", ("day",))
        self._text.image_create(at, image=rule, align="center")
        self._text.insert(at, "\n", ("day",))
        self._text.tag_add("day", start, at)

    def _rule(self) -> tk.PhotoImage:
        colour = self._theme.palette.border
        size = self._theme.px(70), max(1, self._theme.px(1))
        return self._theme.images.get(("rule", size, colour), lambda: image("RGB", size, colour))

    def _draw_head(self, name: str, username: str, time: str, at: str) -> None:
        start = self._text.index(at)
        avatar = self._theme.avatar(name, username, 38)
        self._text.image_create(at, image=avatar, align="center")
        self._text.insert(at, "\t", ("head",))
        self._text.insert(at, name, ("head", self._name_tag(username)))
        self._text.insert(at, f"  {time}\n", ("head", "time"))
        self._text.tag_add("head", start, at)

    def _name_tag(self, username: str) -> str:
        # Configured once for each colour: Tk lays out anew what has a tag that is configured.
        key = self._theme.colours.of(username), self._theme.palette.window
        if key not in self._names:
            self._names[key] = name_tag(self._text, self._theme, username)
        return self._names[key]

    def _link(self, url: str) -> tuple[str, str]:
        return self._action(lambda: self._on_link(url))

    def _action(self, do: Callable[[], object]) -> tuple[str, str]:
        """The tags of a stretch of text that does something when clicked."""
        tag = f"do-{next(self._numbers)}"
        self._actions[tag] = do
        return ("action", tag)

    def forget_actions(self) -> None:
        """Those of what is no longer in the text."""
        for tag in [tag for tag in self._actions if not self._text.tag_nextrange(tag, "1.0")]:
            self._text.tag_delete(tag)
            del self._actions[tag]

    def _copy(self, _: object) -> str:
        self.rich.copy_selection()
        return "break"

    def _clicked(self, event: "tk.Event[tk.Text]") -> None:
        if self._text.tag_ranges("sel"):
            return
        for tag in self._text.tag_names(f"@{event.x},{event.y}"):
            if tag in self._actions:
                self._actions[tag]()
                return

    def draw_outgoing(self, entry: Entry, out: Outgoing, at: str) -> None:
        """Draw a message that waits, was sent, or could not be sent and why."""
        self._draw_beginning(entry, at)
        if out.state is Delivery.SENT:
            # As it will look in its place, which comes with what was said before it.
            self._draw_words(entry, at)
            return
        failed = out.state is Delivery.FAILED
        tone = "failed" if failed else "waiting"
        palette = self._theme.palette
        for span in entry.spans:
            self.rich.insert(at, span.text, ("body", tone))
        colour = palette.danger if failed else palette.muted
        icon = self._theme.icon("warning" if failed else "clock", colour, 14, gap=6)
        self._text.insert(at, "  ", ("body", tone))
        self._text.image_create(at, image=icon, align="center")
        if failed:
            self._text.insert(at, f"Not sent: {safe(out.reason)}  ", ("body", "failed", "small"))
            for label in ("Edit", "Delete"):
                tags = self._action(partial(self._on_failed, out, label.lower()))
                self._text.insert(at, label, ("body", "link", "small", *tags))
                self._text.insert(at, "   ", ("body", "small"))
        self._text.insert(at, "\n", ("body",))
