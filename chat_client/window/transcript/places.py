"""Maps positions in the message list's Text to messages, by a few marks.

Every event has the mark `eSEQ` at its beginning, every message on its way out `oNUMBER`. Nothing
else is kept for a message: what is below the pointer, and what a selection holds, is worked out
when it is asked for.
"""

import re
import tkinter as tk
from typing import Final

from chat_client.window.transcript.held import Held
from chat_client.window.transcript.wording import Drawn, portions
from common.ui.widgets.richtext import RichText

_MARK: Final = re.compile(r"[eo]\d+")


class Places:
    """Answers questions about a transcript's Text."""

    def __init__(self, text: tk.Text, rich: RichText, events: Held) -> None:
        self._text, self._rich, self._events = text, rich, events

    def stretch(self, seq: int) -> tuple[str, str]:
        """From where to where an event is drawn."""
        at = self._events.at(seq)
        if at is None or at + 1 == len(self._events):
            return f"e{seq}", "tail"
        return f"e{seq}", f"e{self._events[at + 1].seq}"

    def mark_at(self, index: str) -> str | None:
        """The mark of the event or message that a place is in."""
        call, path = self._text.tk.call, str(self._text)
        # The mark of what begins here is before the next character.
        mark = str(call(path, "mark", "previous", f"{index} + 1 indices"))
        while mark and not _MARK.fullmatch(mark):
            mark = str(call(path, "mark", "previous", mark))
        return mark or None

    def body(self, mark: str, stop: str) -> str | None:
        """Where what was said begins, in the stretch from a mark to where the next one is."""
        # Within a group it goes on from the message before, and no range begins here.
        if "body" in self._text.tag_names(mark):
            return self._text.index(mark)
        found = self._text.tag_nextrange("body", mark, stop)
        return str(found[0]) if found else None

    def more(self, mark: str, stop: str) -> str:
        """Where what unfolds a message begins, which ends it; `stop` if there is none."""
        found = self._text.tag_nextrange("more", mark, stop)
        return str(found[0]) if found else stop

    def original(self, text: str, drawn: int, body: str, index: str, *, end: bool = False) -> int:
        """Which place of a message's text a place of the list is.

        `drawn` of its portions are there, from `body` on. With `end` what is not drawn, and the
        rest of a text that is folded, is before the place that is behind it.
        """
        place = len(self._rich.get(body, index)) if self._text.compare(index, ">", body) else 0
        return Drawn(text, portions(text)[:drawn]).original(place, end=end)
