"""Invites and devices through real programs: who gets in, as whom, and who is signed out."""

from __future__ import annotations

import json
import secrets
import sys
import threading
from contextlib import suppress

import pytest

from common import limits
from common.domain.invite import Invite, parse_invite
from common.protocol import messages
from tests.process.harness import DEADLINE, Client, House, Server, holds_within, wait_until
from tests.process.test_moderation import ctl, done, objects
from tests.process.wire import HungUpError, Raw

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ctl uses a socket with an owner")


def created(house: House, server: Server, *order: str) -> str:
    """The link that a command line makes."""
    (line,) = ctl(house, server, *order, "--json").out
    link: str = json.loads(line)["link"]
    return link


def somebody(house: House, name: str, link: str, *, place: str = "") -> Client:
    """A person who has a link, at a place of their own."""
    return Client(house, house.folder / f"client-{place or name}", name, link)


def complaint(client: Client, *order: str) -> str:
    """What a verb says that fails."""
    child = client.run(*order)
    assert child.status() == 1, child.transcript()
    return child.err[-1]


def test_an_invite_lets_in_as_often_as_it_may(house: House) -> None:
    """The next one reads why; who is in comes back, after a restart of the server, too."""
    server = house.server()
    link = created(house, server, "create-invite", "--uses", "1", "--note", "Cousins")
    ada = somebody(house, "ada", link)
    ada.send("hello")
    assert "this invite was used already" in complaint(somebody(house, "bob", link), "send", "hi")
    server.stop()
    server.start()
    ada.send("again")
    (invite, standing) = objects(house, server, "invites", "--all")
    assert (invite["uses"], invite["most_uses"], invite["ended"]) == (1, 1, "used")
    assert (invite["note"], invite["by"], standing["number"]) == ("Cousins", None, 0)
    # Those that have ended are listed where that is asked for.
    assert [each["number"] for each in objects(house, server, "invites")] == [0]


def test_a_revoked_invite_lets_nobody_in(house: House) -> None:
    """One that never was neither, and of a number that none has it says so."""
    server = house.server()
    link = created(house, server, "create-invite", "--expires", "never", "--role", "moderator")
    (facts, _) = objects(house, server, "invites")
    assert (facts["expires"], facts["role"]) == (None, "moderator")
    assert done(house, server, "revoke", str(facts["number"])) == []
    assert "no longer valid" in complaint(somebody(house, "ada", link), "send", "hi")
    refused = ctl(house, server, "revoke", "99")
    assert (refused.status(), "there is no such invite" in refused.err[-1]) == (1, True)


def test_a_second_device_is_the_same_person(house: House) -> None:
    """It reads everything, is told by its own name, and may be signed out; then it is another's."""
    server = house.server()
    ada = house.client(server, "ada")
    ada.send("from my laptop")
    (link,) = ctl(house, server, "add-device", "ada").out
    assert parse_invite(link).username == "ada"
    phone = somebody(house, "ada", link, place="phone")
    laptop = ada.listen()
    laptop.message()
    hearing = phone.listen()
    assert hearing.texts(1) == ["from my laptop"]
    assert "a device has joined as you" in laptop.complaint("device")
    laptop.process.terminate()
    laptop.status()
    assert hearing.heard[-1].sender == "ada"
    assert [each["username"] for each in objects(house, server, "people")] == ["ada"]
    devices = objects(house, server, "devices", "ada")
    assert [each["online"] for each in devices] == [True, False]
    assert all(each["last_seen"] >= each["created"] for each in devices)

    done(house, server, "remove-device", "ada", devices[0]["device"][:6])
    assert hearing.status() == 1
    assert "this device was signed out" in hearing.err[-1]
    folder = ("--data-dir", str(phone.data_dir))
    child = house.child("send without an invite", ["chat_client", "send", *folder, "hi"])
    assert child.status() == 1
    assert "not known here as ada" in child.err[-1]
    assert "this invite was used already" in complaint(phone, "send", "hi")
    ada.send("only me again")

    # It comes back with another invite, under a new token: what it had fetched is still there.
    token = json.loads(next(phone.data_dir.rglob("account.json")).read_text())["token"]
    (again,) = ctl(house, server, "add-device", "ada").out
    phone = somebody(house, "ada", again, place="phone")
    hearing = phone.listen()
    assert hearing.texts(1) == ["only me again"]
    account = json.loads(next(phone.data_dir.rglob("account.json")).read_text())
    assert (account["username"], account["joined"]) == ("ada", True)
    assert account["token"] != token
    hearing.process.terminate()
    hearing.status()
    phone.send("from my phone")


def test_an_invite_for_a_device_is_for_nobody_else(house: House) -> None:
    """The command line says so before anything is sent."""
    server = house.server()
    house.client(server, "ada").send("hello")
    link = created(house, server, "add-device", "ada")
    child = somebody(house, "bob", link).run("send", "hi")
    assert child.status() == 2
    assert "adds a device to ada’s account" in child.err[-1]
    assert [each["ended"] for each in objects(house, server, "invites")] == [None, None]


def test_who_lost_the_only_device_comes_back(house: House) -> None:
    """By the host, with nothing of what was on it."""
    server = house.server()
    house.client(server, "ada").send("before")
    (device,) = objects(house, server, "devices", "ada")
    done(house, server, "remove-device", "ada", device["device"])
    assert objects(house, server, "devices", "ada") == []
    new = somebody(house, "ada", created(house, server, "add-device", "ada"), place="new")
    new.send("after")
    assert new.listen("--count=2").texts(2) == ["before", "after"]


def test_when_a_device_was_seen_last_outlasts_the_server(house: House) -> None:
    """At its orderly end it is written."""
    server = house.server()
    house.client(server, "ada").send("hello")
    (before,) = objects(house, server, "devices", "ada")
    assert not before["online"]
    server.stop()
    server.start()
    (after,) = objects(house, server, "devices", "ada")
    assert after == before


@pytest.mark.parametrize("rule", ["ask", "invite", "open"])
def test_the_rule_of_who_may_join_outlasts_the_server(house: House, rule: str) -> None:
    """And holds for everyone but those who are in."""
    server = house.server()
    ada = house.client(server, "ada")
    ada.send("hello")
    link = created(house, server, "create-invite")
    (told,) = objects(house, server, "joining", rule, "--moderators-invite", "yes")
    assert told == {"rule": rule, "moderators_invite": True}
    server.stop()
    server.start()
    assert objects(house, server, "joining") == [told]
    ada.send("still here")
    bob = somebody(house, "bob", link)
    if rule == "ask":
        assert "the host lets people in who ask" in complaint(bob, "send", "hi")
        phone = somebody(house, "ada", created(house, server, "add-device", "ada"), place="phone")
        phone.send("me again")
    else:
        bob.send("hi")
    assert objects(house, server, "joining", "--moderators-invite", "no") == [
        {"rule": rule, "moderators_invite": False}
    ]


class Joiner(threading.Thread):
    """Repeats one join until it is answered, whatever happens to the server meanwhile."""

    def __init__(self, invite: Invite, name: str) -> None:
        super().__init__(daemon=True)
        self._invite = invite
        self._name = name
        self._token = secrets.token_hex(32)
        self.answer = ""
        """"in", or the code of the refusal."""
        self.start()

    def run(self) -> None:
        """Until there is an answer, or the deadline."""
        holds_within(self._is_answered, DEADLINE)

    def _is_answered(self) -> bool:
        with suppress(HungUpError, OSError):  # the server is away: as a client does, try again
            self.answer = self._try()
        return bool(self.answer)

    def _try(self) -> str:
        with Raw(self._invite) as connection:
            end = connection.end
            hello = messages.Hello(id=1, protocol=limits.PROTOCOL_VERSION, program="wire")
            connection.transmit(end.send(hello))
            connection.message()
            join = messages.Join(
                id=2,
                secret=self._invite.secret,
                username=self._name,
                display_name=self._name,
                token=self._token,
                device="wire",
                installation=secrets.token_hex(16),
            )
            connection.transmit(end.send(join))
            while True:
                match connection.message():
                    case messages.SignedIn():
                        return "in"
                    case messages.Error(retryable=False) as error:
                        return str(error.code)
                    case messages.Error() | messages.Goodbye():
                        raise HungUpError


@pytest.mark.parametrize("after", range(4))
def test_a_kill_loses_no_use_and_gives_none_away(house: House, after: int) -> None:
    """Many join with one invite while the server is killed: as many are in as it allows.

    Who was let in before the kill, and whose answer was lost by it, is let in again.
    """
    server = house.server("--joins-per-minute", "0")
    invite = parse_invite(created(house, server, "create-invite", "--uses", "5"))
    joiners = [Joiner(invite, f"guest{number:02}") for number in range(12)]
    wait_until(lambda: sum(bool(each.answer) for each in joiners) >= after, "some of them")
    server.kill()
    server.start()
    for joiner in joiners:
        joiner.join(DEADLINE)
    answers = [each.answer for each in joiners]
    assert sorted(answers) == ["in"] * 5 + ["invite_used"] * 7
    (facts, _) = objects(house, server, "invites", "--all")
    assert (facts["uses"], facts["ended"]) == (5, "used")
    people = {each["username"] for each in objects(house, server, "people")}
    assert people == {each._name for each in joiners if each.answer == "in"}
