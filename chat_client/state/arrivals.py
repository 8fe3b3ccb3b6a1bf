"""Groups consecutive events among received messages: one statement for each would be slow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from common.protocol.codec import Arrival, RemoteProtocolError
from common.protocol.events import Event
from common.protocol.messages import ToClient


def in_runs(said: Iterable[Arrival]) -> Iterator[ToClient | list[Event]]:
    """Everything in its order: events in lists, which are never empty, the rest one by one.

    When `said` raises RemoteProtocolError, what came before it is given first.
    """
    run: list[Event] = []
    try:
        for message in said:
            if isinstance(message, Event):
                run.append(message)
                continue
            if run:
                yield run
                run = []
            yield message
    except RemoteProtocolError:
        if run:
            yield run
        raise
    if run:
        yield run
