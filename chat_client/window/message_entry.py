"""What somebody writes in the open room: kept as a draft, sent, and given back if it must be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from chat_client.state import news
from chat_client.state.outbox_message import OutboxMessage
from chat_client.window.composer import Composer
from chat_client.window.drafts import Drafts
from chat_client.window.status_banner import reason_text
from common.domain.sentences import as_sentence
from common.domain.text import TextRefusedError, check_text
from common.protocol.events import MESSAGE

if TYPE_CHECKING:  # at run time it is loaded when the window is on the screen
    from chat_client.core import Core


class MessageEntry:
    """The composer `composer` and the drafts of all rooms, `kept` as the cache has them.

    `order(do)` has the core do something.
    """

    def __init__(
        self,
        composer: Composer,
        kept: Mapping[str, str],
        order: Callable[[Callable[[Core], object]], object],
    ) -> None:
        self._composer, self._order = composer, order
        self._room = ""
        self.drafts = Drafts(
            kept, lambda room, text: order(lambda core: core.save_draft(room, text))
        )
        self._timer: str | None = None
        """For when the draft is kept."""
        composer.text.bind("<<Modified>>", self._typed, add="+")

    def open(self, room: str) -> None:
        """Another room is shown, or this one anew."""
        if self._room:
            self.stop()
            self.drafts.leave(self._room, self._composer.draft)
        draft = self.drafts.enter(room)
        if room != self._room:  # Else somebody may be writing in the middle of it.
            self._composer.set_draft(draft)
        self._room = room

    def take_over(self, former: MessageEntry) -> None:
        """Begin with the room and all drafts of another one, of which this takes the place."""
        former.save()
        self._room, self.drafts = former._room, former.drafts

    def send(self, text: str) -> str | None:
        """Send a text to the open room; why not, if it can't be sent."""
        problem = _why_not(text)
        if problem is None:
            self.drafts.sent(self._room)
            self._post(self._room, text)
        return problem

    def answer(self, room: str, text: str) -> str | None:
        """Send a text to any room, past its draft; why not, if it can't be sent."""
        problem = _why_not(text) or (self._composer.why_closed if self._composer.closed else None)
        if problem is None:
            self._post(room, text)
        return problem

    def _post(self, room: str, text: str) -> None:
        self._order(lambda core: core.send(room, MESSAGE, {"text": text}))

    def add_to_draft(self, text: str) -> None:
        """Have a text in the composer, below what may be half written there."""
        self._composer.set_draft("\n".join(filter(None, (self._composer.draft, text))))

    def act_on(self, out: OutboxMessage, action: str) -> str | None:
        """Do one of `pen.ACTIONS` with a message that was not sent; why not, if it can't be done.

        One that is edited is kept as a draft, so that a crash loses nothing when it leaves the
        outbox next.
        """
        if action == "again":
            if self._composer.closed:
                return self._composer.why_closed
            self._order(lambda core: core.send_again(out.cid))
            return None
        if action == "edit":
            self.add_to_draft(out.text)
            self.save()
        self._order(lambda core: core.drop(out.cid))
        return None

    def take_back(self, items: Sequence[news.MessageNotStored]) -> None:
        """What could not be kept stands where it was written, before what was written since."""
        for room in dict.fromkeys(item.room for item in items):
            texts = [item.text for item in items if item.room == room]
            self.drafts.not_sent(room)
            if room == self._room:
                why = next(item.why for item in items if item.room == room)
                self._composer.give_back(
                    "\n".join(filter(None, (*texts, self._composer.draft))),
                    f"Not sent. {reason_text(why)} Your text stays here: send it again later.",
                )
            else:
                self.drafts.give_back(room, "\n".join(texts))

    def save(self) -> None:
        """Keep what is written now and not sent."""
        self.stop()
        self.drafts.save(self._room, self._composer.draft)

    def differs_from(self, kept: Mapping[str, str]) -> bool:
        """Whether anything is written, in any room, that is not kept."""
        return self.drafts.differ_from(kept, self._room, self._composer.draft)

    def _typed(self, _: object) -> None:
        """Keep the draft when the typing pauses, and now and then while it goes on."""
        self.stop()
        pause = self.drafts.pause(time.monotonic())
        self._timer = self._composer.after(round(1000 * pause), self.save)

    def stop(self) -> None:
        """Don't keep the draft by itself; it is kept now, or the window is about to go."""
        if self._timer is not None:
            self._composer.after_cancel(self._timer)
            self._timer = None


def _why_not(text: str) -> str | None:
    """Why a text can't be a message, as a sentence; None if it can."""
    try:
        check_text(text)
    except TextRefusedError as error:
        return as_sentence(str(error))
    return None
