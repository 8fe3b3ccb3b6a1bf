"""Frames that are written by hand say what their models say."""

from __future__ import annotations

import json

from hypothesis import given

from common.limits import FRAME_JSON
from common.protocol.codec import Phase
from common.protocol.events import Event
from common.protocol.fast_encode import ack_frame, body_json, event_frame
from common.protocol.frames import FrameDecoder
from common.protocol.messages import Ack, EventMessage, to_client
from tests import strategies as our
from tests.unit.common.test_codec import Line


def body(frame: bytes) -> bytes:
    """What is in the one frame that these bytes are."""
    decoder = FrameDecoder(FRAME_JSON)
    [found] = decoder.frames(frame)
    return found


@given(our.event() | our.event(newer=True))
def test_an_event_is_read_as_it_was(event: Event) -> None:
    """Whatever is in it."""
    message = to_client().validate_json(body(event_frame(event)))
    assert message == EventMessage.model_validate(event._asdict())
    (heard,) = Line(Phase.READY).client.receive(event_frame(event))
    assert heard == event


@given(our.event() | our.event(newer=True))
def test_a_body_is_written_as_it_is_sent(event: Event) -> None:
    """In the database, and without what only takes room."""
    written = body_json(event.body)
    assert json.loads(written) == event.body
    assert f'"body":{written}}}'.encode() in event_frame(event)
    assert written == json.dumps(event.body, ensure_ascii=False, separators=(",", ":"))


@given(our.number(1), our.room(), our.number(1), our.cid(), our.time())
def test_an_acknowledgement_is_read_as_it_was(
    request: int, room: str, seq: int, cid: str, sent_at: int
) -> None:
    """All of its fields."""
    ack = Ack(re=request, room=room, seq=seq, cid=cid, sent_at=sent_at)
    assert to_client().validate_json(body(ack_frame(request, room, seq, cid, sent_at))) == ack
