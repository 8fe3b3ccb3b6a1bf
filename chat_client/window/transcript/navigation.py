"""Jumps within the open room: to an end, to a date, to a message that was found."""

from chat_client.state.news import HistoryAdded, Wanted
from chat_client.window.transcript.fetching import Fetching
from chat_client.window.transcript.folds import Folds
from chat_client.window.transcript.highlights import Highlights
from chat_client.window.transcript.paging import Pager
from chat_client.window.transcript.places import Places
from chat_client.window.transcript.reading import Reading
from chat_client.window.transcript.source import Source
from chat_client.window.transcript.viewport import Viewport
from chat_client.window.transcript.wording import match_end, portions


class Navigation:
    """A place is the `seq` of an event; a page not cached is requested, and shown on arrival."""

    def __init__(
        self,
        source: Source,
        reading: Reading,
        places: Places,
        folds: Folds,
        highlights: Highlights,
        viewport: Viewport,
        fetching: Fetching,
        pager: Pager,
    ) -> None:
        self._source, self._reading, self._places = source, reading, places
        self._folds, self._highlights, self._viewport = folds, highlights, viewport
        self._fetching, self._pager = fetching, pager
        self._events = reading.events

    def show_latest(self) -> None:
        """Draw the newest page, and scroll to its end."""
        self._fetching.aim_at_nothing()
        self._pager.hold_latest()

    def go_to_latest(self) -> None:
        """Scroll to the newest message, redrawing only if it is not held."""
        self._fetching.aim_at_nothing()
        if self._reading.has_newer:
            self._pager.hold_latest()
        else:
            self._viewport.to_bottom()

    def go_to_first(self) -> None:
        """Scroll to the oldest message, as soon as it is cached."""
        self.show_from(1)

    def show_from(self, seq: int) -> None:
        """Scroll an event to the top of the view, as soon as it is cached; 1 is the oldest."""
        self._fetching.aim_at_nothing()
        room = self._reading.room
        if room is None or not len(self._events):
            return
        page = self._source.after(room, seq - 1, 1)
        if page and (page[0].seq == seq or seq == 1):
            self._show_from(seq)
        else:
            self._fetching.aim(Wanted(room, around=seq))

    def go_to_time(self, at: int) -> None:
        """Scroll to the first message sent at or after `at` (ms, UTC), as soon as it is cached."""
        self._fetching.aim_at_nothing()
        room = self._reading.room
        if room is None or not len(self._events):
            return
        seq, is_first = self._source.place_at(room, at)
        if is_first:
            self.go_to(seq)
        else:
            self._fetching.aim(Wanted(room, at=at))

    def go_to(self, seq: int) -> None:
        """Scroll to an event and highlight it; does nothing if it is not cached."""
        self._fetching.aim_at_nothing()
        if not self._pager.hold_around(seq):
            return
        self._highlights.here = seq
        self._highlights.show_here()
        self._unfold_words(seq)
        self._show_match(seq)
        self._viewport.see_end()
        self._pager.look_when_drawn()
        self._highlights.mark_soon()

    def history_added(self, added: HistoryAdded) -> None:
        """Handle the arrival or failure of a requested page of this room."""
        wanted = added.wanted
        if self._fetching.answered(added):
            self._hit(wanted, added.places)
        elif added.places and wanted == Wanted(wanted.room):
            self._pager.newest_added()
        self._pager.look_soon()

    def disconnected(self) -> None:
        """Handle the loss of the connection: show the cached event nearest to a pending jump."""
        target = self._fetching.disconnected()
        if target is not None:
            self._hit(target, ())
        self._pager.look_soon()

    def _hit(self, target: Wanted, places: tuple[int, ...]) -> None:
        """Finish a jump: to its target, or to the nearest cached event if that can't be loaded."""
        room = self._reading.room
        if room is None:
            return
        if target.at is None:
            wanted = target.around or 1
            at = self._source.place_at(room, 0)[0] if wanted == 1 else self._events.first
            self._show_from(wanted if places else at)
            return
        seq, _ = self._source.place_at(room, target.at)
        if places:
            page = self._source.after(room, places[0] - 1, places[1] + 1 - places[0])
            later = (event.seq for event in page if event.sent_at >= target.at)
            seq = next(later, places[1])
        self.go_to(seq)

    def _show_from(self, seq: int) -> None:
        """Scroll an event, or the next cached one, to the top of the view."""
        first = self._pager.hold_from(seq)
        if first is not None:
            self._viewport.show_at_top(first)
        self._viewport.see_end()
        self._pager.look_later()

    def _show_match(self, seq: int) -> None:
        """Scroll to the first match in a message, or to its beginning."""
        self._viewport.show_place(self._highlights.first_in(*self._places.stretch(seq)))

    def _unfolded(self, seq: int) -> None:
        """Scroll to the match once all of its message is drawn."""
        if seq == self._highlights.here:
            self._show_match(seq)

    def _unfold_words(self, seq: int) -> None:
        """Unfold a message if its first match is in a portion that is not drawn."""
        looked_for = self._highlights.pattern
        if looked_for is None:
            return
        text = self._events.find(seq).text
        end = match_end(text, looked_for)
        if end is not None and end > portions(text)[self._folds.drawn(seq) - 1].end:
            self._folds.unfold(seq, lambda: self._unfolded(seq))
