"""The frames of the two messages that a server writes most, made without their models.

An event is encoded once for each message that anybody says, and for each that is caught up
with; writing its JSON here takes a sixth of what the model's serializer and its construction
do. What comes out is what the models accept: tests/common/test_quick_frames.py holds it to that.
"""

from __future__ import annotations

from json.encoder import encode_basestring as quoted
from typing import TYPE_CHECKING

from common.frames import encode_frame

if TYPE_CHECKING:
    from common.messages import EventKind

# `quoted` escapes what JSON wants escaped, and leaves the rest to UTF-8. Rooms, usernames, kinds
# and ids have patterns without anything to escape.


def event_frame(
    room: str, seq: int, kind: EventKind, sender: str, text: str, sent_at: int, cid: str | None
) -> bytes:
    """The frame of an `event` message whose fields are valid."""
    said = "null" if cid is None else f'"{cid}"'
    body = (
        f'{{"type":"event","room":"{room}","seq":{seq},"kind":"{kind}","sender":"{sender}",'
        f'"text":{quoted(text)},"sent_at":{sent_at},"cid":{said}}}'
    )
    return encode_frame(body.encode())


def ack_frame(re: int, room: str, seq: int, cid: str, sent_at: int) -> bytes:
    """The frame of an `ack` message whose fields are valid."""
    body = (
        f'{{"type":"ack","re":{re},"room":"{room}","seq":{seq},"cid":"{cid}","sent_at":{sent_at}}}'
    )
    return encode_frame(body.encode())
