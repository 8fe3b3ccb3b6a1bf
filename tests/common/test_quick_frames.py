"""Frames that are written by hand say what their models say."""

from __future__ import annotations

from hypothesis import given

from common.frames import FrameDecoder
from common.limits import FRAME_JSON
from common.messages import TO_CLIENT, Ack, Event
from common.quick_frames import ack_frame, event_frame
from tests import strategies as our


def body(frame: bytes) -> bytes:
    """What is in the one frame that these bytes are."""
    decoder = FrameDecoder(FRAME_JSON)
    [found] = decoder.frames(frame)
    return found.body


@given(our.event())
def test_an_event_is_read_as_it_was(event: Event) -> None:
    """Whatever is in its text, and whether it has a `cid`."""
    frame = event_frame(
        event.room, event.seq, event.kind, event.sender, event.text, event.sent_at, event.cid
    )
    assert TO_CLIENT.validate_json(body(frame)) == event
    assert (b'"cid":null' in frame) == (event.cid is None) or b'"cid":null' in event.text.encode()


@given(our.number(1), our.room(), our.number(1), our.cid(), our.time())
def test_an_acknowledgement_is_read_as_it_was(
    request: int, room: str, seq: int, cid: str, sent_at: int
) -> None:
    """All of its fields."""
    ack = Ack(re=request, room=room, seq=seq, cid=cid, sent_at=sent_at)
    assert TO_CLIENT.validate_json(body(ack_frame(request, room, seq, cid, sent_at))) == ack
