"""The Hypothesis vocabulary of all tests: names, texts, ids, messages, and ways to cut bytes."""

from __future__ import annotations

import string
from itertools import pairwise
from typing import Any, Final, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from common import limits
from common.domain.dns_sd import NAME_BYTES, Advert
from common.domain.invite import cleaned_server_name
from common.domain.names import direct_room
from common.protocol import messages
from common.protocol.events import Event
from common.protocol.messages import Message

_HEXADECIMAL: Final = "0123456789abcdef"
_NAME_FIRST: Final = string.ascii_lowercase + string.digits
_BASE64URL: Final = string.ascii_letters + string.digits + "-_"
_CAPABILITY: Final = _NAME_FIRST + "_.-"

HARD_TEXTS: Final = (
    "hello",
    "two\nlines\tand a tab",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇸🇪 ☕️",  # sequences that Tk and naive code take apart
    "שלום, عالم",
    "\u202eright to left\u202c \u200f",
    'quotes " and \\ and </script> {curly} $dollar [brackets]',
    "e\u0301 versus \xe9",
    "\U0010ffff\ufffd\ufeff",
)
"""Texts that have broken chat programs before; all of them are messages that must get through."""


def username() -> SearchStrategy[str]:
    """Usernames in their stored form."""
    return st.builds(
        str.__add__,
        st.sampled_from(_NAME_FIRST),
        st.text(_NAME_FIRST + "._-", max_size=limits.USERNAME_LENGTH - 1),
    )


def room() -> SearchStrategy[str]:
    """Ids of rooms, direct ones among them."""
    pair = st.lists(username(), min_size=2, max_size=2, unique=True)
    return username() | pair.map(lambda two: direct_room(*two))


def any_text() -> SearchStrategy[str]:
    """Any Unicode text that can be encoded, lawful as a message or not."""
    return st.text(st.characters(exclude_categories=["Cs"]))


def text() -> SearchStrategy[str]:
    """Lawful texts of messages."""
    allowed = st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n")
    lawful = st.text(allowed, min_size=1, max_size=200).filter(str.strip)
    return st.sampled_from(HARD_TEXTS) | lawful


def line(maximum: int) -> SearchStrategy[str]:
    """One line of 1 to `maximum` characters, as display names and programs are."""
    allowed = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
    return st.text(allowed, min_size=1, max_size=maximum)


def hexadecimal(length: int) -> SearchStrategy[str]:
    """So many hexadecimal digits."""
    return st.text(_HEXADECIMAL, min_size=length, max_size=length)


def cid() -> SearchStrategy[str]:
    """An event's own id."""
    return st.text(_BASE64URL, min_size=limits.CID_LENGTH, max_size=limits.CID_LENGTH)


def advert() -> SearchStrategy[Advert]:
    """Adverts of chats on the local network, with names that fit."""
    names = line(limits.SERVER_NAME_LENGTH).filter(
        lambda name: name == cleaned_server_name(name) and len(name.encode()) <= NAME_BYTES
    )
    return st.builds(
        Advert,
        st.binary(min_size=32, max_size=32),
        names,
        st.integers(1, 65535),
        st.integers(0, 120),
    )


def nonce() -> SearchStrategy[str]:
    """What names a session or a server's time, or is asked to be signed."""
    return hexadecimal(32)


def token() -> SearchStrategy[str]:
    """A device's secret."""
    return hexadecimal(64)


def secret() -> SearchStrategy[str]:
    """An invite's secret."""
    return st.text(_BASE64URL, min_size=22, max_size=22)


def number(least: int = 0) -> SearchStrategy[int]:
    """A number that every JSON implementation keeps exact."""
    return st.integers(least, limits.MAX_INTEGER)


def time() -> SearchStrategy[int]:
    """Milliseconds that the protocol allows."""
    return st.integers(0, limits.MAX_TIME)


def code() -> SearchStrategy[str]:
    """A reason or a kind, known or not."""
    first, more = string.ascii_lowercase, _NAME_FIRST + "_"
    return st.builds(str.__add__, st.sampled_from(first), st.text(more, max_size=31))


def wait() -> SearchStrategy[int | None]:
    """Milliseconds until something can be tried again, if that is known."""
    return st.none() | st.integers(0, limits.MAX_WAIT)


def _capabilities() -> SearchStrategy[tuple[str, ...]]:
    one = st.text(_CAPABILITY, min_size=1, max_size=32)
    return st.lists(one, max_size=limits.CAPABILITIES).map(tuple)


def person() -> SearchStrategy[messages.Person]:
    """An account as everyone sees it."""
    return st.builds(
        messages.Person,
        username=username(),
        display_name=line(limits.DISPLAY_NAME_LENGTH),
        role=code(),
        change=number(),
    )


def reason() -> SearchStrategy[str]:
    """What somebody says why they did something to somebody."""
    return st.just("") | line(60)


def params() -> SearchStrategy[dict[str, str | int]]:
    """What a sentence about a reason needs."""
    value = reason() | st.integers(-limits.MAX_INTEGER, limits.MAX_INTEGER)
    return st.dictionaries(code(), value, max_size=3)


def mute() -> SearchStrategy[messages.Mute | None]:
    """What keeps somebody from writing, if anything does."""
    return st.none() | st.builds(messages.Mute, until=st.none() | time(), reason=reason())


def _client() -> SearchStrategy[messages.ClientFacts]:
    return st.builds(
        messages.ClientFacts,
        connection=number(1),
        username=username(),
        device=line(limits.PROGRAM_LENGTH),
        address=st.text(max_size=100),
        since=time(),
        bytes_in=number(),
        bytes_out=number(),
        slow=st.booleans(),
    )


def _sanction() -> SearchStrategy[messages.Sanction]:
    return st.builds(
        messages.Sanction,
        number=number(1),
        kind=code(),
        username=st.none() | username(),
        device=st.none() | line(limits.PROGRAM_LENGTH),
        until=st.none() | time(),
        reason=reason(),
        by=username(),
        at=time(),
    )


def _audit_entry() -> SearchStrategy[messages.AuditEntry]:
    return st.builds(
        messages.AuditEntry,
        number=number(1),
        at=time(),
        by=username(),
        action=code(),
        fields=_json_object(),
    )


def _past_event() -> SearchStrategy[messages.PastEvent]:
    def past(each: Event) -> messages.PastEvent:
        fields = each._asdict()
        del fields["room"]
        return messages.PastEvent.model_validate(fields)

    return (event() | event(newer=True)).map(past)


def listed_room() -> SearchStrategy[messages.Room]:
    """A room and its head."""
    return st.builds(
        messages.Room,
        room=room(),
        kind=code(),
        title=st.none() | line(limits.TITLE_LENGTH),
        head=number(),
    )


def to_server() -> SearchStrategy[messages.ToServer]:
    """Every command, each kind as often as the others."""
    request, device = number(1), line(limits.PROGRAM_LENGTH)
    copy = st.tuples(number(), st.none() | cid())
    return st.one_of(
        st.builds(
            messages.Hello,
            id=request,
            protocol=st.integers(1, 65535),
            capabilities=_capabilities(),
            program=device,
        ),
        st.builds(
            messages.Recognize, id=request, secret=secret(), username=username(), nonce=nonce()
        ),
        st.builds(
            messages.Join,
            id=request,
            secret=secret(),
            username=username(),
            display_name=line(limits.DISPLAY_NAME_LENGTH),
            token=token(),
            device=device,
            installation=nonce(),
        ),
        st.builds(
            messages.SignIn,
            id=request,
            username=username(),
            token=token(),
            device=device,
            installation=nonce(),
            resume=st.none() | nonce(),
        ),
        st.builds(
            _sync,
            request,
            st.dictionaries(room(), copy, min_size=1, max_size=5),
            st.none() | number(),
        ),
        st.builds(
            _history,
            request,
            room(),
            st.sampled_from(["before", "after", "around", "at", None]),
            st.integers(1, limits.MAX_TIME),
            st.integers(1, limits.PAGE_HISTORY),
        ),
        st.builds(
            messages.Send,
            id=request,
            room=room(),
            cid=cid(),
            kind=st.just("message"),
            body=st.fixed_dictionaries({"text": text()}),
            after=st.none() | cid(),
        ),
        st.builds(messages.ListPeople, id=request, since=number()),
        st.builds(messages.ListOnline, id=request, after=st.none() | username()),
        st.builds(messages.ListRooms, id=request, after=st.none() | room()),
        st.builds(messages.Ping, id=request),
        _moderation(request),
    )


def _moderation(request: SearchStrategy[int]) -> SearchStrategy[messages.ToServer]:
    """What moderators and the host say."""
    until = st.none() | time()
    target = st.fixed_dictionaries({"connection": number(1)}) | st.fixed_dictionaries(
        {"username": username()}
    )
    lifted = st.fixed_dictionaries({"number": number(1)}) | st.fixed_dictionaries(
        {"username": username()}
    )
    return st.one_of(
        st.builds(
            lambda number, whom, why: messages.Terminate(id=number, reason=why, **whom),
            request,
            target,
            reason(),
        ),
        st.builds(
            lambda number, whom, until, why: messages.Ban(
                id=number, until=until, reason=why, **whom
            ),
            request,
            target,
            until,
            reason(),
        ),
        st.builds(lambda number, whom: messages.Unban(id=number, **whom), request, lifted),
        st.builds(
            messages.MutePerson, id=request, username=username(), until=until, reason=reason()
        ),
        st.builds(messages.Unmute, id=request, username=username()),
        st.builds(
            messages.SetRole,
            id=request,
            username=username(),
            role=st.sampled_from(get_args(messages.AccountRole)),
        ),
        st.builds(messages.RenameChat, id=request, name=line(limits.SERVER_NAME_LENGTH)),
        st.builds(messages.ShowInvite, id=request),
        st.builds(messages.NewInvite, id=request),
        st.builds(messages.AskStatus, id=request),
        st.builds(messages.ListClients, id=request, after=number()),
        st.builds(messages.ListSanctions, id=request, after=number()),
        st.builds(messages.ListAudit, id=request, before=st.none() | number(1)),
    )


def _history(
    request: int, room: str, place: str | None, where: int, count: int
) -> messages.History:
    history = messages.History(id=request, room=room, count=count)
    return history if place is None else history.model_copy(update={place: where})


def _sync(
    request: int, copies: dict[str, tuple[int, str | None]], most: int | None
) -> messages.Sync:
    positions = {room: position for room, (position, _) in copies.items()}
    last = {room: cid for room, (position, cid) in copies.items() if position and cid}
    return messages.Sync(id=request, positions=positions, last=last, most=most)


def event(*, newer: bool = False) -> SearchStrategy[Event]:
    """An event that this program knows; if `newer`, of any kind and with anything in it."""
    said = st.fixed_dictionaries({"text": text()})
    known = st.tuples(st.just("message"), said) | st.just(("join", dict[str, str]()))
    contents = st.tuples(code(), _json_object()) if newer else known
    parts = st.tuples(room(), number(1), contents, username(), time(), cid())
    return parts.map(lambda p: Event(p[0], p[1], p[2][0], p[3], p[4], p[5], p[2][1]))


def event_message() -> SearchStrategy[messages.EventMessage]:
    """An event as it is sent, of whatever kind."""
    return (event() | event(newer=True)).map(
        lambda each: messages.EventMessage.model_validate(each._asdict())
    )


def error() -> SearchStrategy[messages.Error]:
    """A refusal of any kind."""
    return st.builds(
        messages.refusal,
        st.sampled_from(get_args(messages.ErrorCode)),
        re=st.none() | number(1),
        field=st.none() | line(100),
        retry_after=wait(),
        params=params(),
    )


def to_client() -> SearchStrategy[messages.ToClient]:
    """Everything a server says, each kind as often as the others."""
    request = number(1)
    return st.one_of(
        st.builds(
            messages.Welcome,
            re=request,
            protocol=st.integers(1, 65535),
            capabilities=_capabilities(),
            program=line(limits.PROGRAM_LENGTH),
            server_name=line(limits.SERVER_NAME_LENGTH),
            epoch=nonce(),
            time=time(),
        ),
        st.builds(
            messages.Recognized,
            re=request,
            proofs=st.lists(token(), max_size=limits.PROOFS).map(tuple),
        ),
        st.builds(
            messages.SignedIn,
            re=request,
            username=username(),
            display_name=line(limits.DISPLAY_NAME_LENGTH),
            session=nonce(),
            role=code(),
            mute=mute(),
        ),
        st.builds(
            messages.Synced,
            re=request,
            heads=st.dictionaries(room(), number(), max_size=5),
            skipped=st.lists(room(), max_size=5).map(tuple),
            refused=st.dictionaries(room(), code(), max_size=5),
        ),
        st.builds(messages.Ack, re=request, room=room(), seq=number(1), cid=cid(), sent_at=time()),
        st.builds(
            messages.People,
            re=request,
            since=number(),
            people=st.lists(person(), max_size=4).map(tuple),
            more=st.booleans(),
        ),
        st.builds(
            messages.Online,
            re=request,
            online=st.lists(username(), max_size=4).map(tuple),
            more=st.booleans(),
        ),
        st.builds(
            messages.Rooms,
            re=request,
            rooms=st.lists(listed_room(), max_size=4).map(tuple),
            more=st.booleans(),
        ),
        st.builds(messages.Pong, re=request),
        event_message(),
        st.builds(messages.PersonChanged, person=person()),
        st.builds(messages.PresenceChanged, username=username(), online=st.booleans()),
        st.builds(messages.RoomAdded, room=listed_room()),
        st.builds(messages.ServerChanged, server_name=line(limits.SERVER_NAME_LENGTH)),
        error(),
        st.builds(
            messages.Goodbye,
            code=st.sampled_from(get_args(messages.GoodbyeCode)),
            params=params(),
            retry_after=wait(),
        ),
        _to_moderators(request),
    )


def _to_moderators(request: SearchStrategy[int]) -> SearchStrategy[messages.ToClient]:
    """What answers moderators and the host, and what follows for others."""
    more = st.booleans()
    return st.one_of(
        st.builds(messages.Done, re=request),
        st.builds(messages.InviteLink, re=request, link=any_text()),
        st.builds(
            messages.ServerStatus,
            re=request,
            server_name=line(limits.SERVER_NAME_LENGTH),
            program=line(limits.PROGRAM_LENGTH),
            since=time(),
            accounts=number(),
            online=number(),
            connections=number(),
            rooms=number(),
            trouble=st.none() | code(),
            slow_rooms=st.lists(
                st.builds(messages.SlowRoom, room=room(), slow=st.integers(0, limits.MAX_SLOW)),
                max_size=3,
            ).map(tuple),
        ),
        st.builds(
            messages.Clients,
            re=request,
            clients=st.lists(_client(), max_size=3).map(tuple),
            more=more,
        ),
        st.builds(
            messages.Sanctions,
            re=request,
            sanctions=st.lists(_sanction(), max_size=3).map(tuple),
            more=more,
        ),
        st.builds(
            messages.Audit,
            re=request,
            entries=st.lists(_audit_entry(), max_size=3).map(tuple),
            more=more,
        ),
        st.builds(
            messages.HistoryPage,
            re=request,
            room=room(),
            events=st.lists(_past_event(), max_size=3).map(tuple),
            upto=number(),
            older=more,
            newer=more,
        ),
        st.builds(messages.MuteChanged, mute=mute()),
    )


def message() -> SearchStrategy[Message]:
    """Every message of the protocol."""
    return to_server() | to_client()


@st.composite
def pieces(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    """`stream` in order but cut anywhere, with empty pieces among them, as networks do."""
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    edges = [0, *cuts, len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def json_value() -> SearchStrategy[object]:
    """Anything JSON can say, and infinity."""
    return _json(st.floats(allow_nan=False))


def _json_object() -> SearchStrategy[dict[str, Any]]:
    finite = st.floats(allow_nan=False, allow_infinity=False)
    return st.dictionaries(any_text(), _json(finite), max_size=3)


def _json(fraction: SearchStrategy[float]) -> SearchStrategy[object]:
    """Up to three levels of lists and objects; st.recursive takes three times as long."""
    scalar = st.none() | st.booleans() | st.integers() | fraction | any_text()
    value = scalar
    for _ in range(3):
        # As one branch of three: `|` would make it five of seven.
        value = st.one_of(
            scalar.map(_same),
            st.lists(value, max_size=4),
            st.dictionaries(any_text(), value, max_size=4),
        )
    return value


def _same(value: object) -> object:
    return value
