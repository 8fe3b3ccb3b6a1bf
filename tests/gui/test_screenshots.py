"""Pictures of every screen: none may be blank, and those of README and guide are drawn here.

CHAT_SCREENSHOTS names a folder to save them in. In docs/images only those go that the pages
show; `python dev.py screenshots` does that.
"""

from __future__ import annotations

import json
import os
import time
import tkinter as tk
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from PIL import Image, ImageGrab

from chat_client.options import Options
from chat_client.state.discovery import FoundChat
from chat_client.state.status import Link
from chat_client.window.join.ways import Way
from chat_server.ready_file import Running
from chat_server.rules.view import ClientSignedIn, ViewEvent
from chat_server.window.model import Page
from chat_server.window.presenter import Presenter
from chat_server.window.server_thread import ServerThread
from common.desktop.notifier import Code, Found, NotifierState
from common.domain.invite import parse_invite
from common.domain.reasons import Reason
from common.protocol.messages import InviteFacts, JoinRequest
from common.system.other_program import Launch
from tests.events import message
from tests.gui.client.test_not_understood import happen
from tests.gui.harness import DEADLINE, Host, HostWindow, Town, Window, settle, wait
from tests.gui.layout import grounds_of
from tests.gui.network import QuietNetwork, SilentNetwork

SHOWN: Final = {
    # In the README.
    *("client-light", "client-dark", "host-light", "join-light"),
    # In docs/guide.md.
    *("guide-waiting", "guide-code", "guide-nothing", "guide-other"),
    *("guide-request", "guide-shown-code", "guide-invites"),
}
MOST_BYTES: Final = 80_000
FEWEST_COLOURS: Final = 60
"""A blank window has one, a window without text a handful."""

TODAY_IS: Final = date.today()  # noqa: DTZ011 (the day that people here have)
MODES = pytest.mark.parametrize("mode", ["light", "dark"])
PEOPLE: Final = {
    # Name → device, address (RFC 5737), when they came.
    "Dana Petrova": ("Windows", "192.0.2.77", "08:30"),
    "Ada Lindqvist": ("Linux", "192.0.2.21", "08:41"),
    "Bruno Okafor": ("Windows", "192.0.2.34", "08:47"),
    "Chen Wei": ("macOS", "192.0.2.52", "08:58"),
    "Mira Novak": ("Linux", "192.0.2.60", "09:05"),
}
YESTERDAY: Final = (
    ("Dana Petrova", "16:52", "The new access points are up. Second floor, too."),
    ("Dana Petrova", "16:53", "Notes are on https://wiki.harbour.example/network/floor-2"),
    ("Bruno Okafor", "16:58", "Nice 👍🏽 I'll try it tomorrow from the far corner."),
)
TODAY: Final = (
    ("Bruno Okafor", "09:12", "Morning! Sitting in the far corner now, and it holds."),
    ("Bruno Okafor", "09:14", "Does the chat survive a laptop that sleeps, or do I miss things?"),
    (
        "Chen Wei",
        "09:16",
        "It does. I closed the lid over lunch, and when I opened it everything was there.",
    ),
    ("Mira Novak", "09:21", "Same here. What I wrote on the train went out by itself later 🚆"),
    ("Ada Lindqvist", "09:24", "Great. Then we move the stand-up here:\n10:00, room general"),
    ("Chen Wei", "09:25", "@Ada Lindqvist Looks good to me 😀"),
)


class Clock:
    """What is said was said when the script says."""

    def __init__(self) -> None:
        self.now = 0

    def set(self, day: date, at: str) -> None:
        """Make it a time of a day."""
        moment = datetime.combine(day, time_of_day.fromisoformat(at)).astimezone()
        self.now = round(moment.timestamp() * 1000)

    def time_ns(self) -> int:
        """As time.time_ns."""
        return self.now * 1_000_000

    def __getattr__(self, name: str) -> Any:
        """All else is the real one's."""
        return getattr(time, name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all servers and clients in this process."""
    clock = Clock()
    clock.set(TODAY_IS, "08:00")
    monkeypatch.setattr("chat_server.hub.batch.time", clock)
    monkeypatch.setattr("chat_server.hub.hub.time", clock)
    monkeypatch.setattr("chat_client.core.time", clock)
    return clock


def take(window: Window | HostWindow, name: str, of: tk.Toplevel | None = None) -> None:
    """Take a picture once nothing moves any more; it must show something. Perhaps save it.

    It is one `of` another window of the program than its main one.
    """
    root = of or window.root
    if root.tk.call("tk", "windowingsystem") != "x11":
        pytest.skip("pictures are taken from an X server")
    pictures: list[Image.Image] = []
    settle(root)

    def rests() -> bool:
        settle(root)
        x, y = root.winfo_rootx(), root.winfo_rooty()
        box = (x, y, x + root.winfo_width(), y + root.winfo_height())
        pictures.append(ImageGrab.grab(box, xdisplay=os.environ["DISPLAY"]).convert("RGB"))
        return len(pictures) > 2 and pictures[-1].tobytes() == pictures[-3].tobytes()

    wait(root, rests, "the window to rest", DEADLINE)
    assert not grounds_of("light" if window.program.theme.mode == "dark" else "dark", root)
    picture = pictures[-1]
    colours = picture.getcolors(1 << 24)
    assert colours is not None
    assert len(colours) >= FEWEST_COLOURS
    folder = os.environ.get("CHAT_SCREENSHOTS")
    if folder and (name in SHOWN or Path(folder).parts[-2:] != ("docs", "images")):
        save(picture, Path(folder) / f"{name}.png")


def save(picture: Image.Image, path: Path) -> None:
    """With a palette: small enough for a repository, and no difference to be seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES


def chat(town: Town, host: Host, clock: Clock) -> Window:
    """Ada's window after the script, in which the others are peers."""
    clock.set(TODAY_IS - timedelta(days=1), "16:40")
    names = PEOPLE.keys() - {"Ada Lindqvist"}
    peers = {name: town.peer(host, name) for name in sorted(names)}
    for name, at, text in YESTERDAY:
        clock.set(TODAY_IS - timedelta(days=1), at)
        peers[name].say(text)
    peers["Dana Petrova"].stop()
    window = town.member(host, "Ada Lindqvist")
    for name, at, text in TODAY:
        clock.set(TODAY_IS, at)
        if name in peers:
            peers[name].say(text)
        else:
            says(window, text)
    clock.set(TODAY_IS, "09:27")
    peers["Mira Novak"].say("Lunch?", "At one?", room="dm:ada.lindqvist:mira.novak")
    window.wait(lambda: "(2)" in window.title, "Mira's messages")
    window.wait(lambda: "Looks good" in window.said, "the last word")
    window.resize(1180, 760)
    window.focus(window.composer)
    return window


def says(window: Window, text: str) -> None:
    """The window's own message, after those that were said before it, and in its room."""
    window.wait(lambda: "on the train" in window.said, "the talk so far")
    window.main._session.core.send("general", *message(text))
    window.wait(
        lambda: text in window.said and not window.main.connection.waiting, "one's own message"
    )


@MODES
def test_the_main_screen(town: Town, host: Host, clock: Clock, mode: str) -> None:
    """A conversation over two days; then without a connection."""
    window = chat(town, host, clock)
    window.program.theme.switch("dark" if mode == "dark" else "light")
    take(window, f"client-{mode}")
    host.stop()
    window.wait(lambda: window.link is Link.PAUSED, "the end")
    window.say("See you at ten then")
    window.wait(lambda: window.main.connection.waiting == 1, "it to wait")
    # The countdown stands still for the picture.
    window.main.connection.status = replace(
        window.main.connection.status, retry_at=time.monotonic() + 11.4
    )
    window.main._show_state()
    if window.main.connection._countdown is not None:
        window.main.view.after_cancel(window.main.connection._countdown)
    take(window, f"offline-{mode}")


@MODES
@pytest.mark.parametrize("page", ["Notifications", "Looks"])
def test_the_settings(town: Town, host: Host, mode: str, page: str) -> None:
    """Each page, as it is at first."""
    window = town.member(host, "Ada Lindqvist")
    window.screens.settings.set("looks", "theme", value=mode)
    window.screens.notifications.desktop._take(
        [Found(NotifierState(Code.AVAILABLE, "dunst", actions=True))]
    )
    window.screens.show_settings(page)
    settings = window.screens.settings_window
    assert settings is not None
    window.wait(settings.window.winfo_viewable, "the settings")
    take(window, f"settings-{page.lower()}-{mode}", settings.window)


@MODES
def test_what_is_not_understood(town: Town, host: Host, clock: Clock, mode: str) -> None:
    """A quiet line among the messages, as that of somebody who joined."""
    window = chat(town, host, clock)
    window.program.theme.switch("dark" if mode == "dark" else "light")
    happen(host, ("poll", {"question": "Lunch?"}), ("message", {"parts": []}))
    window.main.view.connect()
    window.online()
    window.wait(lambda: window.said.count("newer ChatClient") == 2, "both lines")
    says(window, "What was that?")
    take(window, f"not-understood-{mode}")


PORT: Final = 12345
HARBOUR: Final = FoundChat(bytes([45]) * 32, "Harbour Team", ("192.0.2.10",), PORT, 0.0)
STUDIO: Final = FoundChat(bytes([29]) * 32, "Studio North", ("192.0.2.31",), PORT, 0.0)
OTHER: Final = FoundChat(bytes([28]) * 32, "Harbour Team", ("192.0.2.44",), PORT, 0.0)


@pytest.fixture
def network(town: Town, monkeypatch: pytest.MonkeyPatch) -> type[QuietNetwork]:
    """A network of documentation addresses (RFC 5737), on which the host's chat and another are."""

    class Network(SilentNetwork):
        chats = (HARBOUR, STUDIO)

    del town  # it has a network of its own, which this one replaces
    monkeypatch.setattr("chat_client.window.screens.Network", Network)
    monkeypatch.setattr("chat_client.window.join.search.PATIENCE", 1)
    return Network


def guest(town: Town, mode: Literal["light", "dark"], data_dir: Path | None = None) -> Window:
    """The window of somebody who looks for a chat and is called Mira."""
    window = town.window(data_dir=data_dir, options=Options(theme=mode, new_window=True))
    window.resize(760, 560)
    window.join.column.names.name.value = "Mira Novak"
    return window


def choose(window: Window, chat: FoundChat) -> None:
    """Click on a chat that was found."""
    window.click_row(window.join.list.rows, f"found:{chat.fingerprint.hex()}")
    window.wait(lambda: window.join.model.attempt.rule, "its rule")


@MODES
@pytest.mark.usefixtures("network")
def test_the_join_screen(town: Town, mode: Literal["light", "dark"]) -> None:
    """With what was found, before the host is asked; and while that is waited for."""
    window = guest(town, mode)
    choose(window, HARBOUR)
    window.focus(window.join.column.names.name.entry)
    take(window, f"join-{mode}")
    window.key("<Return>")
    window.wait(lambda: window.join.model.attempt.digits, "the digits")
    window.join.column.actions.spinner.stop()
    take(window, "guide-waiting" if mode == "light" else "waiting-dark")


@MODES
@pytest.mark.usefixtures("network")
def test_a_spoken_code(town: Town, mode: Literal["light", "dark"]) -> None:
    """While it is typed."""
    window = guest(town, mode)
    choose(window, HARBOUR)
    window.turn(Way.CODE)
    window.type("k7q29", window.join.column.code.slots)
    take(window, "guide-code" if mode == "light" else "code-dark")


@MODES
def test_nothing_was_found(
    town: Town,
    network: type[QuietNetwork],
    mode: Literal["light", "dark"],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the reason, and what can be done."""
    command = Launch(("ChatServer",))
    monkeypatch.setattr("chat_client.window.screens.find_server", lambda: command)
    network.chats = ()
    network.reasons = (Reason("only_router_answers"),)
    window = guest(town, mode)
    window.wait(window.join.column.searching.causes.winfo_viewable, "the cause")
    window.join.list.spinner.stop()
    take(window, "guide-nothing" if mode == "light" else "nothing-dark")


@MODES
def test_a_chat_with_a_known_name(
    town: Town, host: Host, network: type[QuietNetwork], mode: Literal["light", "dark"]
) -> None:
    """Another server than the known one, which is on."""
    member = town.member(host, "Mira Novak")
    folder = member.program.data_dir
    path = next((folder / "accounts").glob("*/account.json"))
    member.close()
    account = json.loads(path.read_bytes())
    invite = replace(parse_invite(account["invite"]), fingerprint=HARBOUR.fingerprint)
    path.write_text(json.dumps({**account, "invite": invite.link()}))
    network.chats = (HARBOUR, STUDIO, OTHER)
    window = guest(town, mode, folder)
    choose(window, OTHER)
    take(window, "guide-other" if mode == "light" else "other-dark")


@pytest.fixture
def host_window(
    town: Town, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HostWindow]:
    """The host's window, on a network of documentation addresses, at the script's time."""
    del town
    show, started, changed = ServerThread._show, Presenter.started, Presenter.changed

    def placed(server_thread: ServerThread, events: Sequence[ViewEvent]) -> None:
        show(server_thread, [_placed(event) for event in events])

    def there(running: Running) -> Running:
        invite = replace(parse_invite(running.invite), hosts=("192.0.2.10",), port=12345)
        return replace(
            running, addresses=invite.hosts, port=12345, invite=invite.link(),
            # The same sign as on the pictures of guests.
            fingerprint=HARBOUR.fingerprint.hex(),
        )  # fmt: skip

    def started_there(presenter: Presenter, running: Running, now: int) -> None:
        started(presenter, there(running), now)

    def changed_there(presenter: Presenter, running: Running, now: int) -> None:
        changed(presenter, there(running), now)

    monkeypatch.setattr(ServerThread, "_show", placed)
    monkeypatch.setattr(Presenter, "started", started_there)
    monkeypatch.setattr(Presenter, "changed", changed_there)
    monkeypatch.setattr("chat_server.window.host._now", lambda: clock.now)
    clock.set(TODAY_IS, "08:12")
    window = HostWindow(tmp_path / "host")
    yield window
    window.close()


def _placed(event: ViewEvent) -> ViewEvent:
    if not isinstance(event, ClientSignedIn) or event.display_name not in PEOPLE:
        return event
    device, address, at = PEOPLE[event.display_name]
    clock = Clock()
    clock.set(TODAY_IS, at)
    return replace(event, device=device, address=address, since=clock.now)


@MODES
def test_the_hosts_window(town: Town, host_window: HostWindow, clock: Clock, mode: str) -> None:
    """With nobody there, and with people."""
    host_window.program.theme.switch("dark" if mode == "dark" else "light")
    take(host_window, f"host-empty-{mode}")
    peers = {}
    for name in PEOPLE:
        clock.set(TODAY_IS, PEOPLE[name][2])
        peers[name] = town.peer_of(host_window.invite, name)
    for name, at, text in TODAY:
        clock.set(TODAY_IS, at)
        peers[name].say(text)
    peers["Dana Petrova"].stop()
    host_window.wait(lambda: host_window.names == PEOPLE.keys() - {"Dana Petrova"}, "Dana to go")
    clock.set(TODAY_IS, "09:25:20")
    rows = host_window.app.frame.connections.people
    host_window.wait(
        lambda: all(row.received and row.sent for row in rows._rows.values()), "the traffic"
    )
    host_window.app.show()
    take(host_window, f"host-{mode}")


@MODES
def test_how_people_join_the_host(host_window: HostWindow, clock: Clock, mode: str) -> None:
    """Somebody asks to join; a code is read out; and the invites there are."""
    host_window.program.theme.switch("dark" if mode == "dark" else "light")
    app = host_window.app
    joining = app.presenter.joining
    # What the window asked for at its start: it comes in this order.
    host_window.wait(lambda: joining.who_may_join[0], "the rule")
    joining.requested(
        [
            JoinRequest(
                request=1, username="mira.novak", display_name="Mira Novak",
                device="Laptop, Linux", address="192.0.2.60", digits="4729", since=clock.now,
            )
        ]
    )  # fmt: skip
    app.show()
    strip = app.frame.requests
    host_window.wait(lambda: strip.admit.enabled, "the answers")
    take(host_window, "guide-request" if mode == "light" else "request-dark")
    joining.requested([])
    day = 24 * 60 * 60 * 1000
    joining.code_is("K7Q29FXM", clock.now + day)
    app.show()
    take(host_window, "guide-shown-code" if mode == "light" else "shown-code-dark")
    joining.code_ended()
    joining.connected("192.0.2.60", clock.now)
    made = clock.now - 30 * 60 * 1000
    usual: dict[str, object] = {
        "kind": "link", "by": None, "role": "member", "username": None, "created": made,
        "ended": None, "most_uses": None, "note": "", "expires": None, "uses": 4,
    }  # fmt: skip
    several: tuple[dict[str, object], ...] = (
        {"kind": "device", "username": "dana.petrova", "expires": made + day, "uses": 0,
         "most_uses": 1},
        {"note": "Summer interns", "expires": made + day, "uses": 3, "most_uses": 10},
        {"note": "The choir", "expires": made + 7 * day, "uses": 12},
        {},
    )  # fmt: skip
    joining.invited(
        [
            InviteFacts.model_validate({**usual, "number": len(several) - 1 - at, **fields})
            for at, fields in enumerate(several)
        ]
    )
    app.controller.actions.go(Page.INVITES)
    host_window.wait(app.frame.invites.winfo_viewable, "the page")
    take(host_window, "guide-invites" if mode == "light" else "invites-dark")
