"""Making invites and joining with them, by hand."""

from __future__ import annotations

from typing import TypeVar

from chat_server.rules.commands import is_refusal
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome
from common.domain.invite import Invite, parse_invite
from common.protocol import messages
from tests.unit.chat_server.house import House, told

_Reply = TypeVar("_Reply", bound=messages.Reply)


def reply(house: House, session: Session, command: messages.ToServer, kind: type[_Reply]) -> _Reply:
    """The answer to a command, which has to be of this kind."""
    outcome = house.do(session, command)
    (said,) = [each for each in told(outcome, session) if isinstance(each, kind)]
    return said


def create(
    house: House,
    session: Session,
    *,
    uses: int | None = None,
    expires_in: int | None = None,
    role: str = "member",
    note: str = "",
) -> tuple[int, Invite]:
    """A new invite for newcomers: its number, and what its link says."""
    command = messages.CreateInvite.model_validate(
        {"id": 1, "uses": uses, "expires_in": expires_in, "role": role, "note": note}
    )
    created = reply(house, session, command, messages.InviteCreated)
    return created.number, parse_invite(created.link)


def add_device(house: House, session: Session, username: str | None = None) -> tuple[int, Invite]:
    """A new invite for a device: its number, and what its link says."""
    command = messages.AddDevice(id=1, username=username)
    created = reply(house, session, command, messages.InviteCreated)
    return created.number, parse_invite(created.link)


def invites(house: House, session: Session) -> dict[int, messages.InviteFacts]:
    """The invites that somebody is told of, by number, as they come."""
    listed = reply(house, session, messages.ListInvites(id=1), messages.Invites)
    return {each.number: each for each in listed.invites}


def devices(
    house: House, session: Session, username: str | None = None
) -> list[messages.DeviceFacts]:
    """The devices of an account as they are told."""
    command = messages.ListDevices(id=1, username=username)
    return list(reply(house, session, command, messages.Devices).devices)


def come_in(
    house: House, name: str, secret: str | None, *, address: str = "192.0.2.1", **fields: str
) -> tuple[Session, Outcome]:
    """Somebody joins with a secret, or tries to."""
    session = house.connect(address)
    return session, house.do(session, house.join_command(name, secret=secret, **fields))


def result(house: House, name: str, secret: str | None, **fields: str) -> str:
    """What came of that: "in", or the code of the refusal. Such a one leaves no trace."""
    before, sessions = house.log.load(), len(list(house.world.sessions))
    session, outcome = come_in(house, name, secret, **fields)
    directory = house.world.directory
    assert directory == house.log.load()
    if not is_refusal(outcome):
        assert session.username is not None
        return "in"
    (error,) = told(outcome, session)
    assert isinstance(error, messages.Error)
    assert directory == before
    assert len(list(house.world.sessions)) == sessions + 1
    return error.code
