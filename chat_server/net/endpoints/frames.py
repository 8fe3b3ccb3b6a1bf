"""The endpoint of the chat's own protocol: decodes frames, and encodes events and replies.

It is the only place that knows the encoding: rules and hub use commands, events and messages. An
event for many connections is encoded once, and the frames of each room's newest events are cached
for clients that resume.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from chat_server.rules.tails import TAIL_BYTES, TAILS
from common.protocol.codec import ServerEnd, encode
from common.protocol.events import Event
from common.protocol.fast_encode import ack_frame, event_frame
from common.protocol.messages import ToClient


class Batch:
    """Consecutive new events of a room, as frames."""

    def __init__(self, events: Sequence[Event], frames: Sequence[bytes]) -> None:
        self._events = events
        self._frames = frames
        self.joined = b"".join(frames)
        """For everyone who sent none of them: the same object in every send queue."""

    def own(self, acks: Mapping[int, int], *, live: bool) -> bytes:
        """What the sender of some of the events gets: acknowledgements in their places.

        `acks`: the commands that they answer, by place. A sender that is not live in the room gets
        the others' events from the log in their time.
        """
        told: dict[int, bytes] = {}
        for place, re in acks.items():
            room, seq, _, _, sent_at, cid, _ = self._events[place]
            told[place] = ack_frame(re, room, seq, cid, sent_at)
        if not live:
            return b"".join(told.values())
        return b"".join(told.get(place, frame) for place, frame in enumerate(self._frames))


class _Recent:
    """The frames of a room's newest events: about as many as the rules have at hand."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Event, bytes]] = deque()
        """Consecutive ones."""
        self._size = 0

    def add(self, events: Sequence[Event], frames: Sequence[bytes], size: int) -> None:
        """New events; `frames` are theirs, of `size` bytes together."""
        if self._kept and self._kept[-1][0].seq != events[0].seq - 1:
            self._kept.clear()
            self._size = 0
        self._kept.extend(zip(events, frames, strict=True))
        self._size += size
        while self._size > TAIL_BYTES:
            self._size -= len(self._kept.popleft()[1])

    def frame(self, event: Event) -> bytes | None:
        """The frame of an event, if it is here."""
        place = event.seq - self._kept[0][0].seq if self._kept else -1
        if not 0 <= place < len(self._kept):
            return None
        kept, frame = self._kept[place]
        # Compared whole: after a disk lost something, another event may have its place.
        return frame if kept == event else None


class FramesEndpoint:
    """What the connections of one I/O thread have in common."""

    def __init__(self) -> None:
        self._recent: dict[str, _Recent] = {}
        """By room; the one that was added to last is at the end."""

    @staticmethod
    def conversation() -> ServerEnd:
        """The server's end of a new connection's conversation: bytes in, commands out."""
        return ServerEnd()

    @staticmethod
    def message(message: ToClient) -> bytes:
        """The frame of a push, without a check of the conversation's phase."""
        return encode(message)

    def batch(self, events: Sequence[Event]) -> Batch:
        """Consecutive new events of a room: each encoded once, however many get them."""
        frames = [event_frame(event) for event in events]
        batch = Batch(events, frames)
        room = events[0].room
        recent = self._recent.pop(room, None) or _Recent()
        recent.add(events, frames, len(batch.joined))
        self._recent[room] = recent
        if len(self._recent) > TAILS:
            del self._recent[next(iter(self._recent))]
        return batch

    def events(self, events: Iterable[Event]) -> bytes:
        """The frames of earlier events; cached ones are not encoded again."""
        return b"".join(map(self._frame, events))

    def _frame(self, event: Event) -> bytes:
        recent = self._recent.get(event.room)
        frame = None if recent is None else recent.frame(event)
        return event_frame(event) if frame is None else frame
