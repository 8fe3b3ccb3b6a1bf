"""A client finds its server again by the certificate, wherever on the network it is now."""

from __future__ import annotations

import json
import re
import signal
import sys
import time

from common.domain.invite import Invite, parse_invite
from tests.process.harness import House, Listener, wait_until
from tests.process.host_and_guest import Guest, Host, host_and_guest
from tests.process.networks import Computer, Networks


def stored(house: House, name: str) -> Invite:
    """The invite of a guest's account."""
    (path,) = (house.folder / name / "accounts").glob("*/account.json")
    return parse_invite(json.loads(path.read_text())["invite"])


def listens(computer: Computer) -> bool:
    """Whether a program of a computer is a member of the group of multicast DNS on its cable."""
    return "eth1" in computer.run("ip", "maddress").partition("224.0.0.251")[0] and (
        "224.0.0.251" in computer.run("ip", "maddress")
    )


def signed_in(house: House, computer: Computer, host: Host, name: str = "ada") -> Listener:
    """Somebody who listens, and is watching out for the server."""
    listener = Guest(house, computer, name).listen(host.told["invite"])
    assert listener.event().kind == "join"
    wait_until(lambda: listens(computer), "a client that watches")
    return listener


def test_a_host_moves_its_address_while_clients_are_connected(
    house: House, networks: Networks
) -> None:
    """Its announcement tells them; the dead connection alone would be noticed after a minute."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    host = Host(house, here)
    listener = signed_in(house, there, host)
    here.ip("addr del 10.77.0.5/24 dev eth1")
    here.ip("addr add 10.77.0.9/24 dev eth1")
    begun = time.monotonic()
    Guest(house, here, "own").say(host.told["invite"], "hello")
    assert listener.message().text == "hello"
    print(f"heard after {time.monotonic() - begun:.1f} s")  # noqa: T201 (a figure)
    wait_until(lambda: stored(house, "ada").hosts[0] == "10.77.0.9", "the new address")
    assert stored(house, "ada").hosts[1:] == ("10.77.0.5", "127.0.0.1")


def test_a_host_comes_back_elsewhere(house: House, networks: Networks) -> None:
    """With another address and another port, which the account has from then on."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    host = Host(house, here)
    port = host.invite.port
    listener = signed_in(house, there, host)
    host.child.process.send_signal(signal.SIGTERM)
    assert host.child.status() == 0
    listener.complaint("trying again")
    here.ip("addr add 10.77.0.9/24 dev eth1")
    host = Host(house, here, "--port", "0", "--host", "10.77.0.9")
    assert host.invite.port != port
    Guest(house, there, "bob").say(host.told["invite"], "hello")
    assert listener.message().text == "hello"
    invite = stored(house, "ada")
    assert (invite.hosts[0], invite.port) == ("10.77.0.9", host.invite.port)
    # And at its next start it needs nobody to find it.
    listener.process.send_signal(signal.SIGTERM)
    listener.status()
    link = invite.link()
    assert host.invite.fingerprint == invite.fingerprint
    Guest(house, there, "ada").say(link, "hello again")


def test_another_server_has_its_former_place(house: House, networks: Networks) -> None:
    """That is told only if the right one is not found."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    host = Host(house, here)
    port, link = host.invite.port, host.told["invite"]
    Guest(house, there, "ada").say(link, "hello")
    host.child.process.send_signal(signal.SIGTERM)
    assert host.child.status() == 0
    other = House(house.folder / "other")
    other.folder.mkdir()
    impostor = Host(other, here, "--port", str(port))
    house.children.append(impostor.child)
    alone = Guest(house, there, "ada").start("send", link, "hello")
    assert alone.status() == 1
    alone.complaint("this is not the server you joined")
    here.ip("addr add 10.77.0.9/24 dev eth1")
    Host(house, here, "--port", "0", "--host", "10.77.0.9")
    Guest(house, there, "ada").say(link, "hello again")
    assert stored(house, "ada").hosts[0] == "10.77.0.9"


def test_an_old_link_leads_to_a_host_that_has_moved(house: House, networks: Networks) -> None:
    """Its addresses are wrong; the fingerprint in it is not."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    host = Host(house, here)
    link = host.told["invite"]
    here.ip("addr del 10.77.0.5/24 dev eth1")
    here.ip("addr add 10.77.0.9/24 dev eth1")
    host.has("10.77.0.9", "127.0.0.1")
    Guest(house, there, "ada").say(link, "hello")
    assert stored(house, "ada").hosts[0] == "10.77.0.9"


def test_a_forged_advert_leads_nobody_astray(house: House, networks: Networks) -> None:
    """A rogue that claims to have the certificate gets a connection, and nothing else by it."""
    here, there, rogue = (networks.computer() for _ in range(3))
    _, names = networks.switch(here, there, rogue)
    for name, computer, number in zip(names, (here, there, rogue), (5, 6, 66), strict=True):
        computer.up(name, f"10.77.0.{number}/16")
    host = Host(house, here)
    port, pin = host.invite.port, host.invite.fingerprint
    assert pin is not None
    listener = Guest(house, there, "ada").listen(host.told["invite"])
    assert listener.event().kind == "join"
    host.child.process.send_signal(signal.SIGTERM)
    assert host.child.status() == 0
    listener.complaint("trying again")
    other = House(house.folder / "other")
    other.folder.mkdir()
    impostor = Host(other, rogue, "--port", str(port), "--no-discovery")
    house.children.append(impostor.child)
    sniffer = house.child("sniffer", ["tests.process.sniffer"], under=rogue.inside)
    sniffer.line()
    claim = f"""if True:
        from common.domain.dns_sd import Advert, announcement
        from common.system.multicast import Links
        links = Links(asks=False)
        links.refresh()
        for link in links:
            link.publish(announcement(Advert(bytes.fromhex("{pin.hex()}"), "Home", {port}), ()))
    """
    rogue.run(sys.executable, "-c", claim)
    visit = f'"from": "10.77.0.6", "to": "10.77.0.66", "ports": .[0-9]+, {port}'
    wait_until(lambda: any(re.search(visit, line) for line in sniffer.out), "a connection")
    host = Host(house, here, "--port", str(port))
    Guest(house, here, "own").say(host.told["invite"], "hello")
    assert listener.message().text == "hello"
    assert not any("signed in" in line for line in impostor.child.err)
    assert stored(house, "ada").hosts[0] == "10.77.0.5"
