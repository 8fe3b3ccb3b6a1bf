"""Draws the message list into its Text: headings of days, senders, messages, and the outbox."""

import tkinter as tk
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

from PIL.Image import new as image

from chat_client.state.outbox_message import OutboxMessage, OutboxState
from chat_client.window.transcript.style import Styles
from chat_client.window.transcript.timeline import Entry
from chat_client.window.transcript.wording import Portion, portions, spans_of
from common.domain.mentions import Mention
from common.domain.sentences import sentence
from common.ui.look.theme import Theme
from common.ui.widgets.richtext import RichText
from common.ui.widgets.safe_text import safe, worded

SHOW_ALL: Final = "Show all"
SHOW_LESS: Final = "Show less"
ACTIONS: Final = {"again": "Send again", "edit": "Edit", "delete": "Delete"}
"""Actions for a message that could not be sent: tag of the button → its label."""


class Words(Protocol):
    """The text of a message, and its sender."""

    @property
    def sender(self) -> str:
        """The username."""

    @property
    def text(self) -> str:
        """The whole text, as it was received."""


class Pen:
    """Draws at marks with right gravity, which are after the drawn text then.

    All links of the list have one tag, and so has everything else that can be clicked: Tk's cost
    grows with the number of tags. What was clicked is derived from its position.
    """

    def __init__(
        self,
        text: tk.Text,
        theme: Theme,
        styles: Styles,
        mentions_in: Callable[[str], Sequence[Mention]] = lambda _: (),
    ) -> None:
        self._text, self._theme, self._styles = text, theme, styles
        self._mentions_in = mentions_in
        self.me = ""
        """The username of this account."""
        self.rich = RichText(text, theme)
        self._rules: dict[str, Literal["day", "unread"]] = {}
        """Picture of each line across the list, for each set of colours → what it is for."""

    def draw(self, entry: Entry, at: str) -> None:
        """Draw an event at a mark, and set its own mark `eSEQ` to its beginning.

        Of a long text only the first portion is drawn.
        """
        text = self._text
        start = text.index(at)
        self.draw_beginning(entry, at)
        if not entry.drawing.note:
            self.draw_words(entry, at)
        text.mark_set(f"e{entry.seq}", start)

    def draw_beginning(self, entry: Entry, at: str) -> None:
        """Draw all of an event except its text: unread line, day heading, sender and time."""
        if entry.day is not None:
            self._draw_line("day", entry.day, at, "action")
        if entry.unread:
            self._draw_line("unread", entry.unread, at)
        if entry.drawing.note:
            who = " ".join(filter(None, (worded(entry.name).text, entry.handle)))
            note = entry.drawing.note_about(who)
            self.rich.insert(at, f"{note} · {entry.time}\n", ("note",))
        elif entry.heads_group:
            self._draw_head(entry, at)

    def draw_portion(self, said: Words, portion: Portion, at: str) -> None:
        """Draw one portion of a message's text."""
        body = self._body(said)
        text, mentions = said.text, self._mentions_in(said.text)
        for span in spans_of(text, portion.begin, portion.end, mentions):
            tags = body
            if span.url is not None:
                tags += ("link", "action")
            elif span.mention is not None:
                tags += ("mention",)
            self.rich.insert(at, worded(span.text).text, tags)
        if portion.breaks:
            self._text.insert(at, "\n", body)

    def _body(self, said: Words) -> tuple[str, ...]:
        """The tags of a message's text; another's one that mentions this account stands out."""
        if said.sender == self.me:
            return ("body",)
        mine = any(self.me in mention.usernames for mention in self._mentions_in(said.text))
        return ("body", "mentioned") if mine else ("body",)

    def draw_more(self, label: str, said: Words, at: str) -> None:
        """Draw the button that unfolds or folds a long text, and the end of the message."""
        body = self._body(said)
        self._text.insert(at, label, (*body, "more", "small", "action"))
        self._text.insert(at, "\n", (*body, "more"))

    def draw_end(self, said: Words, at: str) -> None:
        """Draw the end of a message that is drawn completely."""
        self._text.insert(at, "\n", self._body(said))

    def draw_words(self, said: Words, at: str) -> None:
        """Draw a message's text; of a long text only the first portion."""
        parts = portions(said.text)
        self.draw_portion(said, parts[0], at)
        if len(parts) == 1:
            self.draw_end(said, at)
        else:
            self.draw_more(f"{SHOW_ALL} ({len(said.text):,} characters)", said, at)

    def _draw_line(self, of: Literal["day", "unread"], words: str, at: str, *more: str) -> None:
        """Draw words in the middle of a line across the list."""
        self._draw_picture(self.rule(of), at, of)
        self._text.insert(at, f"   {words}   ", (of, *more))
        self._draw_picture(self.rule(of), at, of)
        self._text.insert(at, "\n", (of,))

    def _draw_picture(self, picture: tk.PhotoImage, at: str, tag: str) -> None:
        """Draw a picture with one tag.

        Tk gives a picture the tags that both of its neighbours have: between two messages those of
        their texts, whose margins the whole line would get.
        """
        text = self._text
        start = text.index(at)
        text.image_create(start, image=picture, align="center")
        for inherited in text.tag_names(start):
            text.tag_remove(inherited, start)
        text.tag_add(tag, start)

    def rule(self, of: Literal["day", "unread"]) -> tk.PhotoImage:
        """The line on both sides of a day heading or of the unread line, in the current colours."""
        palette = self._theme.palette
        colour = palette.border if of == "day" else palette.danger
        size = self._theme.px(70), max(1, self._theme.px(1))
        key = ("rule", size, colour)
        rule = self._theme.images.get(key, lambda: image("RGB", size, colour))
        self._rules[str(rule)] = of
        return rule

    def repaint(self) -> None:
        """Draw the existing pictures of lines again, in the current colours."""
        self.rich.repaint()
        text = self._text
        for _, name, index in text.dump("1.0", "end", image=True):
            of = self._rules.get(name.partition("#")[0])
            if of is not None:
                text.image_configure(index, image=self.rule(of))

    def _draw_head(self, entry: Entry, at: str) -> None:
        self._draw_picture(self._theme.avatar(entry.name, entry.sender, 38), at, "head")
        self._text.insert(at, "\t", ("head",))
        name = worded(entry.name).text
        self.rich.insert(at, name, ("head", self._styles.name_tag(entry.sender)))
        if entry.handle:
            self._text.insert(at, f" {entry.handle}", ("head", "time"))
        self._text.insert(at, f"  {entry.time}\n", ("head", "time"))

    def draw_outgoing(self, entry: Entry, out: OutboxMessage, at: str) -> None:
        """Draw an outbox message: waiting, sent, or failed with the reason and `ACTIONS`."""
        said = not entry.drawing.note
        self.draw_beginning(entry, at)
        if out.state is OutboxState.SENT:
            # As it will look as an event, once it and the events before it have arrived.
            if said:
                self.draw_words(entry, at)
            return
        failed = out.state is OutboxState.FAILED
        tone = "failed" if failed else "waiting"
        palette = self._theme.palette
        folded = portions(entry.text)
        drawn = entry.text[: folded[0].end]
        self.rich.insert(at, worded(drawn).text, ("body", tone))
        if len(folded) > 1:
            self._text.insert(at, " …", ("body", tone))
        colour = palette.danger if failed else palette.muted
        icon = self._theme.icon("warning" if failed else "clock", colour, 14, gap=6)
        self._text.insert(at, "  ", ("body", tone))
        # The icon may begin a line of its own; with the text's tag it gets the text's margin.
        self._draw_picture(icon, at, "body")
        if failed:
            self._text.insert(at, f"Not sent: {safe(_why(out))}  ", ("body", "failed", "small"))
            offered = {"again": out.may_go_again, "edit": said, "delete": True}
            for tag, label in ACTIONS.items():
                if not offered[tag]:
                    continue
                self._text.insert(at, label, ("body", "link", "small", "action", tag))
                self._text.insert(at, "   ", ("body", "small"))
        self._text.insert(at, "\n", ("body",))


def _why(out: OutboxMessage) -> str:
    return "" if out.reason is None else sentence(out.reason)
