"""Events and commands for tests, with everything in them that a test does not care for."""

from common.domain.names import GENERAL
from common.protocol.events import ACCOUNT_DELETED, JOIN, MESSAGE, REMOVED, Event
from common.protocol.messages import Send

TIME = 1_767_225_600_000
"""The beginning of 2026, in milliseconds since 1970-01-01 UTC."""


def cid_of(number: int) -> str:
    """An id for an event, another one for each number."""
    return f"{number:016d}"


def said(
    seq: int,
    sender: str = "ada",
    text: str = "hello",
    *,
    room: str = GENERAL,
    sent_at: int | None = None,
    cid: str | None = None,
) -> Event:
    """A message in a room, a second later for each place."""
    at = TIME + 1000 * seq if sent_at is None else sent_at
    return Event(room, seq, MESSAGE, sender, at, cid or cid_of(seq), {"text": text})


def joined(
    seq: int, sender: str = "ada", *, room: str = GENERAL, sent_at: int | None = None
) -> Event:
    """Somebody joined a room."""
    at = TIME + 1000 * seq if sent_at is None else sent_at
    return Event(room, seq, JOIN, sender, at, cid_of(seq), {})


def deleted(
    seq: int,
    sender: str = "ada",
    *,
    messages: str = REMOVED,
    room: str = GENERAL,
    sent_at: int | None = None,
) -> Event:
    """Somebody's account was deleted."""
    at = TIME + 1000 * seq if sent_at is None else sent_at
    return Event(room, seq, ACCOUNT_DELETED, sender, at, cid_of(seq), {"messages": messages})


def send(
    number: int,
    text: str = "hello",
    *,
    room: str = GENERAL,
    cid: str | None = None,
    after: str | None = None,
) -> Send:
    """The command that says something."""
    return Send(
        id=number,
        room=room,
        cid=cid or cid_of(number),
        kind=MESSAGE,
        body={"text": text},
        after=after,
    )


def text_of(command: Send) -> str:
    """What it says."""
    text = command.body["text"]
    assert isinstance(text, str)
    return text


def message(text: str) -> tuple[str, dict[str, str]]:
    """The kind and body of what says it."""
    return MESSAGE, {"text": text}
