"""Multicast DNS in bytes: what is written is read again, and nothing that is sent does harm."""

from __future__ import annotations

import base64
import itertools
import struct
from dataclasses import replace
from hashlib import sha256
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.domain.dns_sd import (
    AAAA,
    ALL_SERVICES,
    ANY,
    MOST_BYTES,
    NAME_BYTES,
    PTR,
    SERVICE,
    SRV,
    TXT,
    A,
    Advert,
    Name,
    Packet,
    PacketError,
    Question,
    announcement,
    concerning,
    label_of,
    may_concern,
    may_matter,
    query,
    read,
    reply,
)
from common.domain.dns_sd import response as response_to
from common.domain.invite import cleaned_server_name
from tests import strategies

FINGERPRINT: Final = sha256(b"a certificate").digest()
HOME: Final = Advert(FINGERPRINT, "Home & Garden", 12345)
ADDRESSES: Final = ("192.168.1.20", "fe80::20")


def encoded(name: Name) -> bytes:
    """A name without compression."""
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def record(name: bytes, kind: int, data: bytes, ttl: int = 120) -> bytes:
    """A record; the name is encoded already."""
    return name + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def response(*records: bytes, flags: int = 0x8400, count: int | None = None) -> bytes:
    """A response with these records."""
    counted = len(records) if count is None else count
    return struct.pack(">6H", 0, flags, 0, counted, 0, 0) + b"".join(records)


def texts(*parts: bytes) -> bytes:
    """The data of a TXT record."""
    return b"".join(bytes([len(part)]) + part for part in parts)


def forged(
    *,
    label: bytes = HOME.label,
    port: int = 12345,
    text: tuple[bytes, ...] | None = None,
    service: Name = SERVICE,
) -> bytes:
    """An advert made by hand, with what somebody may put into it."""
    fingerprint = base64.urlsafe_b64encode(FINGERPRINT).rstrip(b"=")
    if text is None:
        text = (b"v=1", b"fp=" + fingerprint, b"name=Home")
    instance = encoded((label, *service))
    return response(
        record(encoded(service), PTR, instance),
        record(instance, SRV, struct.pack(">3H", 0, 0, port) + encoded((label, b"local"))),
        record(instance, TXT, texts(*text)),
    )


def asked(name: Name, kind: int, **fields: object) -> Packet:
    """A query with one question."""
    return replace(Packet(7, False, (Question(name, kind, False),)), **fields)  # type: ignore[arg-type]  # of the test


@given(strategies.advert(), st.lists(st.ip_addresses().map(str), max_size=8))
def test_an_announcement_is_read_again(advert: Advert, addresses: list[str]) -> None:
    """Whatever the chat is called; a goodbye is one with a lifetime of 0."""
    packet = announcement(advert, addresses)
    assert may_matter(packet)
    assert read(packet) == Packet(0, True, adverts=(advert,))
    (told,) = read(packet).adverts
    assert told.addresses == tuple(addresses[:4])


@given(strategies.line(64))
@example("\N{PILE OF POO}" * 64)
def test_a_name_of_any_length_fits(name: str) -> None:
    """It is cut between two characters, and the packet fits into any link's."""
    packet = announcement(replace(HOME, name=name), ["fd00::1"] * 8)
    assert len(packet) <= 1232  # what IPv6 carries everywhere, less the headers
    cut = name.encode()[:NAME_BYTES].decode(errors="ignore")
    told = [advert.name for advert in read(packet).adverts]
    assert told == list(filter(None, [cleaned_server_name(cut)]))


def test_a_question_is_answered_to_whoever_asks_alone() -> None:
    """A reply to a resolver of unicast repeats question and number, and is valid for seconds."""
    packet = read(query(SERVICE, 4711))
    assert packet == Packet(4711, False, (Question(SERVICE, PTR, False),))
    told = reply(packet, HOME, ADDRESSES, legacy=True)
    assert told is not None
    assert read(told) == Packet(
        4711, True, (Question(SERVICE, PTR, False),), (replace(HOME, ttl=10),)
    )
    assert told[12:].startswith(query(SERVICE, 4711)[12:])
    # No record may replace what others have cached (RFC 6762 §6.7).
    assert b"\x80\x01" not in told


def test_a_reply_to_the_group_replaces_what_was_cached() -> None:
    """All but the pointer, which other servers have, too (RFC 6762 §10.2)."""
    told = reply(read(query(SERVICE, 1)), HOME, ADDRESSES, legacy=False)
    assert told is not None
    assert read(told) == Packet(0, True, (), (HOME,))
    assert told.count(b"\x80\x01") == 4
    assert struct.pack(">HH", PTR, 1) in told


def test_the_host_has_a_name_of_its_own() -> None:
    """Its addresses are those of that name: two servers with one identity have two."""
    copy = replace(HOME, host=b"0123456789abcdef")
    for packet in (
        announcement(copy, ADDRESSES),
        reply(read(query(SERVICE, 1)), copy, ADDRESSES, legacy=True),
        reply(asked((copy.host, b"local"), A), copy, ADDRESSES, legacy=False),
    ):
        assert packet is not None
        assert copy.host in packet
        for advert in read(packet).adverts:
            assert (advert.host, advert.addresses) == (copy.host, tuple(ADDRESSES))
    assert reply(asked((HOME.label, b"local"), A), copy, ADDRESSES, legacy=False) is None
    assert may_concern(query((copy.host, b"local"), 1), copy)
    (told,) = read(announcement(HOME, ADDRESSES)).adverts
    assert (told.host, told.addresses) == (HOME.label, tuple(ADDRESSES))


@pytest.mark.parametrize(
    ("name", "kind", "kinds"),
    [
        (SERVICE, PTR, [PTR, SRV, TXT, A, AAAA]),
        (SERVICE, ANY, [PTR, SRV, TXT, A, AAAA]),
        (tuple(label.upper() for label in SERVICE), PTR, [PTR, SRV, TXT, A, AAAA]),
        (ALL_SERVICES, PTR, [PTR]),
        ((HOME.label, *SERVICE), SRV, [SRV, TXT, A, AAAA]),
        ((HOME.label, *SERVICE), TXT, [SRV, TXT, A, AAAA]),
        ((HOME.label, b"local"), A, [A, AAAA]),
        ((HOME.label, b"local"), AAAA, [A, AAAA]),
        (SERVICE, A, []),
        ((b"_http", b"_tcp", b"local"), PTR, []),
        ((b"0" * 16, *SERVICE), SRV, []),
        ((b"other", b"local"), A, []),
        ((), PTR, []),
    ],
)
def test_each_question_about_the_chat_is_answered(name: Name, kind: int, kinds: list[int]) -> None:
    """Other programs ask step by step: for services, an instance, its host, an address."""
    told = reply(asked(name, kind), HOME, ADDRESSES, legacy=False)
    if not kinds:
        assert told is None
        return
    assert told is not None
    assert struct.unpack_from(">6H", told) == (0, 0x8400, 0, len(kinds), 0, 0)
    assert reply(asked(name, kind, is_response=True), HOME, ADDRESSES, legacy=False) is None


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize(
    "name", [SERVICE, ALL_SERVICES, (HOME.label, *SERVICE), (HOME.label, b"local")]
)
def test_what_is_answered_is_read_at_all(name: Name, upper: bool) -> None:
    """And of what nobody asks, or others are asked, nothing is."""
    spelt = tuple(label.upper() if upper else label for label in name)
    question = encoded(spelt) + struct.pack(">HH", ANY, 1)
    packet = struct.pack(">6H", 7, 0, 1, 0, 0, 0) + question
    assert reply(read(packet), HOME, ADDRESSES, legacy=True) is not None
    assert may_concern(packet, HOME)
    assert not may_concern(struct.pack(">6H", 7, 0x8400, 1, 0, 0, 0) + question, HOME)
    assert not may_concern(packet[:11], HOME)
    assert not may_concern(query((b"_http", b"_tcp", b"local"), 7), HOME)
    assert not may_concern(announcement(HOME, ADDRESSES), HOME)


def test_a_long_text_of_others_is_not_taken_apart() -> None:
    """It may be the whole packet; of a chat it has to be well-formed."""
    cut_off = b"\x01a" * 4000 + b"\xff"
    strange = record(encoded((b"a printer", b"local")), TXT, cut_off)
    home = forged()[12:]
    packet = struct.pack(">6H", 0, 0x8400, 0, 4, 0, 0) + home + strange
    assert [advert.name for advert in read(packet).adverts] == ["Home"]
    with pytest.raises(PacketError, match="character-string"):
        read(response(*_records_of_home(text=cut_off)))


def _records_of_home(text: bytes) -> tuple[bytes, bytes, bytes]:
    instance = encoded((HOME.label, *SERVICE))
    return (
        record(encoded(SERVICE), PTR, instance),
        record(instance, SRV, struct.pack(">3H", 0, 0, 1) + encoded((HOME.label, b"local"))),
        record(instance, TXT, text),
    )


def test_what_is_known_is_not_said_again() -> None:
    """A query may name what its sender has; but who has it for a short time wants it again."""
    pointer = encoded((HOME.label, *SERVICE))
    for ttl, is_known in ((120, True), (60, True), (59, False), (0, False)):
        question = encoded(SERVICE) + struct.pack(">HH", PTR, 1)
        known = record(encoded(SERVICE), PTR, pointer, ttl)
        packet = read(struct.pack(">6H", 0, 0, 1, 1, 0, 0) + question + known)
        assert (HOME.label in packet.known) is is_known
        assert (reply(packet, HOME, ADDRESSES, legacy=False) is None) is is_known
        assert reply(packet, HOME, ADDRESSES, legacy=True) is not None


def packed_query(*questions: tuple[bytes, int]) -> bytes:
    """A query from a port of its sender's own; names are as they stand in the packet."""
    packet = struct.pack(">6H", 7, 0, len(questions), 0, 0, 0)
    return packet + b"".join(name + struct.pack(">HH", kind, 1) for name, kind in questions)


LONG: Final = encoded((b"x" * 63, b"y" * 63, b"z" * 63, b"w" * 55))
SAME: Final = struct.pack(">H", 0xC000 | 12)


@pytest.mark.parametrize(
    "packet",
    [
        query(SERVICE, 7),
        packed_query((encoded(SERVICE), PTR), (LONG, PTR), *[(SAME, PTR)] * 14),
        packed_query((encoded(SERVICE), PTR), *[(SAME, ANY)] * 15),
        packed_query((encoded(ALL_SERVICES), PTR), (encoded(SERVICE), ANY), (LONG, A)),
        packed_query((encoded((HOME.label, *SERVICE)), ANY), (SAME, SRV), (SAME, TXT)),
    ],
)
@pytest.mark.parametrize(("name", "most"), [("Home", 9), ("\N{PILE OF POO}" * 64, 14)])
def test_a_reply_is_not_much_longer_than_the_question(packet: bytes, name: str, most: int) -> None:
    """Whoever writes somebody else's address into it has little of that."""
    told = reply(
        read(packet), replace(HOME, name=name), [f"fd00::{number}" for number in range(64)],
        legacy=True,
    )  # fmt: skip
    assert told is not None
    assert len(told) <= most * len(packet)
    assert 1 <= len(read(told).questions) <= 3


def test_questions_of_others_are_not_repeated() -> None:
    """Nor the same one twice; but in the spelling in which it was asked."""
    mixed = tuple(label.upper() for label in SERVICE)
    packet = packed_query((LONG, PTR), (encoded(mixed), PTR), (encoded(mixed), PTR))
    told = reply(read(packet), HOME, ADDRESSES, legacy=True)
    assert told is not None
    assert read(told).questions == (Question(mixed, PTR, False),)


def test_the_group_is_told_the_same_in_whatever_order_and_spelling_it_is_asked() -> None:
    """Else as many packets could be had as there are orders and spellings."""
    names = [SERVICE, ALL_SERVICES, (HOME.label, *SERVICE), (HOME.label, b"local")]
    packets: set[bytes | None] = set()
    for number, order in enumerate(itertools.permutations(names)):
        spelt = [tuple(part.upper() if number % 2 else part for part in name) for name in order]
        questions = tuple(Question(name, ANY, bool(number % 3)) for name in (*spelt, spelt[0]))
        asked_for = Packet(number, False, questions)
        wanted = concerning(asked_for, HOME, legacy=False)
        assert len(wanted) == len(names)
        packets.add(response_to(sorted(wanted), HOME, ADDRESSES))
        packets.add(reply(asked_for, HOME, ADDRESSES, legacy=False))
    assert len(packets) == 1


def test_a_pointer_may_lead_on() -> None:
    """As those of some responders do: here the names stand in the last record."""
    names = encoded(SERVICE), encoded((HOME.label, *SERVICE)), encoded((HOME.label, b"local"))
    fingerprint = base64.urlsafe_b64encode(FINGERPRINT).rstrip(b"=")
    text = texts(b"v=1", b"fp=" + fingerprint, b"name=Home")

    def packet(service: int, instance: int, host: int) -> bytes:
        there = [struct.pack(">H", 0xC000 | place) for place in (service, instance, host)]
        return response(
            record(there[0], PTR, there[1]),
            record(there[1], SRV, struct.pack(">3H", 0, 0, 12345) + there[2]),
            record(there[1], TXT, text),
            record(b"\0", ANY, b"".join(names)),
        )

    end = len(packet(0, 0, 0))
    places = [end - sum(map(len, names[number:])) for number in range(3)]
    (advert,) = read(packet(*places)).adverts
    assert (advert.name, advert.port, advert.fingerprint) == ("Home", 12345, FINGERPRINT)


def test_names_may_be_compressed() -> None:
    """As other programs do it: pointers to what stands before."""
    service = len(response())
    instance = service + len(encoded(SERVICE)) + 10
    pointer = record(
        encoded(SERVICE), PTR, bytes([16]) + HOME.label + struct.pack(">H", 0xC000 | service)
    )
    named = struct.pack(">H", 0xC000 | instance)
    located = record(named, SRV, struct.pack(">3H", 0, 0, 4000) + named)
    described = record(
        named,
        TXT,
        texts(
            b"v=1",
            b"FP=" + base64.urlsafe_b64encode(FINGERPRINT)[:43],
            b"name=Caf\xc3\xa9",
            b"name=2",
            b"x",
        ),
    )
    packet = response(pointer, located, described)
    assert read(packet).adverts == (Advert(FINGERPRINT, "Café", 4000, 120),)


@pytest.mark.parametrize(
    ("packet", "name"),
    [
        (forged(), "Home"),
        (forged(label=b"0" * 16), None),  # not the one of the fingerprint
        (forged(label=HOME.label.upper()), "Home"),
        (forged(port=0), None),
        (forged(text=()), None),
        (forged(text=(b"v=2", b"fp=x", b"name=y")), None),
        (forged(text=(b"v=1", b"fp=", b"name=Home")), None),
        (forged(text=(b"v=1", b"fp=*" + b"A" * 42, b"name=Home")), None),
        (forged(service=(b"_http", *SERVICE[1:])), None),
        (forged(service=tuple(label.upper() for label in SERVICE)), "Home"),
    ],
)
def test_only_a_whole_advert_counts(packet: bytes, name: str | None) -> None:
    """What contradicts itself, or is another version of it, is as if it had not been sent."""
    assert [advert.name for advert in read(packet).adverts] == ([] if name is None else [name])


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"Home\nMallory's", "Home Mallory's"),
        (b"\x00\x1b[31mHome\x7f", "[31mHome"),
        ("H\N{LINE SEPARATOR}ome".encode(), "H ome"),
        (b"  Home   sweet  ", "Home sweet"),
        (b"x" * 200, "x" * 64),
        (b"", None),
        (b" \t", None),
        (b"\xff\xfe", None),
        (b"\xed\xa0\x80", None),  # a lone surrogate
    ],
)
def test_a_name_is_one_line_of_text(sent: bytes, shown: str | None) -> None:
    """Whoever forges an advert chooses the name: what can't be one is none."""
    fingerprint = base64.urlsafe_b64encode(FINGERPRINT).rstrip(b"=")
    packet = forged(text=(b"v=1", b"fp=" + fingerprint, b"name=" + sent))
    assert [advert.name for advert in read(packet).adverts] == ([] if shown is None else [shown])


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda end: forged() + end))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """With one kind of error."""
    for advert in _adverts(data):
        assert label_of(advert.fingerprint) in data.lower()


@given(
    st.sampled_from([forged(), announcement(HOME, ADDRESSES), query(SERVICE, 1)]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    st.integers(0, 400),
)
def test_a_damaged_packet_is_read_or_refused(
    packet: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    """Bytes changed and cut off."""
    damaged = bytearray(packet)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    for advert in _adverts(bytes(damaged[:length] if length < 300 else damaged)):
        assert advert.port
        assert advert.name.isprintable() or advert.name.split()
        assert 0 <= advert.ttl <= 120


def _adverts(data: bytes) -> tuple[Advert, ...]:
    try:
        return read(data).adverts
    except PacketError:
        return ()


def test_nothing_is_expensive_to_read() -> None:
    """Pointers that make thousands of labels of a packet, or lead in a circle, are refused."""
    many = b"\x01a" * 120 + b"\0"
    first = record(many, PTR, struct.pack(">H", 0xC00C))
    again = record(struct.pack(">H", 0xC00C), PTR, struct.pack(">H", 0xC00C))
    with pytest.raises(PacketError, match="too many labels"):
        read(response(first, *[again] * 63))
    for circle in (b"\x01a\xc0\x0c", b"\xc0\x0c", b"\xc0\x0e\xc0\x0c"):
        with pytest.raises(PacketError, match="too many labels"):
            read(response(record(circle, PTR, b"")))
    chain = b"".join(struct.pack(">H", 0xC000 | 12 + 2 * max(0, place - 1)) for place in range(700))
    with pytest.raises(PacketError):
        read(struct.pack(">6H", 0, 0, 1, 0, 0, 0) + chain)
    with pytest.raises(PacketError, match="too long"):
        read(bytes(MOST_BYTES + 1))
    # Of a large packet of others, only the beginning is looked at.
    assert read(response(*[record(b"\0", A, bytes(4))] * 400)).adverts == ()
    assert read(struct.pack(">6H", 0, 0, 65535, 0, 0, 0) + b"\0\0\1\0\1" * 99).questions


@pytest.mark.parametrize("flags", [0x8403, 0x8405, 0xA800, 0x2800])
def test_other_kinds_of_messages_are_not_for_us(flags: int) -> None:
    """Errors, and what is no query (RFC 6762 §18.3, §18.11)."""
    with pytest.raises(PacketError):
        read(response(flags=flags))
