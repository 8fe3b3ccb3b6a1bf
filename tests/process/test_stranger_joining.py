"""What docs/protocol.md says of joining, kept to a client that was written from it alone."""

import ast
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from common.domain.invite import parse_invite
from tests.process.harness import House, Server
from tests.process.networks import Networks
from tests.process.stranger import EndedError, RefusedError, Stranger
from tests.process.stranger_joining import Guest
from tests.process.test_moderation import ctl, done, objects

Guests = Callable[..., Guest]


@pytest.fixture
def guest(server: Server) -> Iterator[Guests]:
    """Make guests who have greeted the server, and know its address alone."""
    made: list[Guest] = []

    def make(username: str, display_name: str = "") -> Guest:
        port = parse_invite(server.invite).port
        stranger = Guest("127.0.0.1", port, username, display_name)
        stranger.installation = secrets.token_hex(16)
        made.append(stranger)
        stranger.connect()
        return stranger

    yield make
    for stranger in made:
        stranger.hang_up()


@pytest.fixture
def stranger() -> Iterator[Callable[..., Stranger]]:
    """Make strangers with a link."""
    made: list[Stranger] = []

    def make(invite: str, username: str, display_name: str = "") -> Stranger:
        made.append(Stranger(invite, username, display_name))
        return made[-1]

    yield make
    for each in made:
        each.hang_up()


def code_of(house: House, server: Server, *arguments: str) -> str:
    """The code that the host reads out."""
    child = ctl(house, server, "code", *arguments)
    assert child.status() == 0, child.transcript()
    return child.out[0].split()[0]


def test_it_knows_nothing_of_the_project() -> None:
    """It imports the standard library and the other stranger, who does the same."""
    tree = ast.parse(Path(__file__).with_name("stranger_joining.py").read_text("utf-8"))
    imported = {node.module or "?" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    imported |= {alias.name for node in named for alias in node.names}
    assert {each for each in imported if each.partition(".")[0] not in sys.stdlib_module_names} == {
        "tests.process.stranger"
    }


def test_a_guest_asks_and_is_let_in(house: House, server: Server, guest: Guests) -> None:
    """With the digits that the host sees; and takes it back, and is refused."""
    bruno = guest("bruno", "Bruno Okafor")
    bruno.knock()
    bruno.ask("withdraw")
    assert objects(house, server, "requests") == []
    digits = bruno.knock()
    (request,) = objects(house, server, "requests")
    assert (request["username"], request["digits"]) == ("bruno", digits)
    done(house, server, "admit", str(request["request"]))
    assert bruno.wait_for_answer() == "admitted"
    bruno.join()
    assert bruno.display_name == "Bruno Okafor"
    eve = guest("eve")
    eve.knock()
    (request,) = objects(house, server, "requests")
    done(house, server, "deny", str(request["request"]))
    assert eve.wait_for_answer() == "refused"
    with pytest.raises(RefusedError, match="rate_limited"):
        eve.knock()


def test_a_guest_types_a_code(house: House, server: Server, guest: Guests) -> None:
    """A wrong one first; and one more device, which signs in as its person."""
    dan = guest("dan")
    code = code_of(house, server)
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    with pytest.raises(RefusedError, match="bad_code") as refused:
        dan.prove(wrong)
    assert refused.value.error["params"] == {"left": 4}
    dan.prove(f" {code.lower()} ".replace("0", "o"))
    dan.join()
    phone = guest("somebody", "Somebody")
    phone.prove(code_of(house, server, "show", "--username", "dan"))
    phone.join()
    assert (phone.username, phone.display_name) == ("dan", "dan")


def test_a_person_has_devices_and_a_name(
    house: House, server: Server, guest: Guests, stranger: Callable[..., Stranger]
) -> None:
    """By a link of their own; one is signed out, the name changes, and the account goes."""
    ada = stranger(server.invite, "ada", "Ada")
    ada.come_in()
    told = list[dict[str, object]]()
    ada._takers["device_added"] = told.append
    phone = stranger(ada.ask("add_device")["link"], "whoever")
    phone.come_in()
    assert (phone.username, phone.display_name) == ("ada", "Ada")
    ada.until(lambda: told)
    devices = ada.ask("list_devices")["devices"]
    assert [each["current"] for each in devices].count(True) == 1
    ada.ask("rename_me", display_name="Ada L.")
    phone.until(lambda: phone.people["ada"]["display_name"] == "Ada L.")
    (other,) = [each["device"] for each in devices if not each["current"]]
    ada.ask("remove_device", device=other)
    assert phone.line.end() == "device_removed"
    ada.say("general", "soon gone")
    bruno = guest("bruno")
    bruno.prove(code_of(house, server))
    bruno.join()
    ada.ask("delete_me", messages="remove")
    assert ada.line.end() == "account_deleted"
    page = bruno.ask("history", room="general", count=50)["events"]
    mine = [each["kind"] for each in page if each["sender"] == "ada"]
    assert mine == ["join", "removed", "account_deleted"]
    with suppress(EndedError), pytest.raises(RefusedError, match="account_deleted"):
        ada.come_in()


@pytest.mark.parametrize(
    ("rule", "codes"),
    [
        ("invite", {"join": "invite_needed", "knock": "invite_needed", "link": "in"}),
        ("ask", {"join": "invite_needed", "knock": "in", "link": "ask_first"}),
        ("open", {"join": "in", "knock": "in", "link": "in"}),
    ],
)
def test_who_may_join(
    house: House, server: Server, guest: Guests, rule: str, codes: dict[str, str]
) -> None:
    """Each rule is told in the welcome, and refuses as the page says."""
    done(house, server, "joining", rule)

    def outcome(way: str) -> str:
        stranger = guest(f"{way}{rule}")
        assert stranger.welcome["joining"] == rule
        secret = parse_invite(server.invite).secret if way == "link" else None
        fields = {"username": stranger.username, "display_name": way, "token": stranger.token}
        try:
            if way == "knock":
                stranger.knock()
            else:
                stranger.ask(
                    "join", secret=secret, device="x", installation=stranger.installation, **fields
                )
        except RefusedError as refused:
            return refused.code
        return "in"

    assert {way: outcome(way) for way in codes} == codes


def test_a_server_is_found(house: House, networks: Networks) -> None:
    """By the packets of the page alone, from another computer; it is asked there."""
    from tests.process.host_and_guest import Host, host_and_guest

    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    pin = Host(house, here).invite.fingerprint
    assert pin is not None
    code = (
        "import sys; from tests.process.stranger_joining import *;"
        "found = find(bytes.fromhex(sys.argv[1]), '10.77.0.6', 10);"
        "guest = Guest(found.host, found.port, 'ada');"
        "print(found.name, guest.connect()['server_name'], guest.line.fingerprint.hex())"
    )
    said = there.run(sys.executable, "-c", code, pin.hex())
    assert said.split() == ["Home", "Home", pin.hex()]
