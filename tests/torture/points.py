"""The named points of the server: the places at which a kill hurts most.

before-commit   rules applied, rows written, nothing on disk yet
after-commit    on disk, and nobody knows
after-ack       its sender knows, the others do not
"""

from collections.abc import Iterable
from typing import Any

from chat_server import hub
from chat_server.net import outgoing
from chat_server.rules import effects
from tests.torture.hooks import Points, wrap


def says_something(applied: Iterable[Any]) -> bool:
    """Whether a batch has a message of a client."""
    return any(
        isinstance(effect, effects.Publish) and effect.sender is not None
        for entry in applied
        for effect in entry.outcome
    )


def place_points(points: Points) -> None:
    """From now on the server passes by these points."""

    def apply(original: Any, self: Any, *rest: object) -> Any:
        applied = original(self, *rest)
        if says_something(applied):
            points.reach("before-commit")
        return applied

    def release(original: Any, self: Any, applied: Any) -> None:
        if says_something(applied):
            points.reach("after-commit")
        original(self, applied)

    def fan_out(original: Any, self: Any, effect: effects.Fanout, now: float) -> None:
        if effect.acks and points.due("after-ack"):
            _acknowledge(self, effect, now)
        if effect.acks:
            points.reach("after-ack")
        original(self, effect, now)

    wrap(hub.Hub, "_apply", apply)
    wrap(hub.Hub, "_release", release)
    wrap(outgoing.Outgoing, "_fan_out", fan_out)


def _acknowledge(out: Any, effect: effects.Fanout, now: float) -> None:
    """Only the acknowledgements, and at once: what dies next can't take them back."""
    for number, acks in effect.acks.items():
        sender = out._connections.get(number)
        if sender is not None:
            sender.enqueue(b"".join(acks.values()), now)
            sender.flush(now)
