"""The frames of the two messages that a server writes most, made without their models.

An event is encoded once for each message that anybody says, and for each that is caught up
with; writing its JSON here takes a sixth of what the model's serializer and its construction
do. What comes out is what the models accept: tests/unit/common/test_fast_encode.py
holds it to that.
"""

import json
from collections.abc import Mapping
from json.encoder import encode_basestring as quoted
from typing import Any

from common.protocol.events import Event
from common.protocol.frames import encode_frame

# `quoted` escapes what JSON wants escaped, and leaves the rest to UTF-8. Rooms, usernames, kinds
# and ids have patterns without anything to escape.


def event_frame(event: Event) -> bytes:
    """The frame of an `event` message whose fields are valid."""
    room, seq, kind, sender, sent_at, cid, body = event
    written = (
        f'{{"type":"event","room":"{room}","seq":{seq},"kind":"{kind}","sender":"{sender}",'
        f'"sent_at":{sent_at},"cid":"{cid}","body":{body_json(body)}}}'
    )
    return encode_frame(written.encode())


def body_json(body: Mapping[str, Any]) -> str:
    """The body of an event in JSON, as it is stored and sent."""
    if len(body) == 1 and type(text := body.get("text")) is str:
        return f'{{"text":{quoted(text)}}}'
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def canonical(body: Mapping[str, Any]) -> str:
    """The body of an event in JSON, the same for equal ones whatever the order of their fields.

    Python's own comparison would take 1, 1.0 and true for the same.
    """
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def ack_frame(re: int, room: str, seq: int, cid: str, sent_at: int) -> bytes:
    """The frame of an `ack` message whose fields are valid."""
    body = (
        f'{{"type":"ack","re":{re},"room":"{room}","seq":{seq},"cid":"{cid}","sent_at":{sent_at}}}'
    )
    return encode_frame(body.encode())
