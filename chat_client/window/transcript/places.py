"""Maps positions in the message list's Text to messages, by a few marks.

Every event has the mark `eSEQ` at its beginning, every outbox message `oNUMBER`. Nothing else is
stored for a message: what is below the pointer, and what a selection contains, is computed on
demand.
"""

import re
import tkinter as tk
from typing import Final

from chat_client.window.transcript.held import Held
from chat_client.window.transcript.wording import Drawn, portions
from common.ui.widgets.richtext import RichText

_MARK: Final = re.compile(r"[eo]\d+")


class Places:
    """Lookups in a transcript's Text."""

    def __init__(self, text: tk.Text, rich: RichText, events: Held) -> None:
        self._text, self._rich, self._events = text, rich, events

    def stretch(self, seq: int) -> tuple[str, str]:
        """The range in which an event is drawn: its mark, and the next one or `tail`."""
        at = self._events.at(seq)
        if at is None or at + 1 == len(self._events):
            return f"e{seq}", "tail"
        return f"e{seq}", f"e{self._events[at + 1].seq}"

    def mark_at(self, index: str) -> str | None:
        """The mark of the event or outbox message at an index; None if there is none."""
        call, path = self._text.tk.call, str(self._text)
        # One character further, so that the mark of a message that begins here is found, too.
        mark = str(call(path, "mark", "previous", f"{index} + 1 indices"))
        while mark and not _MARK.fullmatch(mark):
            mark = str(call(path, "mark", "previous", mark))
        return mark or None

    def body(self, mark: str, stop: str) -> str | None:
        """Where the text of a message begins, between its mark and the next one."""
        # Within a group the tag's range begins in a message before.
        if "body" in self._text.tag_names(mark):
            return self._text.index(mark)
        found = self._text.tag_nextrange("body", mark, stop)
        return str(found[0]) if found else None

    def more(self, mark: str, stop: str) -> str:
        """Where the button that unfolds or folds a message begins; `stop` if there is none."""
        found = self._text.tag_nextrange("more", mark, stop)
        return str(found[0]) if found else stop

    def original(self, text: str, drawn: int, body: str, index: str, *, end: bool = False) -> int:
        """The offset in a message's original text of a position in the list.

        `drawn` portions of it are drawn from `body` on. With `end`, text that is not drawn, and the
        rest of a folded one, counts as before a position that follows it.
        """
        place = len(self._rich.get(body, index)) if self._text.compare(index, ">", body) else 0
        return Drawn(text, portions(text)[:drawn]).original(place, end=end)
