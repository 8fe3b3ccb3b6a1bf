"""Somebody without a link, at the window of one computer; the host is another one on its network.

Real programs, real keys, and a network between them. The host answers from the command line.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any, Final

import pytest
from PIL import ImageGrab

from common.domain.invite import Invite
from common.domain.sign import sign_of
from common.ui.look.palette import LIGHT, rgb
from tests.process.desk import Desk, environment_of
from tests.process.harness import Child, House, wait_until
from tests.process.host_and_guest import Host, host_and_guest
from tests.process.networks import Computer, Networks

_BUTTON: Final = 4000
"""Pixels of the colour that only the button of a way in has; it has four times as many."""

_BORDERS: Final = 600
"""The same of the borders of two buttons."""
_BADGE: Final = 800
"""The same of a badge's ground, which has twice as many."""


class Guest:
    """Somebody at the window of ChatClient, with an empty home."""

    def __init__(self, house: House, display: str, computer: Computer) -> None:
        home = house.folder / "home"
        home.mkdir()
        self._display = display
        self._desk = Desk(environment_of(display, f"unix:path={home}/nobody", home))
        self.program: Child = house.child(
            "window",
            ["chat_client", "--theme", "light"],
            environment=self._desk.environment,
            under=computer.inside,
        )
        self._window = ""
        wait_until(self._is_there, "the window")
        self._desk.ask("xdotool", "windowactivate", "--sync", self._window)

    def _is_there(self) -> bool:
        found = self._desk.ask("xdotool", "search", "--onlyvisible", "--name", "ChatClient$")
        self._window = found.split()[0] if found else ""
        return bool(found)

    def sees_button(self) -> bool:
        """Whether there is a way in: the button is on the screen."""
        return self._pixels(LIGHT.primary, LIGHT.primary_hover) > _BUTTON

    def sees(self, invite: Invite) -> bool:
        """Whether a chat's badge is on the screen, in the colour of its sign."""
        return self._pixels(sign_of(invite.fingerprint or b"").colour) > _BADGE

    def says_nothing_was_found(self) -> bool:
        """Whether the two buttons are there that come with the reason: their borders are."""
        return self._pixels(LIGHT.button_border) > _BORDERS

    def _pixels(self, *colours: str) -> int:
        picture = ImageGrab.grab(xdisplay=self._display).convert("RGB")
        wanted = set(map(rgb, colours))
        counts = picture.getcolors(1 << 24) or []
        return sum(count for count, colour in counts if colour in wanted)

    def type(self, text: str) -> None:
        """Type a text into what has the keyboard."""
        self._desk.ask("xdotool", "type", "--delay", "20", text)

    def press(self, *keys: str) -> None:
        """Press keys."""
        self._desk.ask("xdotool", "key", "--delay", "20", *keys)

    def is_in(self, title: str) -> bool:
        """Whether the window's title begins so."""
        return self._desk.ask("xdotool", "getwindowname", self._window).startswith(title)

    def close(self) -> None:
        """Close the window; the program ends well."""
        self.press("alt+F4")
        assert self.program.status() == 0, self.program.transcript()
        self._desk.end()


def ctl(house: House, computer: Computer, *words: str) -> str:
    """What the host's command line says."""
    command = (sys.executable, "-m", "chat_server", "ctl", *words)
    return computer.run(*command, "--data-dir", str(house.folder / "host"))


def requests(house: House, computer: Computer) -> list[dict[str, Any]]:
    """Who asks to join."""
    return [json.loads(line) for line in ctl(house, computer, "requests", "--json").splitlines()]


@pytest.fixture(autouse=True)
def _tools() -> None:
    for tool in ("xdotool", "xwininfo"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


@pytest.mark.parametrize(
    ("mine", "yours"),
    [("10.77.0.5/24", "10.77.0.6/24"), ("fe80::77:5/64", "fe80::77:6/64")],
    ids=["IPv4", "only link-local IPv6"],
)
def test_a_guest_asks_and_is_let_in(
    house: House, networks: Networks, display: str, mine: str, yours: str
) -> None:
    """The chat is there by itself; a name and Return are all there is to do."""
    here, there = host_and_guest(networks, mine, yours)
    Host(house, here)
    guest = Guest(house, display, there)
    wait_until(guest.sees_button, "the chat")
    guest.type("Mira Novak")
    guest.press("Return")
    wait_until(lambda: requests(house, here), "the request")
    (request,) = requests(house, here)
    assert (request["username"], request["display_name"]) == ("mira.novak", "Mira Novak")
    assert request["address"].partition("%")[0] == yours.partition("/")[0]
    ctl(house, here, "admit", str(request["request"]))
    wait_until(lambda: guest.is_in("general — Home"), "the conversation")
    guest.close()


def test_a_host_who_comes_later_reads_out_a_code(
    house: House, networks: Networks, display: str
) -> None:
    """The window waits for a chat, and takes the code in small letters and with a space."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    guest = Guest(house, display, there)
    assert not guest.sees_button()
    Host(house, here)
    wait_until(guest.sees_button, "the chat")
    guest.type("Mira Novak")
    # Past the username and the button to the first of the other ways.
    guest.press("Tab", "Tab", "Tab", "space")
    code = ctl(house, here, "code").split()[0]
    guest.type(code.replace("-", " ").lower().replace("0", "o"))
    guest.press("Return")
    wait_until(lambda: guest.is_in("general — Home"), "the conversation")
    guest.close()


@pytest.mark.parametrize(
    ("mine", "yours"),
    [("10.77.0.5/24", "10.77.0.6/24"), ("fe80::77:5/64", "fe80::77:6/64")],
    ids=["IPv4", "link-local IPv6, without a zone"],
)
def test_a_chat_that_is_not_found_is_joined_by_its_address(
    house: House, networks: Networks, display: str, mine: str, yours: str
) -> None:
    """As the host's window shows it."""
    here, there = host_and_guest(networks, mine, yours)
    host = Host(house, here, "--port", "0", "--no-discovery")
    guest = Guest(house, display, there)
    # From the list past the buttons to host and to type an address: both are there by then.
    wait_until(guest.says_nothing_was_found, "the buttons")
    guest.press("Tab", "Tab", "space")
    wait_until(guest.sees_button, "the address's button")
    guest.type(f"{mine.partition('/')[0]}, port {host.invite.port}")
    guest.press("Return")
    wait_until(lambda: guest.sees(host.invite), "the chat")
    guest.type("Mira")
    guest.press("Return")
    wait_until(lambda: requests(house, here), "the request")
    ctl(house, here, "admit", str(requests(house, here)[0]["request"]))
    wait_until(lambda: guest.is_in("general — Home"), "the conversation")
    guest.close()


def test_closing_the_window_takes_the_request_back(
    house: House, networks: Networks, display: str
) -> None:
    """Nobody is let in who is not there any more."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    Host(house, here)
    guest = Guest(house, display, there)
    wait_until(guest.sees_button, "the chat")
    guest.type("Mira")
    guest.press("Return")
    wait_until(lambda: requests(house, here), "the request")
    guest.close()
    wait_until(lambda: not requests(house, here), "the end of the request")
