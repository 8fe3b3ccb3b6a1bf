"""Sessions that are to end: nothing that they have sent before they learn of it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from chat_server.hub.queue import Received
from chat_server.rules.devices import device_id
from chat_server.store.store import StoreBusyError
from common.protocol import messages
from common.protocol.recognition import device_key
from tests.contract.engines import MemoryEngine
from tests.events import send
from tests.unit.chat_server.house import House, all_of, refused, token
from tests.unit.chat_server.hub_bench import HubBench
from tests.unit.chat_server.rules.invitations import add_device, result

ENDS: Final[dict[str, Callable[[int], messages.ToServer]]] = {
    "terminated": lambda connection: messages.Terminate(
        id=1, username=None, connection=connection, reason=""
    ),
    "banned": lambda _: messages.Ban(id=1, username="ada", connection=None, until=None, reason=""),
    "deleted": lambda _: messages.DeleteAccount(id=1, username="ada", messages="keep"),
    "signed out": lambda _: messages.RemoveDevice(
        id=1, username="ada", device=device_id(device_key(token("ada")))
    ),
}


@pytest.mark.parametrize("how", ENDS)
def test_who_is_to_go_does_nothing_more(house: House, how: str) -> None:
    """Neither says nor asks anything, and makes no way back in; it is to be tried again."""
    ada, host = house.join("ada"), house.host()
    house.join("bob")
    house.do(host, messages.SetRole(id=1, username="ada", role="moderator"))
    stored, invites = house.stored(), list(house.world.directory.invites)
    outcome = house.do(host, ENDS[how](ada.connection))
    for command in (
        send(9, "one more", cid=house.cid()),
        messages.AddDevice(id=2, username=None),
        messages.Ban(id=3, username="bob", connection=None, until=None, reason=""),
        messages.ListInvites(id=4, before=None),
        messages.RenameMe(id=5, display_name="Bob"),
        messages.DeleteMe(id=6, messages="remove"),
    ):
        assert refused(house.do(ada, command), ada).code == "busy"
    assert [each for each in house.stored() if each not in stored and each[2] == "message"] == []
    assert len(list(house.world.directory.invites)) == len(invites)
    assert house.log.load() == house.world.directory
    house.follow(outcome)
    assert house.world.sessions.get(ada.connection) is None


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("how", ENDS)
def test_who_is_not_sent_away_after_all_goes_on(how: str) -> None:
    """The commit fails: what was sent behind it is refused with it, and taken later."""
    bench = HubBench(MemoryEngine())
    ada, host = bench.join("ada"), bench.host()
    bench.store.fail("end of transaction", StoreBusyError("locked"))
    say = send(9, "still here")
    released = bench.run(Received(host, (ENDS[how](ada),)), Received(ada, (say,)))
    answer = released.answer(ada, say)
    assert isinstance(answer, messages.Error)
    assert answer.code == "busy"
    bench.store.heal()
    released = bench.run(Received(ada, (say,)))
    assert not isinstance(released.answer(ada, say), messages.Error)
    bench.close()


def test_a_stolen_device_makes_no_way_back_in_at_the_last_moment(house: House) -> None:
    """Its invite was on the way while its owner signed it out."""
    ada = house.join("ada")
    _, invite = add_device(house, ada)
    assert result(house, "ada", invite.secret, token=token("phone")) == "in"
    (thief,) = (each for each in house.world.sessions.of("ada") if each is not ada)
    device = device_id(device_key(token("phone")))
    outcome = house.do(ada, messages.RemoveDevice(id=7, username=None, device=device))
    made = house.do(thief, messages.AddDevice(id=8, username=None))
    assert all_of(made, messages.InviteCreated) == []
    house.follow(outcome)
    assert all(each.ended(house.now) for each in house.world.directory.invites if each.username)
