"""Frames come out whole, however the network cut them, and a bad header ends the stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.protocol.frames import LENGTH, FrameDecoder, FrameError, encode_frame
from tests import strategies as our

LIMIT = 300
BODIES = st.lists(st.binary(max_size=LIMIT - 1), max_size=8)


def decode(decoder: FrameDecoder, pieces: list[bytes]) -> list[bytes]:
    """The bodies that come out of a stream in pieces."""
    bodies: list[bytes] = []
    for piece in pieces:
        bodies += decoder.frames(piece)
    return bodies


@given(bodies=BODIES, data=st.data())
def test_any_split_gives_the_same_frames(bodies: list[bytes], data: st.DataObject) -> None:
    """Frames do not depend on how the network cut the stream, and nothing is left over."""
    stream = b"".join(map(encode_frame, bodies))
    decoder = FrameDecoder(LIMIT)
    assert decode(decoder, data.draw(our.pieces(stream))) == bodies
    assert not decoder.partial


def test_a_stream_of_single_bytes() -> None:
    """The finest split of all, with a frame's end told by `partial`."""
    bodies = [b"", b"x", b"y" * (LIMIT - 1)]
    stream = b"".join(map(encode_frame, bodies))
    decoder = FrameDecoder(LIMIT)
    assert decode(decoder, [stream[i : i + 1] for i in range(len(stream))]) == bodies
    assert list(decoder.frames(stream[:3])) == []
    assert decoder.partial


@pytest.mark.parametrize("length", [0, LIMIT + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_out_of_bounds_is_refused_before_its_body_arrives(length: int) -> None:
    """Four bytes are enough to refuse a frame: nothing of its size is waited for."""
    decoder = FrameDecoder(LIMIT)
    with pytest.raises(FrameError, match=str(length)):
        list(decoder.frames(LENGTH.pack(length)))


@pytest.mark.parametrize("kind", [0, ord("j"), ord("C"), 255])
def test_an_unknown_kind_is_refused_before_its_body_arrives(kind: int) -> None:
    """Five bytes are enough to refuse a frame of a kind nobody knows."""
    decoder = FrameDecoder(LIMIT)
    with pytest.raises(FrameError, match="kind"):
        list(decoder.frames(encode_frame(b"x" * 100, kind)[:5]))


@given(good=BODIES, bad=st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x02?x"]))
def test_a_decoder_breaks_once_and_stays_broken(good: list[bytes], bad: bytes) -> None:
    """What came before the bad header comes out; after it nothing does, and no second error."""
    decoder = FrameDecoder(LIMIT)
    frames = decoder.frames(b"".join(map(encode_frame, good)) + bad + encode_frame(b"after"))
    assert [next(frames) for _ in good] == good
    with pytest.raises(FrameError):
        next(frames)
    assert list(decoder.frames(encode_frame(b"more"))) == []
    assert not decoder.partial


def test_the_limit_counts_the_kind_and_may_be_raised() -> None:
    """A length equal to the limit passes; after raising it a larger frame does, too."""
    decoder = FrameDecoder(10)
    assert list(decoder.frames(encode_frame(b"123456789"))) == [b"123456789"]
    decoder.limit = 11
    assert len(list(decoder.frames(encode_frame(b"1234567890")))) == 1


def test_a_reader_may_stop_between_frames() -> None:
    """Frames that nobody took yet are there the next time, those taken are not."""
    decoder = FrameDecoder(LIMIT)
    first = decoder.frames(encode_frame(b"one") + encode_frame(b"two") + encode_frame(b"three"))
    assert next(first) == b"one"
    first.close()
    assert list(decoder.frames(b"")) == [b"two", b"three"]
