"""Events for the host's window about roles, mutes and moderation."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_server.rules.effects import Tell
from chat_server.rules.view import HOST, Audited, ClientSignedIn
from common.protocol import messages
from tests.unit.chat_server.house import NOW, House, all_of, only


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with two members."""
    house = House(tmp_path / "chat.db")
    for name in ("ada", "ben"):
        house.join(name)
    return house


def test_each_entry_of_the_audit_log_is_told(house: House) -> None:
    """Who did what, with the fields of the command; what was refused is not."""
    host = house.host()
    made = house.do(host, messages.SetRole(id=house.request(), username="ada", role="moderator"))
    assert all_of(made, Audited) == [
        Audited(HOST, "set_role", {"username": "ada", "role": "moderator"}, NOW)
    ]
    (ada,) = house.world.sessions.of("ada")
    mute = messages.MutePerson(id=house.request(), username="ben", until=NOW + 1, reason="Shh")
    told = only(house.do(ada, mute), Audited)
    fields = {"username": "ben", "until": NOW + 1, "reason": "Shh"}
    assert (told.by, told.action, told.fields) == ("ada", "mute", fields)
    refused = house.do(ada, messages.Ban(id=house.request(), username="nobody"))
    assert isinstance(only(refused, Tell).message, messages.Error)
    assert all_of(refused, Audited) == []
    house.close()


def test_who_appears_comes_with_role_and_mute(house: House) -> None:
    """As they are at that moment."""
    host = house.host()
    appeared = only(house.sign_in("ada")[1], ClientSignedIn)
    assert (appeared.is_moderator, appeared.is_muted, appeared.muted_until) == (False, False, None)
    house.do(host, messages.SetRole(id=house.request(), username="ada", role="moderator"))
    house.do(host, messages.MutePerson(id=house.request(), username="ada", until=NOW + 9))
    appeared = only(house.sign_in("ada")[1], ClientSignedIn)
    assert (appeared.is_moderator, appeared.is_muted) == (True, True)
    assert appeared.muted_until == NOW + 9
    house.do(host, messages.MutePerson(id=house.request(), username="ada"))
    appeared = only(house.sign_in("ada")[1], ClientSignedIn)
    assert (appeared.is_muted, appeared.muted_until) == (True, None)
    house.close()
