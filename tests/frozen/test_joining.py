"""Joining with the frozen programs: a host and a guest, each on a computer of their own.

Nothing is typed but what is said, and every click is counted.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from common.ui.look.palette import LIGHT
from tests.frozen.conftest import Bundle, user_of_tests
from tests.frozen.person import Person, command_on, wait_for
from tests.frozen.screen import Screen, Window
from tests.process import networks as module
from tests.process.networks import Computer, in_place_of, some_networks

if WHY_NOT := module.why_not():
    pytest.skip(WHY_NOT, allow_module_level=True)


_BESIDE: Final = 40
"""From a button to the middle of the next one, px."""


def an_account(computer: Computer, public: Path, login: str, full_name: str) -> Person:
    """Somebody with a new account on a computer, known there by their full name."""
    user = user_of_tests()
    home = Path(tempfile.mkdtemp(prefix=f"home-{login}-", dir=public))
    number = user or 0  # as whom the tests run is root on that computer
    entry = f"{login}:x:{number}:{number}:{full_name},,,:{home}:/bin/sh\n"
    in_place_of(computer, "/etc/passwd", entry, home)
    return Person(home, user, command_on(computer, user))


class Both(NamedTuple):
    """A host and a guest."""

    host: Person
    guest: Person


@pytest.fixture
def both(public: Path) -> Iterator[Both]:
    """Two people with empty homes, on two computers with a cable between them."""
    with some_networks() as networks:
        computers = networks.computer(), networks.computer()
        cable = networks.cable(*computers)
        computers[0].run("sysctl", "-qw", "kernel.hostname=harbour")
        for number, computer in enumerate(computers, 1):
            computer.up(cable, f"10.77.0.{number}/24")
        host = an_account(computers[0], public, "bruno", "Bruno")
        guest = an_account(computers[1], public, "ada", "Ada Lovelace")
        try:
            yield Both(host, guest)
        finally:
            guest.leave()
            host.leave()


def start_host(bundle: Bundle, person: Person, screen: Screen, form: str) -> Window:
    """Double-click ChatServer. It asks nothing: it shows how to invite people."""
    person.start(bundle.program("ChatServer", form), console=False)
    window = screen.window("^harbour.*ChatServer$")
    window.button(LIGHT.primary, "the button that copies the link")
    assert len(screen.titles()) == 1
    return window


def start_guest(bundle: Bundle, person: Person, screen: Screen, form: str) -> Window:
    """Double-click ChatClient, and wait until the chat is listed; as the only one, it is chosen."""
    person.start(bundle.program("ChatClient", form), console=False)
    window = screen.window("^ChatClient$")
    window.button(LIGHT.primary, "the button that asks to join")
    assert len(screen.titles()) == 2
    return window


def say(window: Window, host: Person, text: str) -> None:
    """Say something; the server stores it."""
    window.write_here()
    window.type(text)
    window.key("Return")
    folder = host.home / ".local/share/ChatServer"
    wait_for(
        lambda: any(text.encode() in path.read_bytes() for path in folder.glob("chat.db*")),
        "the message in the server's database",
    )


def ask_server(bundle: Bundle, host: Person, *verb: str) -> list[dict[str, Any]]:
    """What the server tells its host's command line."""
    status, said = host.run(bundle.program("ChatServer", "folder"), "ctl", *verb, "--json")
    assert status == 0, said
    return [json.loads(line) for line in said.splitlines()]


def invites_used(bundle: Bundle, host: Person) -> list[str]:
    """By what people have joined."""
    return [each["kind"] for each in ask_server(bundle, host, "invites", "--all") if each["uses"]]


def end(people: Both, *windows: Window) -> None:
    """Close the windows; nothing of the programs stays."""
    for window in windows:
        window.quit()
    for person in people:
        wait_for(partial(_has_ended, person), "the end of every process")
        assert not list(person.temporary.iterdir())


def _has_ended(person: Person) -> bool:
    return not person.processes()


def test_asking_to_join(bundle: Bundle, both: Both, screen: Screen) -> None:
    """Two double-clicks, one click of the guest and one of the host; nothing is asked or typed."""
    server = start_host(bundle, both.host, screen, "folder")
    began = time.monotonic()
    window = start_guest(bundle, both.guest, screen, "folder")
    listed = time.monotonic()
    window.click(window.button(LIGHT.primary, "the button that asks to join").middle)
    asked = time.monotonic()
    # The button that copies the link is below it.
    server.click(server.button(LIGHT.primary, "the button that lets in", among=2).middle)
    window.titled("general")
    there = time.monotonic()
    assert screen.clicks == 2
    assert len(screen.titles()) == 2
    say(window, both.host, "nobody typed an address")
    [person] = ask_server(bundle, both.host, "people")
    assert (person["display_name"], person["username"]) == ("Ada Lovelace", "ada.lovelace")
    assert invites_used(bundle, both.host) == ["knock"]
    end(both, window, server)
    logging.getLogger(__name__).info(
        "From the guest's double-click: listed after %.1f s, asked after %.1f s, in after %.1f s",
        *(moment - began for moment in (listed, asked, there)),
    )


def test_a_spoken_code(bundle: Bundle, both: Both, screen: Screen) -> None:
    """The host has a code shown by one click; the guest chooses to have one, and types it."""
    server = start_host(bundle, both.host, screen, "file")
    copy = server.button(LIGHT.primary, "the button that copies the link")
    server.click((copy.left + copy.width + _BESIDE, copy.middle[1]))
    wait_for(
        lambda: server.button(LIGHT.primary, "the same, lower").top > copy.top, "the code above it"
    )
    [shown] = ask_server(bundle, both.host, "code")
    window = start_guest(bundle, both.guest, screen, "file")
    ask = window.button(LIGHT.primary, "the button that asks to join")
    # Below that button the other ways in stand side by side, this one first.
    links = window.find(LIGHT.link)
    window.click(min((x, y) for x, y in links if x > ask.left and y > ask.middle[1]))
    wait_for(
        lambda: window.button(LIGHT.primary, "the same, lower").top > ask.top, "slots for the code"
    )
    window.type(shown["code"].lower())
    window.key("Return")
    window.titled("general")
    assert screen.clicks == 2
    say(window, both.host, "it was only said aloud")
    assert invites_used(bundle, both.host) == ["code"]
    end(both, window, server)


def test_hosting_from_the_client(bundle: Bundle, person: Person, screen: Screen) -> None:
    """Where nobody hosts: ChatServer from the same folder, whose chat is then the one to join."""
    client = person.start(bundle.program("ChatClient", "file"), "--theme", "light")
    window = screen.window("^ChatClient$")
    # It is the first one of the two buttons that come with the reason why there is no chat.
    window.click_until(
        lambda: bool(screen.windows("ChatServer$")), LIGHT.button_border, "the button “Host here”"
    )
    server = screen.window("ChatServer$")
    window.button(LIGHT.primary, "the button that joins")
    window.type("Bruno")
    window.key("Return")
    say(window.titled("general"), person, "the first word here")
    assert [each["username"] for each in ask_server(bundle, person, "people")] == ["bruno"]
    window.quit()
    assert client.ended() == 0, client.said
    server.quit()
    wait_for(partial(_has_ended, person), "the end of every process")
    assert not list(person.temporary.iterdir())
