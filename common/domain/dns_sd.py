"""Multicast DNS (RFC 6762) and DNS-Based Service Discovery (RFC 6763): bytes in, bytes out.

Only what it takes to advertise a chat on the local network and to find one:

    _lan-chat._tcp.local            PTR  LABEL._lan-chat._tcp.local
    LABEL._lan-chat._tcp.local      SRV  0 0 PORT HOST.local
    LABEL._lan-chat._tcp.local      TXT  v=1 fp=FINGERPRINT name=NAME
    HOST.local                      A, AAAA

LABEL is the first 16 hexadecimal digits of the fingerprint of the server's certificate. Labels have
63 bytes, and a chat's name may have more: so the name is in the TXT record. And a fingerprint
belongs to one server: no label is ever taken, so none has to be probed for (RFC 6762 §8.1). HOST is
random, and another one for each server that runs: so two with one identity are noticed, such as
those of a data folder that was copied, and their addresses are not mixed up in caches.

Whatever arrives was sent by anybody on the network: `read` raises ValueError or nothing, its work
is bounded, and what it returns is a hint. Only the certificate proves which server it is.
"""

import base64
import binascii
import ipaddress
import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from common.domain.invite import cleaned_server_name

PORT: Final = 5353
GROUPS: Final = {4: "224.0.0.251", 6: "ff02::fb"}
"""The multicast groups by version of IP. Routers forward neither (RFC 5771 §4, RFC 4291 §2.7)."""
MOST_BYTES: Final = 9000
"""The largest packet (RFC 6762 §17)."""

Name = tuple[bytes, ...]
"""The labels of a domain name."""

SERVICE: Final[Name] = (b"_lan-chat", b"_tcp", b"local")
"""The type of the service."""
ALL_SERVICES: Final[Name] = (b"_services", b"_dns-sd", b"_udp", b"local")
"""All types of services on this network (RFC 6763 §9): most devices answer."""

TTL: Final = 120
"""Seconds for which an advert is valid (RFC 6762 §10)."""
_LEGACY_TTL: Final = 10
"""The same in a response to a resolver that takes part in unicast only (RFC 6762 §6.7)."""
NAME_BYTES: Final = 200
"""Of UTF-8: with its key it fits into a character-string, which has 255 at most."""

MOST_ADDRESSES: Final = 4
"""Of those that an advert tells, so many count."""

A, PTR, TXT, AAAA, SRV, ANY = 1, 12, 16, 28, 33, 255
_IN: Final = 1
_TOP_BIT: Final = 0x8000
"""Of a record's class: replace what was cached. Of a question's: reply by unicast."""
_RESPONSE: Final = 0x8400  # QR and AA: a response, and an authoritative one
_IS_RESPONSE: Final = 0x8000
_OPCODE_AND_RCODE: Final = 0x780F
_HEADER: Final = struct.Struct(">6H")
_QUESTION: Final = struct.Struct(">HH")
_RECORD: Final = struct.Struct(">HHIH")
_SRV: Final = struct.Struct(">HHH")
_POINTER: Final = struct.Struct(">H")
_MOST_QUESTIONS: Final = 16
_MOST_RECORDS: Final = 64
_MOST_LABELS: Final = 640
"""Of all names of a packet, pointers included: a few bytes of these may stand for thousands."""
_NAME_LENGTH: Final = 255
_MARK: Final = bytes([len(SERVICE[0])]) + SERVICE[0]
_LABEL_DIGITS: Final = 16
_VERSION: Final = b"1"


class PacketError(ValueError):
    """The packet is not a well-formed mDNS packet."""


@dataclass(frozen=True, slots=True)
class Advert:
    """A server that takes part in the chat `name`; a `ttl` of 0 is its goodbye.

    `fingerprint` has 32 bytes, `name` 1 to 64 characters on one line. `addresses` are those that a
    packet tells; they don't count when two are compared.
    """

    fingerprint: bytes
    name: str
    port: int
    ttl: int = TTL
    addresses: tuple[str, ...] = field(default=(), compare=False)
    host: bytes = field(default=b"", compare=False)
    """The label of the host's name, another one for each server that runs; empty for `label`."""

    @property
    def label(self) -> bytes:
        """The label of the service instance."""
        return label_of(self.fingerprint)

    @property
    def host_label(self) -> bytes:
        """The label of the host's name."""
        return self.host or self.label


class Question(NamedTuple):
    """A question. The labels are as they were sent; compare them with `is_for`."""

    name: Name
    kind: int
    unicast: bool
    """Whether the reply may go to the sender alone (RFC 6762 §5.4)."""

    def is_for(self, name: Name, *kinds: int) -> bool:
        """Whether it asks for these records of the name."""
        return self.kind in (*kinds, ANY) and _lower(self.name) == name


@dataclass(frozen=True, slots=True)
class Packet:
    """The part of a packet that matters here."""

    id: int
    is_response: bool
    questions: tuple[Question, ...] = ()
    adverts: tuple[Advert, ...] = ()
    """Of a response: the chats of which it has all records."""
    known: frozenset[bytes] = frozenset()
    """Of a query: labels of instances that the sender has already (RFC 6762 §7.1)."""


def label_of(fingerprint: bytes) -> bytes:
    """The label for a certificate's fingerprint."""
    return fingerprint.hex()[:_LABEL_DIGITS].encode()


def may_matter(packet: bytes) -> bool:
    """Whether a packet names our service at all: quicker than to read it, and mostly false."""
    return _MARK in packet.lower()


def _about(advert: Advert) -> tuple[bytes, ...]:
    """Labels of which a question for this server has one."""
    return SERVICE[0], ALL_SERVICES[0], advert.label, advert.host_label


def may_concern(packet: bytes, advert: Advert) -> bool:
    """Whether a packet may ask something that a server answers: quicker than to read it.

    Most of what the group gets is said by other devices about themselves.
    """
    if len(packet) < _HEADER.size or packet[2] & _IS_RESPONSE >> 8:
        return False
    lowered = packet.lower()
    return any(each in lowered for each in _about(advert))


def may_announce(packet: bytes, advert: Advert) -> bool:
    """Whether a packet may tell of a server with this identity: quicker than to read it."""
    return len(packet) > _HEADER.size and packet[2] >> 7 == 1 and advert.label in packet.lower()


# Writing


def query(name: Name, identifier: int, *, unicast: bool = False) -> bytes:
    """A question for the instances of a service. `identifier` (0 to 65535) comes back by unicast.

    From another port than 5353 it is answered to that port alone (RFC 6762 §6.7).
    """
    asked = _QUESTION.pack(PTR, _IN | (_TOP_BIT if unicast else 0))
    return _HEADER.pack(identifier, 0, 1, 0, 0, 0) + _encoded(name) + asked


def announcement(advert: Advert, addresses: Iterable[str]) -> bytes:
    """What is sent when a server starts, changes or, with a `ttl` of 0, ends."""
    every = [*_about_instance(advert, advert.ttl), *_about_host(advert, addresses, advert.ttl)]
    return _response([_pointer(advert, advert.ttl), *every], [], flush=True)


def concerning(asked: Packet, advert: Advert, *, legacy: bool) -> frozenset[Question]:
    """The questions of a query that a server answers, each once.

    A `legacy` resolver is one that knows only unicast: it gets what it may have already, and finds
    its question by the spelling that it has sent.
    """
    if asked.is_response:
        return frozenset()
    instance, host = (advert.label, *SERVICE), (advert.host_label, b"local")
    found = set()
    for question in asked.questions:
        if question.is_for(SERVICE, PTR):
            is_wanted = legacy or advert.label not in asked.known
        else:
            is_wanted = (
                question.is_for(ALL_SERVICES, PTR)
                or question.is_for(instance, SRV, TXT)
                or question.is_for(host, A, AAAA)
            )
        if is_wanted:
            name = question.name if legacy else _lower(question.name)
            found.add(Question(name, question.kind, unicast=False))
    return frozenset(found)


def reply(asked: Packet, advert: Advert, addresses: Iterable[str], *, legacy: bool) -> bytes | None:
    """The response of a server to a query; None if that asks for something else.

    A `legacy` one is for a resolver that knows only unicast: it repeats the questions that are
    answered. No others, or a small packet with a false sender would make it a large one.
    """
    questions = sorted(concerning(asked, advert, legacy=legacy))
    if not questions:
        return None
    identifier = asked.id if legacy else 0
    return response(questions, advert, addresses, legacy=legacy, identifier=identifier)


def response(
    questions: Collection[Question],
    advert: Advert,
    addresses: Iterable[str],
    *,
    legacy: bool = False,
    identifier: int = 0,
) -> bytes:
    """The response to questions that concern a server; see `concerning` and `reply`."""
    ttl = _LEGACY_TTL if legacy else TTL
    instance, host = (advert.label, *SERVICE), (advert.host_label, b"local")
    pointer, about = _pointer(advert, ttl), _about_instance(advert, ttl)
    located = _about_host(advert, addresses, ttl)
    records: list[_Sent] = []
    for question in questions:
        if question.is_for(SERVICE, PTR):
            records += [pointer, *about, *located]
        elif question.is_for(ALL_SERVICES, PTR):
            records.append(_Sent(ALL_SERVICES, PTR, ttl, target=SERVICE, shared=True))
        elif question.is_for(instance, SRV, TXT):
            records += [*about, *located]
        elif question.is_for(host, A, AAAA):
            records += located
    answers = list(dict.fromkeys(records))
    if legacy:
        return _response(answers, questions, flush=False, identifier=identifier)
    return _response(answers, [], flush=True)


class _Sent(NamedTuple):
    """A record to send; one that is `shared` is one of several with this name."""

    name: Name
    kind: int
    ttl: int
    data: bytes = b""
    target: Name = ()
    """What a pointer leads to, instead of data."""
    shared: bool = False


def _pointer(advert: Advert, ttl: int) -> _Sent:
    return _Sent(SERVICE, PTR, ttl, target=(advert.label, *SERVICE), shared=True)


def _about_instance(advert: Advert, ttl: int) -> list[_Sent]:
    instance = (advert.label, *SERVICE)
    located = _SRV.pack(0, 0, advert.port) + _encoded((advert.host_label, b"local"))
    fingerprint = base64.urlsafe_b64encode(advert.fingerprint).rstrip(b"=")
    texts = (b"v=" + _VERSION, b"fp=" + fingerprint, b"name=" + _shortened(advert.name))
    text = b"".join(bytes([len(each)]) + each for each in texts)
    return [_Sent(instance, SRV, ttl, located), _Sent(instance, TXT, ttl, text)]


def _about_host(advert: Advert, addresses: Iterable[str], ttl: int) -> list[_Sent]:
    host = (advert.host_label, b"local")
    found = [ipaddress.ip_address(address) for address in islice(addresses, MOST_ADDRESSES)]
    return [_Sent(host, A if each.version == 4 else AAAA, ttl, each.packed) for each in found]


def _shortened(name: str) -> bytes:
    """A name in UTF-8, cut between two characters if it is too long."""
    return name.encode()[:NAME_BYTES].decode(errors="ignore").encode()


def _response(
    answers: Collection[_Sent],
    questions: Collection[Question],
    *,
    flush: bool,
    identifier: int = 0,
) -> bytes:
    header = _HEADER.pack(identifier, _RESPONSE, len(questions), len(answers), 0, 0)
    writer = _Writer(header)
    for question in questions:
        writer.name(question.name)
        writer.packet += _QUESTION.pack(question.kind, _IN)
    for each in answers:
        writer.name(each.name)
        replaces = _TOP_BIT if flush and not each.shared else 0
        head = len(writer.packet)
        writer.packet += bytes(_RECORD.size)
        # The name in a SRV record stays whole (RFC 6762 §18.14).
        writer.name(each.target) if each.target else writer.packet.extend(each.data)
        length = len(writer.packet) - head - _RECORD.size
        _RECORD.pack_into(writer.packet, head, each.kind, _IN | replaces, each.ttl, length)
    return bytes(writer.packet)


class _Writer:
    """Writes names, with pointers to what stands before (RFC 1035 §4.1.4).

    So a reply is half as long: the less can be made of a question with a false sender.
    """

    def __init__(self, header: bytes) -> None:
        self.packet = bytearray(header)
        self._places: dict[Name, int] = {}

    def name(self, name: Name) -> None:
        """Write a name. Packets are much shorter than what a pointer can express."""
        for first in range(len(name)):
            place = self._places.get(name[first:])
            if place is not None:
                self.packet += _POINTER.pack(0xC000 | place)
                return
            self._places[name[first:]] = len(self.packet)
            self.packet += bytes([len(name[first])]) + name[first]
        self.packet += b"\0"


def _encoded(name: Name) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


# Reading


def read(packet: bytes) -> Packet:
    """What is in a packet. Raises PacketError; less than a millisecond, whatever it is."""
    try:
        return _read(packet)
    except (struct.error, IndexError) as error:
        raise PacketError("cut off") from error


def _read(packet: bytes) -> Packet:
    if len(packet) > MOST_BYTES:
        raise PacketError("too long")
    identifier, flags, asked, *counts = _HEADER.unpack_from(packet)
    if flags & _OPCODE_AND_RCODE:
        raise PacketError("neither a standard query nor a successful response")
    reader = _Reader(packet)
    questions = tuple(reader.question() for _ in range(min(asked, _MOST_QUESTIONS)))
    if asked > _MOST_QUESTIONS:
        return Packet(identifier, bool(flags & _IS_RESPONSE), questions)
    records = [reader.record() for _ in range(min(sum(counts), _MOST_RECORDS))]
    instances = _instances(records)
    if not flags & _IS_RESPONSE:
        return Packet(identifier, False, questions, known=frozenset(_known(instances)))
    adverts = tuple(_adverts(instances, records))
    return Packet(identifier, True, questions, adverts)


class _Service(NamedTuple):
    """Where a service is: its port, and the name of its host."""

    port: int
    target: Name


class _Received(NamedTuple):
    """A record. `data` is what is understood of it: a target, a port, or an address.

    Of a text it is all of it, which is taken apart only if it is a chat's: others may be long.
    """

    name: Name
    kind: int
    ttl: int
    data: Name | _Service | bytes | None


class _Reader:
    """Reads a packet from the first question on."""

    def __init__(self, packet: bytes) -> None:
        self._packet = packet
        self._at = _HEADER.size
        self._labels = _MOST_LABELS

    def question(self) -> Question:
        name = self._name()
        kind, kind_of_class = _QUESTION.unpack_from(self._packet, self._at)
        self._at += _QUESTION.size
        return Question(name, kind, bool(kind_of_class & _TOP_BIT))

    def record(self) -> _Received:
        name = _lower(self._name())
        kind, _, ttl, length = _RECORD.unpack_from(self._packet, self._at)
        begin = self._at + _RECORD.size
        end = begin + length
        if end > len(self._packet):
            raise PacketError("a record is cut off")
        data: Name | _Service | bytes | None = None
        if kind == PTR:
            self._at = begin
            data = _lower(self._name())
        elif kind == SRV and length > _SRV.size and name[1:] == SERVICE:
            self._at = begin + _SRV.size
            data = _Service(_SRV.unpack_from(self._packet, begin)[2], _lower(self._name()))
        elif kind == TXT or (kind, length) in {(A, 4), (AAAA, 16)}:
            data = self._packet[begin:end]
        self._at = end
        return _Received(name, kind, ttl, data)

    def _name(self) -> Name:
        """The name at the current place, which is behind it then.

        A pointer should lead back (RFC 1035 §4.1.4), and those of some responders lead on. What
        ends a loop is the bound of labels, of which each pointer is one.
        """
        packet, at = self._packet, self._at
        labels: list[bytes] = []
        behind, length = 0, 0
        while size := packet[at]:
            if size >= 0xC0:
                behind = behind or at + 2
                at = (size & 0x3F) << 8 | packet[at + 1]
                self._labels -= 1
            elif size > 63:
                raise PacketError("a label of an unknown kind")
            else:
                label = packet[at + 1 : at + 1 + size]
                length += 1 + size
                labels.append(label)
                at += 1 + size
                self._labels -= 1
            if self._labels < 0 or length >= _NAME_LENGTH:
                raise PacketError("too many labels")
        self._at = behind or at + 1
        return tuple(labels)


def _lower(name: Name) -> Name:
    """Names are compared without regard to the case of ASCII letters (RFC 6762 §16)."""
    return tuple(label.lower() for label in name)


def _strings(data: bytes) -> tuple[bytes, ...]:
    found = []
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            raise PacketError("a character-string is cut off")
        found.append(data[at + 1 : end])
        at = end
    return tuple(found)


def _instances(records: Iterable[_Received]) -> dict[Name, int]:
    """The instances of our service that pointers lead to, each with the pointer's TTL."""
    return {
        record.data: record.ttl
        for record in records
        if record.kind == PTR
        and record.name == SERVICE
        and isinstance(record.data, tuple)
        and not isinstance(record.data, _Service)
        and record.data[1:] == SERVICE
    }


def _known(instances: dict[Name, int]) -> Iterator[bytes]:
    """Only what the sender will have for a while (RFC 6762 §7.1)."""
    return (name[0] for name, ttl in instances.items() if ttl >= TTL / 2)


_NOWHERE: Final = _Service(0, ())


def _adverts(instances: dict[Name, int], records: Iterable[_Received]) -> Iterator[Advert]:
    if not instances:
        return
    services: dict[Name, _Service] = {}
    texts: dict[Name, bytes] = {}
    addresses: dict[bytes, list[str]] = {}
    for record in records:
        if record.kind == TXT and isinstance(record.data, bytes):
            texts[record.name] = record.data
        elif isinstance(record.data, bytes) and record.name:
            addresses.setdefault(record.name[0], []).append(str(ipaddress.ip_address(record.data)))
        elif isinstance(record.data, _Service):
            services[record.name] = record.data
    for name, ttl in instances.items():
        port, target = services.get(name, _NOWHERE)
        described = _described(_strings(texts.get(name, b"")))
        if port and target and described is not None and label_of(described[0]) == name[0]:
            told = tuple(addresses.get(target[0], ())[:MOST_ADDRESSES])
            yield Advert(*described, port, min(ttl, TTL), told, target[0])


def _described(texts: Iterable[bytes]) -> tuple[bytes, str] | None:
    """The fingerprint and the name in a TXT record; None for another version of it."""
    values: dict[bytes, bytes] = {}
    for text in texts:
        key, _, value = text.partition(b"=")
        values.setdefault(key.lower(), value)  # the first one counts (RFC 6763 §6.4)
    if values.get(b"v") != _VERSION:
        return None
    try:
        fingerprint = base64.b64decode(values.get(b"fp", b"") + b"=", b"-_", validate=True)
        name = cleaned_server_name(values.get(b"name", b"").decode())
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (fingerprint, name) if len(fingerprint) == 32 and name else None
