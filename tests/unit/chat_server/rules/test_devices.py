"""The devices of an account: who sees them, who signs one out, and when each was seen last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat_server.hub.queue import Received
from chat_server.rules import inputs
from chat_server.rules.devices import STALE, device_id
from chat_server.rules.effects import Disconnect
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientDisconnected, DevicesChanged
from chat_server.store.store import StoreBusyError
from common.protocol import messages
from common.protocol.recognition import device_key
from tests.contract.engines import MemoryEngine
from tests.unit.chat_server.house import (
    NOW,
    House,
    all_of,
    installation,
    presence,
    refused,
    token,
    told,
)
from tests.unit.chat_server.hub_bench import HubBench
from tests.unit.chat_server.rules.invitations import add_device, come_in, devices, result

ADA = device_key(token("ada"))
PHONE = device_key(token("phone"))


def phone_of(house: House, ada: Session) -> Session:
    """Ada's second device."""
    _, invite = add_device(house, ada)
    session, _ = come_in(
        house,
        "ada",
        invite.secret,
        token=token("phone"),
        device="Phone",
        installation=installation("phone"),
    )
    return session


def stored_seen(house: House) -> dict[bytes, int | None]:
    """When each device was seen last, as it is on the disk."""
    rows = house.log._connection.execute("SELECT token_hash, last_seen FROM devices")
    return dict(rows.fetchall())


def save(house: House) -> None:
    """The time for that has come."""
    with house.log.transaction():
        house.happen(inputs.SaveSeen())
    house.world.directory.commit()


def test_a_person_sees_the_own_devices(house: House) -> None:
    """The one that asks is marked; those that are online come first."""
    ada = house.join("ada")
    house.now += 5
    phone = phone_of(house, ada)
    house.now += 5
    house.happen(inputs.Closed(ada.connection, "left"))
    house.now += 5
    seen = {each.device: each for each in devices(house, phone)}
    assert list(seen) == [device_id(PHONE), device_id(ADA)]
    own, other = seen.values()
    assert (own.name, own.created, own.last_seen) == ("Phone", NOW + 5, NOW + 15)
    assert (own.current, own.online) == (True, True)
    assert (other.name, other.created, other.last_seen) == ("Linux", NOW, NOW + 10)
    assert (other.current, other.online) == (False, False)


def test_the_host_sees_anybodys_devices_and_others_do_not(house: House) -> None:
    """Nor do moderators: whose is how old tells strangers when somebody was there."""
    ada, host = house.join("ada"), house.host()
    house.join("bob")
    house.do(host, messages.SetRole(id=1, username="ada", role="moderator"))
    assert [each.name for each in devices(house, host, "bob")] == ["Linux"]
    assert [each.current for each in devices(house, host, "bob")] == [False]
    for command in (
        messages.ListDevices(id=1, username="bob"),
        messages.RemoveDevice(id=1, username="bob", device=device_id(device_key(token("bob")))),
    ):
        error = refused(house.do(ada, command), ada)
        assert (error.code, error.field) == ("not_allowed", "username")
        nobody = command.model_copy(update={"username": "eve"})
        assert refused(house.do(host, nobody), host).code == "no_such_person"
        unsaid = command.model_copy(update={"username": None})
        assert refused(house.do(host, unsaid), host).code == "not_allowed"
    assert [each.name for each in devices(house, ada, "ADA")] == ["Linux"]


@pytest.mark.parametrize("by", ["the other device", "host"])
def test_a_stolen_device_has_made_no_way_back_in(house: House, by: str) -> None:
    """The invites that it may have made end with it; a new one can be made."""
    ada = house.join("ada")
    phone = phone_of(house, ada)
    _, invite = add_device(house, phone)
    actor, named = (ada, None) if by == "the other device" else (house.host(), "ada")
    house.do(actor, messages.RemoveDevice(id=7, username=named, device=device_id(PHONE)))
    assert house.log.load() == house.world.directory
    assert result(house, "ada", invite.secret, token=token("thief")) == "bad_secret"
    _, invite = add_device(house, ada)
    assert result(house, "ada", invite.secret, token=token("new phone")) == "in"


@pytest.mark.parametrize("by", ["the other device", "itself", "host"])
def test_a_device_that_is_signed_out_is_out(house: House, by: str) -> None:
    """Its sessions end once that is stored; its token is worth nothing, the others' stay."""
    ada = house.join("ada")
    phone = phone_of(house, ada)
    second = house.connect()
    sign_in = house.sign_in_command("ada").model_copy(update={"token": token("phone")})
    house.do(second, sign_in)
    actor = {"the other device": ada, "itself": phone, "host": house.host()}[by]
    named = "ada" if by == "host" else None
    command = messages.RemoveDevice(id=7, username=named, device=device_id(PHONE))
    outcome = house.do(actor, command)
    assert messages.Done(re=7) in told(outcome, actor)
    assert all_of(outcome, DevicesChanged) == [DevicesChanged("ada")]
    assert all_of(outcome, Disconnect) == []
    assert house.log.load() == house.world.directory
    followed = house.follow(outcome)
    ended = {each.connection: each.goodbye.code for each in all_of(followed, Disconnect)}
    assert ended == dict.fromkeys((phone.connection, second.connection), "device_removed")
    gone = {each.connection: each.why for each in all_of(followed, ClientDisconnected)}
    assert gone == ended
    assert presence(followed) == []
    assert [each.name for each in devices(house, ada)] == ["Linux"]
    back = house.connect()
    assert refused(house.do(back, sign_in), back).code == "not_recognized"
    assert result(house, "ada", "s" * 22, token=token("phone")) == "name_taken"
    house.say(ada, "still here")


@pytest.mark.parametrize("by", ["ada", "host"])
def test_a_person_is_told_of_a_new_device(house: House, by: str) -> None:
    """On the other ones, whoever made the invite: nobody joins as somebody unnoticed."""
    ada, bob = house.join("ada"), house.join("bob")
    tablet, _ = house.sign_in("ada")
    actor, whose = (ada, None) if by == "ada" else (house.host(), "ada")
    _, invite = add_device(house, actor, whose)
    phone, outcome = come_in(house, "ada", invite.secret, token=token("phone"), device="Phone")
    for session in (ada, tablet):
        (added,) = [
            each for each in told(outcome, session) if isinstance(each, messages.DeviceAdded)
        ]
        assert (added.device.name, added.device.device) == ("Phone", device_id(PHONE))
        assert (added.device.current, added.device.online) == (False, True)
    for session in (bob, phone):
        assert not [e for e in told(outcome, session) if isinstance(e, messages.DeviceAdded)]
    # A join that is repeated adds none.
    again, outcome = come_in(house, "ada", invite.secret, token=token("phone"))
    assert again.username == "ada"
    assert not [e for e in told(outcome, ada) if isinstance(e, messages.DeviceAdded)]


def test_only_a_device_of_the_account_is_signed_out(house: House) -> None:
    """Whatever else the id may be of."""
    ada = house.join("ada")
    house.join("bob")
    for device in (device_id(device_key(token("bob"))), "0" * 16):
        command = messages.RemoveDevice(id=1, device=device)
        error = refused(house.do(ada, command), ada)
        assert (error.code, error.field) == ("no_such_device", "device")
    assert house.log.load() == house.world.directory


def test_the_last_device_may_go(house: House) -> None:
    """Who is out comes back by the host, with the same name and rooms."""
    ada = house.join("ada")
    outcome = house.do(ada, messages.RemoveDevice(id=1, device=device_id(ADA)))
    assert presence(house.follow(outcome)) == [("ada", False)]
    assert house.world.directory.devices == {}
    _, invite = add_device(house, house.host(), "ada")
    session, _ = come_in(house, "ada", invite.secret)
    assert session.username == "ada"
    assert house.world.directory.rooms_of["ada"] == ["general"]


def test_the_installation_of_a_device_goes_with_it(house: House) -> None:
    """Unless another device came from there; and a ban reaches it no more."""
    ada = house.join("ada")
    phone_of(house, ada)
    directory = house.world.directory
    assert directory.installations["ada"] == {installation("ada"), installation("phone")}
    _, invite = add_device(house, ada)
    come_in(house, "ada", invite.secret, token=token("pad"), installation=installation("phone"))
    for device, left in (("pad", {"ada", "phone"}), ("phone", {"ada"})):
        key = device_key(token(device))
        house.do(ada, messages.RemoveDevice(id=1, device=device_id(key)))
        assert directory.installations["ada"] == set(map(installation, left))
        assert house.log.load() == directory


# Seen last


def test_signing_in_writes_nothing(house: House) -> None:
    """What is due is gathered, and written with others."""
    house.join("ada")
    house.join("bob")
    for number in (1, 2):
        house.now = NOW + number * 1000
        writes = house.log._connection.total_changes
        session, _ = house.sign_in("ada")
        house.happen(inputs.Closed(session.connection, "left"))
        assert house.log._connection.total_changes == writes
    assert stored_seen(house) == {ADA: NOW, device_key(token("bob")): NOW}
    save(house)
    assert stored_seen(house)[ADA] == NOW + 2000
    assert house.log.load().devices[ADA].last_seen == NOW + 2000


def test_only_what_changed_is_written(house: House) -> None:
    """A second time there is nothing, while nobody comes or goes."""
    house.join("ada")
    save(house)
    writes = house.log._connection.total_changes
    save(house)
    assert house.log._connection.total_changes == writes


def test_who_stays_online_is_written_now_and_then(house: House) -> None:
    """A server that is killed forgets an hour at most."""
    house.join("ada")
    save(house)
    house.now += STALE - 1
    save(house)
    assert stored_seen(house) == {ADA: NOW}
    house.now += 1
    save(house)
    assert stored_seen(house) == {ADA: NOW + STALE}


def test_a_device_is_called_as_it_calls_itself(house: House) -> None:
    """A program that was updated, a computer that has another name."""
    house.join("ada")
    session = house.connect()
    house.do(session, house.sign_in_command("ada").model_copy(update={"device": "Newer"}))
    assert [each.name for each in devices(house, session)] == ["Newer"]
    save(house)
    assert house.log.load().devices[ADA].name == "Newer"


def test_a_device_that_was_removed_is_not_seen(house: House) -> None:
    """Its session may end after it."""
    ada = house.join("ada")
    phone = phone_of(house, ada)
    outcome = house.do(ada, messages.RemoveDevice(id=1, device=device_id(PHONE)))
    house.follow(outcome)
    assert house.world.sessions.get(phone.connection) is None
    save(house)
    assert set(stored_seen(house)) == {ADA}
    assert house.log.load() == house.world.directory


def test_when_the_server_stops_everyone_was_seen(house: House) -> None:
    """At that moment."""
    house.join("ada")
    house.now += 77
    house.happen(inputs.CloseEverything())
    save(house)
    assert stored_seen(house) == {ADA: NOW + 77}


@pytest.mark.usefixtures("errors_logged")
def test_what_could_not_be_written_is_written_later() -> None:
    """It stays due, and nobody is refused for it."""
    bench = HubBench(MemoryEngine())
    ada = bench.join("ada")
    bench.world.directory.devices[ADA].last_seen = seen = 2**44
    bench.store.fail("end of transaction", StoreBusyError("locked"))
    ping = messages.Ping(id=9)
    released = bench.run(Received(ada, (ping,)), inputs.SaveSeen())
    assert isinstance(released.answer(ada, ping), messages.Pong)
    assert bench.world.unsaved_seen == {ADA}
    bench.store.heal()
    assert bench.store.load().devices[ADA].last_seen != seen
    bench.run(inputs.SaveSeen())
    assert bench.world.unsaved_seen == set()
    assert bench.store.load().devices[ADA].last_seen == seen
    bench.close()


def test_lists_are_compared_without_what_is_written_later(house: House) -> None:
    """Or every sign-in would look like a database that was exchanged."""
    house.join("ada")
    device = house.world.directory.devices[ADA]
    assert replace(device, last_seen=1, name="x") == device
    assert replace(device, username="bob") != device
