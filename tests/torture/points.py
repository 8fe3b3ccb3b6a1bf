"""The named points of the server: the places at which a kill hurts most.

before-commit   rules applied, rows written, nothing on disk yet
after-commit    on disk, and nobody knows
after-ack       its sender knows, the others do not
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chat_server.net.endpoints.frames import FramesEndpoint
from chat_server.rules import effects
from tests.torture import inside
from tests.torture.hooks import Points


class _Batch:
    """Whether the present transaction has a message of a client."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._says = False

    def appended(self) -> None:
        self._says = True

    @contextmanager
    def around(self, original: Any, log: Any) -> Iterator[None]:
        self._says = False
        with original(log):
            yield
            if self._says:
                self._points.reach("before-commit")
        if self._says:
            self._points.reach("after-commit")


def place_points(points: Points) -> None:
    """From now on the server passes by these points."""

    def fan_out(original: inside.FanOut, out: Any, effect: effects.Fanout, now: float) -> None:
        if effect.acks and points.due("after-ack"):
            _acknowledge(out, effect, now)
        if effect.acks:
            points.reach("after-ack")
        original(out, effect, now)

    batch = _Batch(points)
    inside.on_appended(batch.appended)
    inside.around_transaction(batch.around)
    inside.around_fan_out(fan_out)


def _acknowledge(out: Any, effect: effects.Fanout, now: float) -> None:
    """Only the acknowledgements, and at once: what dies next can't take them back."""
    for number, acks in effect.acks.items():
        sender = inside.connection_of(out, number)
        if sender is not None:
            sender.enqueue(FramesEndpoint().batch(effect.events).own(acks, live=False), now)
            sender.flush(now)
