"""Finding a host on networks of all kinds, with the real server on a computer of its own.

What is found has to lead there: each test joins by the address that was found, and no other.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from common.domain.dns_sd import GROUPS, PORT
from common.domain.invite import Invite
from common.domain.sign import sign_of
from common.system.multicast import MOST_INTERFACES
from tests.process.harness import Child, House, wait_until
from tests.process.host_and_guest import Guest, Host, host_and_guest
from tests.process.networks import NEEDS_NFT, Computer, Networks


class Finding:
    """The client's finder, running on a computer."""

    def __init__(self, house: House, computer: Computer, *known: str) -> None:
        arguments = ["tests.process.finding", *known]
        self.child = house.child("finding", arguments, under=computer.inside)
        self.child.line()

    @property
    def chats(self) -> list[dict[str, Any]]:
        """What it told last."""
        lines = tuple(self.child.out)
        chats: list[dict[str, Any]] = json.loads(lines[-1])["chats"]
        return chats

    def shows(self, *names: str) -> list[dict[str, Any]]:
        """Wait until just these are listed, in any order; what is told of them."""
        return self.until(
            lambda chats: sorted(chat["name"] for chat in chats) == sorted(names), str(names)
        )

    def until(
        self, condition: Callable[[list[dict[str, Any]]], bool], what: str
    ) -> list[dict[str, Any]]:
        """Wait until what it told last is as it should be."""
        wait_until(lambda: condition(self.chats), f"{what}\n{self.child.transcript()}")
        return self.chats


def leads_to(chat: dict[str, Any], host: Host) -> str:
    """The invite of a host with the addresses that were found instead of its own."""
    invite: Invite = replace(host.invite, hosts=tuple(chat["hosts"]), port=chat["port"])
    assert invite.fingerprint is not None
    assert invite.fingerprint.hex() == chat["pin"]
    return invite.link()


KINDS = pytest.mark.parametrize(
    ("mine", "yours"),
    [
        ("10.77.0.5/24", "10.77.0.6/24"),
        ("169.254.7.5/16", "169.254.90.6/16"),
        ("fd00:77::5/64", "fd00:77::6/64"),
        ("fe80::77:5/64", "fe80::77:6/64"),
    ],
    ids=["without a router", "without DHCP", "only IPv6", "only link-local IPv6"],
)


@KINDS
def test_a_host_is_found_however_the_network_is(
    house: House, networks: Networks, mine: str, yours: str
) -> None:
    """When it is there already and when it comes later, until it ends."""
    here, there = host_and_guest(networks, mine, yours)
    waiting = Finding(house, there)
    host = Host(house, here)
    (chat,) = waiting.shows("Home")
    address = mine.partition("/")[0]
    assert [each.partition("%")[0] for each in chat["hosts"]] == [address]
    asking = Finding(house, there)
    assert asking.shows("Home") == [chat]
    Guest(house, there, "ada").say(leads_to(chat, host), "hello")
    own = Finding(house, here)  # on the same computer
    assert own.shows("Home")[0]["pin"] == chat["pin"]
    host.child.process.send_signal(signal.SIGTERM)
    for finding in (waiting, asking, own):
        finding.shows()


def test_several_networks_at_once(house: House, networks: Networks) -> None:
    """From each network a host is found by its address there; who is on both sees it once."""
    here, left, right, both = (networks.computer() for _ in range(4))
    for number, there in ((1, left), (2, right)):
        _, (mine, yours, third) = networks.switch(here, there, both)
        here.up(mine, f"10.77.{number}.5/24", f"fd00:{number}::5/64")
        there.up(yours, f"10.77.{number}.6/24")
        both.up(third, f"10.77.{number}.7/24", f"fd00:{number}::7/64")
    host = Host(house, here)
    for number, there in ((1, left), (2, right)):
        (chat,) = Finding(house, there).shows("Home")
        assert chat["hosts"] == [f"10.77.{number}.5"]
        Guest(house, there, f"guest{number}").say(leads_to(chat, host), "hello")
    hosts = {"10.77.1.5", "10.77.2.5", "fd00:1::5", "fd00:2::5"}
    (chat,) = Finding(house, both).until(
        lambda chats: {host for chat in chats for host in chat["hosts"]} == hosts, str(hosts)
    )
    Guest(house, both, "both").say(leads_to(chat, host), "hello")


@pytest.mark.parametrize("kind", ["for containers", "with a router"])
def test_one_of_many_networks_has_the_guests(house: House, networks: Networks, kind: str) -> None:
    """There are more than get sockets: those of virtual machines are left out, or those aside."""
    here, there, aside = (networks.computer() for _ in range(3))
    for computer in (here, there):
        if kind == "for containers":
            computer.containers(MOST_INTERFACES + 1)
        else:
            for number in range(MOST_INTERFACES + 1):
                computer.up(networks.cable(computer, aside), f"10.{number}.0.1/24")
                aside.ip(f"link set eth{networks.cables} up")
    name = networks.cable(here, there)
    here.up(name, "192.168.5.5/24")
    there.up(name, "192.168.5.6/24")
    if kind == "with a router":
        for computer in (here, there):
            computer.ip("route add default via 192.168.5.1")
    Host(house, here)
    (chat,) = Finding(house, there).shows("Home")
    assert chat["hosts"] == ["192.168.5.5"]


def test_a_link_local_address_is_told_with_its_interface(house: House, networks: Networks) -> None:
    """A guest with several links gets to the host by the right one."""
    here, there, other = (networks.computer() for _ in range(3))
    networks.cable(other, there)
    other.up("eth1", "fe80::1/64")
    there.up("eth1", "fe80::77:6/64")
    networks.cable(here, there)
    here.up("eth2", "fe80::77:5/64")
    there.up("eth2", "fe80::77:6/64")
    host = Host(house, here)
    (chat,) = Finding(house, there).shows("Home")
    assert chat["hosts"] == ["fe80::77:5%eth2"]
    Guest(house, there, "ada").say(leads_to(chat, host), "hello")


def test_a_network_that_comes_later(house: House, networks: Networks) -> None:
    """Neither program needs one at its start, and both follow what becomes of their addresses."""
    here, there = host_and_guest(networks)
    host = Host(house, here)
    finding = Finding(house, there)
    there.up("eth1", "10.77.0.6/24", "10.78.0.6/24")
    here.up("eth1", "10.77.0.5/24")
    (chat,) = finding.shows("Home")
    assert chat["hosts"] == ["10.77.0.5"]
    here.ip("addr add 10.78.0.5/24 dev eth1")
    here.ip("addr del 10.77.0.5/24 dev eth1")
    finding.until(lambda chats: chats[0]["hosts"][0] == "10.78.0.5", "the other address")
    Guest(house, there, "ada").say(leads_to(finding.chats[0], host), "hello")
    there.ip("link set eth1 down")
    finding.shows()
    there.ip("link set eth1 up")
    finding.shows("Home")


def test_without_any_route(house: House, networks: Networks) -> None:
    """A host that can't reply to the guest alone replies to the group."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    here.ip("route flush table main")
    there.ip("route flush table main")
    Host(house, here)
    Finding(house, there).shows("Home")


def test_without_ipv6(house: House, networks: Networks) -> None:
    """Where it is switched off, and where the server listens to IPv4 alone."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    here.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    Host(house, here)
    (chat,) = Finding(house, there).shows("Home")
    assert chat["hosts"] == ["10.77.0.5"]


@pytest.mark.parametrize("address", ["10.77.0.7", "fd00:77::7", "fe80::77:7%eth1", "0.0.0.0"])  # noqa: S104 (a computer of the test's own)
def test_an_advert_comes_from_where_the_server_listens(
    house: House, networks: Networks, address: str
) -> None:
    """From one of several addresses of an interface, or of one version of IP."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    here.up("eth1", "10.77.0.7/24", "fd00:77::5/64", "fd00:77::7/64", "fe80::77:7/64")
    there.up("eth1", "fd00:77::6/64", "fe80::77:6/64")
    finding = Finding(house, there)
    host = Host(house, here, "--port", "0", "--host", address)
    (chat,) = finding.shows("Home")
    everywhere = address == "0.0.0.0"  # noqa: S104 (as above)
    assert chat["hosts"] == (["10.77.0.5", "10.77.0.7"] if everywhere else [address])
    assert Finding(house, there).shows("Home") == [chat]
    Guest(house, there, "ada").say(leads_to(chat, host), "hello")


@NEEDS_NFT
def test_a_host_that_gets_no_question_is_heard_when_it_starts(
    house: House, networks: Networks
) -> None:
    """Its firewall drops UDP port 5353; what it announces gets out."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    here.firewall("udp dport 5353 drop")
    finding = Finding(house, there)
    host = Host(house, here)
    (chat,) = finding.shows("Home")
    Guest(house, there, "ada").say(leads_to(chat, host), "hello")


@NEEDS_NFT
def test_a_guest_whose_firewall_lets_in_multicast_dns_alone(
    house: House, networks: Networks
) -> None:
    """As ufw does: replies to the port of the question are dropped, those to the group are not."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    there.firewall("ip daddr 224.0.0.251 udp dport 5353 accept", "meta l4proto udp drop")
    Host(house, here)
    Finding(house, there).shows("Home")


@pytest.mark.parametrize(
    "options", [("SO_REUSEADDR", "SO_REUSEPORT"), ("SO_REUSEADDR",), ("SO_REUSEPORT",), ()]
)
def test_other_programs_have_the_port(
    house: House, networks: Networks, options: tuple[str, ...]
) -> None:
    """A browser or the system's own responder: however they share it, a guest finds the host.

    But one that keeps it for itself on the host's computer makes that impossible; the server runs.
    """
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    for computer in (here, there):
        house.child("other", ["tests.process.port_holder", *options], under=computer.inside).line()
    host = Host(house, here)
    own, finding, second = Finding(house, here), Finding(house, there), Finding(house, there)
    if not options:
        host.child.complaint("multicast DNS can't be used")
        Guest(house, there, "ada").say(host.told["invite"], "hello")
        assert finding.chats == []
        return
    for each in (own, finding, second):
        each.shows("Home")
    host.child.process.send_signal(signal.SIGTERM)
    for each in (own, finding, second):
        each.shows()


def test_a_repeater_between_two_networks(house: House, networks: Networks) -> None:
    """What it repeats comes from its own address; the host's is told in the advert."""
    here, far = networks.computer(), networks.computer()
    router = networks.router(here, far)
    for number, computer in ((1, here), (2, far)):
        computer.up(f"eth{number}", f"10.77.{number}.5/24")
        computer.ip(f"route add default via 10.77.{number}.1")
    repeater = house.child("repeater", ["tests.process.repeater"], under=router.inside)
    repeater.line()
    finding = Finding(house, far)
    host = Host(house, here)
    (chat,) = finding.shows("Home")
    assert chat["hosts"] == ["10.77.2.1", "10.77.1.5"]
    Guest(house, far, "ada").say(leads_to(chat, host), "hello")


@pytest.mark.parametrize("flags", [("--no-discovery",), ("--host", "127.0.0.1")])
def test_a_server_that_is_not_to_be_found_sends_nothing(
    house: House, networks: Networks, flags: tuple[str, ...]
) -> None:
    """Not one packet of multicast DNS, from the start to the end."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    sniffer = house.child("sniffer", ["tests.process.sniffer"], under=there.inside)
    sniffer.line()
    silent = Host(house, here, "--port", "0", *flags)
    silent.child.process.send_signal(signal.SIGTERM)
    assert silent.child.status() == 0
    # The sniffer has seen all of that when it sees what comes after.
    host = Host(house, here, "--port", "0")
    finding = Finding(house, there)
    (chat,) = finding.shows("Home")
    assert chat["port"] == host.invite.port
    wait_until(lambda: PORT in ports(sniffer), "the other server's packets")
    assert ports(sniffer).index(PORT) == 0


def ports(sniffer: Child) -> list[int]:
    """The destination ports of the packets from the host that were seen, in order."""
    packets = [json.loads(line) for line in tuple(sniffer.out)[1:]]
    return [packet["ports"][1] for packet in packets if packet["from"] == "10.77.0.5"]


def test_a_new_name_is_told(house: House, networks: Networks) -> None:
    """As soon as the host chooses it."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    host = Host(house, here)
    finding = Finding(house, there)
    (before,) = finding.shows("Home")
    data = str(host.running_file.parent)
    ctl = house.child(
        "ctl", ["chat_server", "ctl", "rename", "--data-dir", data, "Garden"], under=here.inside
    )
    assert ctl.status() == 0, ctl.transcript()
    (after,) = finding.shows("Garden")
    assert {**after, "name": "Home"} == before


def test_two_of_the_same_name_are_two(house: House, networks: Networks, tmp_path: Path) -> None:
    """Nothing but the certificate tells them apart, and a link leads only to its own."""
    here, there, rogue = (networks.computer() for _ in range(3))
    _, names = networks.switch(here, there, rogue)
    for name, computer, number in zip(names, (here, there, rogue), (5, 6, 66), strict=True):
        computer.up(name, f"10.77.0.{number}/24")
    host = Host(house, here)
    (tmp_path / "rogue").mkdir()
    other = Host(House(tmp_path / "rogue"), rogue)
    house.children.append(other.child)
    found = {chat["hosts"][0]: chat for chat in Finding(house, there).shows("Home", "Home")}
    assert set(found) == {"10.77.0.5", "10.77.0.66"}
    assert found["10.77.0.5"]["pin"] != found["10.77.0.66"]["pin"]
    Guest(house, there, "ada").say(leads_to(found["10.77.0.5"], host), "hello")


def test_a_command_lists_what_is_there(house: House, networks: Networks) -> None:
    """For people and for scripts: what it is called, where it is, and who one is there."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    folder = ("--data-dir", str(house.folder / "ada"))

    def chats(*flags: str) -> Child:
        return house.child("chats", ["chat_client", "chats", *folder, *flags], under=there.inside)

    nothing = chats("--timeout", "0")
    assert nothing.status() == 1
    nothing.complaint("no chat was found: no other device answers here")
    host = Host(house, here)
    port, pin = host.invite.port, host.invite.fingerprint
    assert pin is not None
    found = chats()
    assert found.status() == 0
    words = sign_of(pin).words
    assert found.out == [f"Home\t{words}\t10.77.0.5:{port}"]
    Guest(house, there, "ada").say(host.told["invite"], "hello")
    assert chats().line() == f"Home\t{words}\t10.77.0.5:{port}\tas ada"
    told = json.loads(chats("--json").line())
    assert told == {
        "name": "Home",
        "sign": words,
        "hosts": ["10.77.0.5"],
        "port": port,
        "fingerprint": pin.hex(),
        "accounts": ["ada"],
    }


def test_a_flood_of_adverts_is_bounded(house: House, networks: Networks) -> None:
    """10,000 of them show 64 chats at most, and cost little; a known server stays listed."""
    here, there, forger = (networks.computer() for _ in range(3))
    switch, names = networks.switch(here, there, forger)
    del switch
    for name, computer, number in zip(names, (here, there, forger), (5, 6, 66), strict=True):
        computer.up(name, f"10.77.0.{number}/16")
    host = Host(house, here)
    assert host.invite.fingerprint is not None
    finding = Finding(house, there, host.invite.fingerprint.hex())
    finding.shows("Home")
    before = used(finding.child)
    forging = ["tests.process.forger", "10000", names[2]]
    sent = house.child("forger", forging, under=forger.inside)
    assert sent.status(60) == 0, sent.transcript()
    finding.until(lambda chats: len(chats) == 64, "64 chats")
    after = used(finding.child)
    print("processor s and memory bytes", *zip(before, after, strict=True))  # noqa: T201 (a figure)
    lists = [json.loads(line)["chats"] for line in tuple(finding.child.out)]
    assert max(map(len, lists)) == 64
    assert "Home" in {chat["name"] for chat in lists[-1]}
    assert after[0] - before[0] < 0.3  # with what this program prints
    assert after[1] - before[1] < 2 << 20
    Guest(house, there, "ada").say(host.told["invite"], "hello")


def test_forged_goodbyes_take_nothing_from_the_list(house: House, networks: Networks) -> None:
    """Not even for a moment: the server is asked, and answers."""
    here, there, forger = (networks.computer() for _ in range(3))
    _, names = networks.switch(here, there, forger)
    for name, computer, number in zip(names, (here, there, forger), (5, 6, 66), strict=True):
        computer.up(name, f"10.77.0.{number}/16")
    host = Host(house, here)
    assert host.invite.fingerprint is not None
    finding = Finding(house, there)
    (chat,) = finding.shows("Home")
    told = (host.invite.fingerprint.hex(), "Home", str(host.invite.port), "0")
    forging = ["tests.process.forger", "2000", names[2], *told]
    sent = house.child("forger", forging, under=forger.inside)
    assert sent.status() == 0, sent.transcript()
    # A name that is told after all that: the list has been looked at since.
    data = str(host.running_file.parent)
    ctl = house.child(
        "ctl", ["chat_server", "ctl", "rename", "--data-dir", data, "Garden"], under=here.inside
    )
    assert ctl.status() == 0, ctl.transcript()
    finding.until(lambda chats: [each["name"] for each in chats] == ["Garden"], "the new name")
    lists = [json.loads(line)["chats"] for line in tuple(finding.child.out)]
    first = next(place for place, chats in enumerate(lists) if chats)
    assert all({each["pin"] for each in chats} == {chat["pin"]} for chats in lists[first:])


def used(child: Child) -> tuple[float, int]:
    """Processor time in seconds and memory in bytes of a program."""
    pid = child.process.pid
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return ticks / 100, resident * 4096


def test_nothing_goes_beyond_the_link(house: House, networks: Networks) -> None:
    """With a router at hand, and a neighbour that claims to be far away: no packet to it or to DNS.

    Neither for questions, announcements and replies, nor for what is asked from elsewhere.
    """
    here, there, far = (networks.computer() for _ in range(3))
    router = networks.router(here, far)
    here.up("eth1", "10.77.1.5/24")
    far.up("eth2", "10.77.2.6/24")
    here.ip("route add default via 10.77.1.1")
    far.ip("route add default via 10.77.2.1")
    networks.cable(here, there, "eth3")
    here.up("eth3", "10.77.3.5/24")
    there.up("eth3", "10.77.3.6/24")
    there.ip("route add default via 10.77.3.5")
    here.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth3.rp_filter=0")
    there.ip("addr add 192.0.2.6/32 dev lo")  # as if it were elsewhere
    sniffers = [
        house.child("sniffer", ["tests.process.sniffer"], under=computer.inside)
        for computer in (router, far)
    ]
    for sniffer in sniffers:
        sniffer.line()
    port = Host(house, here).invite.port
    ask = (
        "import socket; from common.domain.dns_sd import *; s = socket.socket(2, 2);"
        "s.bind(('192.0.2.6', 0)); s.setsockopt(0, 32, socket.inet_aton('10.77.3.6'));"
        "[s.sendto(query(SERVICE, 7), ('224.0.0.251', 5353)) for _ in range(9)]"
    )
    there.run("python3", "-c", ask)
    direct = "import socket; from common.domain.dns_sd import *; s = socket.socket(2, 2);"
    far.run("python3", "-c", f"{direct} s.sendto(query(SERVICE, 7), ('10.77.1.5', 5353))")
    nearby, apart = Finding(house, there), Finding(house, far)
    nearby.shows("Home")
    # What is asked beyond the router is not answered: what the far one asked has been seen by the
    # router, from which this gets to the host.
    wait_until(lambda: any("10.77.2.6" in line for line in sniffers[0].out), "the far question")
    router.run("python3", "-c", f"import socket; socket.create_connection(('10.77.1.5', {port}))")
    assert apart.chats == []
    seen = [json.loads(line) for sniffer in sniffers for line in tuple(sniffer.out)[1:]]
    assert seen
    for packet in seen:
        assert 53 not in packet["ports"]
        is_question_of_the_test = packet["to"] == "10.77.1.5"
        if PORT in packet["ports"] and not is_question_of_the_test:
            assert packet["to"] in GROUPS.values(), packet
            assert ip_address(packet["from"]).is_private
