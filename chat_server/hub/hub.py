"""The hub: the one thread that owns every rule, all live state and the writing of the log.

It takes whatever has gathered in its queue, applies all of it in one transaction, commits
once (group commit), and only then releases what follows from it: an acknowledgement that
leaves this thread is on the disk.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from chat_server.hub.batch import Applied, Batches
from chat_server.hub.queue import HubQueue, StopHub
from chat_server.hub.trace import log_batch
from chat_server.net.endpoints.local import LocalEndpoint
from chat_server.net.io_thread import IoThread
from chat_server.net.query_workers import Readers
from chat_server.rules import effects
from chat_server.rules.view import MessagesStored, ViewEvent
from chat_server.rules.world import World
from chat_server.thread_watch import Ended, ignore, watched
from common.protocol import messages

log = logging.getLogger(__name__)

ShowView = Callable[[Sequence[ViewEvent]], None]


class Hub:
    """Applies inputs in their order. `show` gets what the host's window should know."""

    def __init__(
        self,
        queue: HubQueue,
        world: World,
        show: ShowView,
        ended: Ended = ignore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._world = world
        self._show = show
        self._io: Sequence[IoThread] = ()
        self._readers: Readers | None = None
        self._local: LocalEndpoint | None = None
        self._batches = Batches(world, self._renew_readers, clock)
        self._thread = watched(self._run, "hub", ended)

    def start(
        self, io: Sequence[IoThread], readers: Readers, local: LocalEndpoint | None = None
    ) -> None:
        """Start serving these I/O threads and the host's sessions, with the help of readers."""
        self._io = io
        self._local = local
        self._readers = readers
        self._thread.start()

    def stop(self) -> None:
        """Apply everything posted before this, commit it, and return."""
        if self._thread.is_alive():
            self._queue.post(StopHub())
            self._thread.join()

    def _run(self) -> None:
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Wait for a batch and handle it. Whether there is another one to come."""
        items = self._queue.take()
        self._batches.traced = traced = log.isEnabledFor(logging.DEBUG)
        try:
            applied = self._batches.commit(items)
            if traced:
                log_batch(self._world, applied, self._batches.commit_time)
            self._release(applied)
        except Exception:
            # No command of a client may end this thread.
            log.exception("the hub could not apply a batch of %d", len(items))
            self._batches.thread_failed()
        return not any(isinstance(item, StopHub) for item in items)

    def _renew_readers(self) -> None:
        if self._readers is not None:
            self._readers.renew()

    def _release(self, applied: Sequence[Applied]) -> None:
        """Hand everything out, in order; a room's new events as one fan-out at the end.

        No event is lost by that order: a session goes live in a room only with its cursor at a head
        that is committed, so no GoLive of this batch can follow a Publish that it needs.
        """
        batches: list[list[effects.IoEffect]] = [[] for _ in self._io]
        published: dict[str, list[effects.Publish]] = {}
        shown: list[ViewEvent] = []
        for effect in _effects(applied):
            match effect:
                case effects.Publish():
                    published.setdefault(effect.event.room, []).append(effect)
                case effects.ReadPage() | effects.Query() | effects.ForgetPages():
                    self._read(effect)
                case effects.After():
                    self._queue.post(effect.item)
                case effects.TellAccount() | effects.TellEveryone():
                    _add_to_all(batches, effect)
                case _ if isinstance(effect, effects.ToOne):
                    self._hand_over(effect, batches)
                case _:
                    shown.append(effect)
        said = self._fan_out(published, batches)
        for io, batch in zip(self._io, batches, strict=True):
            io.post(batch)
        if said:
            shown.append(MessagesStored(said, time.time_ns() // 1_000_000))
        if shown:
            self._show(shown)

    def _fan_out(
        self,
        published: Mapping[str, Sequence[effects.Publish]],
        batches: Sequence[list[effects.IoEffect]],
    ) -> int:
        """A room's new events as one fan-out, to all I/O threads. Returns how many people sent."""
        said = 0
        for room, events in published.items():
            fanout = _fanout(room, events)
            self._world.delivery.tails.add(room, fanout.events)
            _add_to_all(batches, fanout)
            said += sum(map(len, fanout.acks.values()))
        return said

    def _hand_over(self, effect: effects.ToOne, batches: Sequence[list[effects.IoEffect]]) -> None:
        """To the thread that owns the connection; the host's sessions have numbers below 0."""
        if effect.connection > 0:
            batches[effect.connection % len(batches)].append(effect)
        elif self._local is not None:
            self._local.carry_out(effect)

    def _read(self, effect: effects.ReadPage | effects.Query | effects.ForgetPages) -> None:
        if isinstance(effect, effects.ForgetPages):
            self._renew_readers()
        elif self._readers is not None:
            self._readers.post(effect)


def _effects(applied: Sequence[Applied]) -> Iterator[effects.Effect | ViewEvent]:
    """Everything in its order, with the answers that had to wait until now."""
    for entry in applied:
        for effect in entry.outcome:
            if isinstance(effect, effects.Publish):  # first of all: nearly every one is
                yield effect
            elif isinstance(effect, effects.Answer):
                yield _answer(effect)
            elif isinstance(effect, effects.Show):
                try:
                    shown = effect.make()
                except Exception:
                    # As with an answer: whoever was banned in this batch is still to be ended.
                    log.exception("the host could not be shown something")
                else:
                    yield shown
            else:
                yield effect


def _answer(effect: effects.Answer) -> effects.Tell:
    """The reply, made now that the batch is committed or has failed."""
    try:
        return effects.Tell(effect.connection, effect.make())
    except Exception:
        # The rest of the batch is stored: its effects are carried out all the same.
        log.exception("an answer could not be made")
        error = messages.refusal("internal", re=effect.re)
        return effects.Tell(effect.connection, error)


def _add_to_all(batches: Sequence[list[effects.IoEffect]], effect: effects.IoEffect) -> None:
    for batch in batches:
        batch.append(effect)


def _fanout(room: str, events: Sequence[effects.Publish]) -> effects.Fanout:
    acks: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for place, published in enumerate(events):
        if published.sender is not None:
            acks[published.sender][place] = published.re
    return effects.Fanout(room, tuple([each.event for each in events]), acks)
