"""The endpoint of frames: bytes become commands, and what the rules say becomes bytes.

It is the one place where a connection of the chat's own protocol meets that protocol: rules and
hub know commands, events and messages only. What goes to many is encoded once, and of the events
that were said last the frames are kept, for those who were away for a moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from chat_server.rules.tails import TAIL_BYTES, TAILS
from common.protocol.codec import ServerEnd, encode
from common.protocol.events import Event
from common.protocol.fast_encode import ack_frame, event_frame
from common.protocol.messages import ToClient

KEPT_BYTES: Final = TAILS * TAIL_BYTES
"""Of frames of events that are kept, at most: about as many as the rules have at hand."""


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
        told = {place: self._ack(re, self._events[place]) for place, re in acks.items()}
        if not live:
            return b"".join(told.values())
        return b"".join(told.get(place, frame) for place, frame in enumerate(self._frames))

    @staticmethod
    def _ack(re: int, event: Event) -> bytes:
        return ack_frame(re, event.room, event.seq, event.cid, event.sent_at)


class FramesEndpoint:
    """What the connections of one I/O thread have in common."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._most = kept_bytes
        self._kept: dict[tuple[str, int], tuple[Event, bytes]] = {}
        """By room and place, the oldest first."""
        self._size = 0

    @staticmethod
    def conversation() -> ServerEnd:
        """The server's end of a new connection's conversation: bytes in, commands out."""
        return ServerEnd()

    @staticmethod
    def message(message: ToClient) -> bytes:
        """The frame of a push, without a check of the conversation's phase."""
        return encode(message)

    def batch(self, events: Sequence[Event]) -> Batch:
        """New events: each encoded once, however many get them."""
        frames = [event_frame(event) for event in events]
        for event, frame in zip(events, frames, strict=True):
            self._keep(event, frame)
        return Batch(events, frames)

    def events(self, events: Iterable[Event]) -> bytes:
        """The frames of earlier events; cached ones are not encoded again."""
        return b"".join(map(self._frame, events))

    def _frame(self, event: Event) -> bytes:
        kept = self._kept.get((event.room, event.seq))
        # Compared whole: after a disk lost something, another event may have its place.
        if kept is not None and kept[0] == event:
            return kept[1]
        return event_frame(event)

    def _keep(self, event: Event, frame: bytes) -> None:
        key = (event.room, event.seq)
        before = self._kept.pop(key, None)
        if before is not None:
            self._size -= len(before[1])
        self._kept[key] = (event, frame)
        self._size += len(frame)
        if self._size > self._most:
            self._evict()

    def _evict(self) -> None:
        """Forget the oldest quarter.

        Not one after the other as they come: a dict looks for its first key behind all those that
        were deleted before, which took two fifths of the I/O thread's time once this was full.
        """
        oldest: list[tuple[str, int]] = []
        for key, (_, frame) in self._kept.items():
            if self._size <= self._most - self._most // 4:
                break
            oldest.append(key)
            self._size -= len(frame)
        for key in oldest:
            del self._kept[key]
