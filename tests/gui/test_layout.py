"""At every scale, nothing in any window is cut or lies over something else, and Tab reads on.

CHAT_SCREENSHOTS names a folder to save what was looked at in.
"""

from __future__ import annotations

import atexit
import os
import sys
import tkinter as tk
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from PIL import ImageGrab

from chat_client.options import Options
from chat_client.scheme_handler import Handler, Opens, SchemeHandlerError
from chat_client.state.discovery import FoundChat
from chat_client.state.news import (
    DevicesListed,
    InvitesListed,
    MuteChanged,
    Requested,
    StatusChanged,
)
from chat_client.state.request import AddDevice, CreateInvite
from chat_client.state.status import Link
from chat_client.window import own_dialogs
from chat_client.window.devices_dialog import DevicesDialog as OwnDevices
from chat_client.window.invites_dialog import InvitesDialog
from chat_client.window.join.ways import Way
from chat_client.window.moderation_dialogs import question
from chat_client.window.settings.links import LinksPage
from chat_server.reachability import Finding
from chat_server.rules.view import DiskLow, StoreFailed, StoreRecovered
from chat_server.window import joining_questions, questions
from chat_server.window.joining_questions import DeviceRow, DevicesDialog, LinkDialog
from chat_server.window.model import ClientRow, InviteRow, Page, RequestRow
from common.domain.invite import Place
from common.domain.reasons import Reason
from common.domain.sentences import whole_sentence
from common.limits import MAX_TIME
from common.protocol.messages import DeviceFacts, InviteFacts, JoinRequest, Sanction
from common.ui.look.dpi import scale_of
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Choice, Dialog, Entry
from common.ui.widgets.invite_question import invite_question
from tests.gui.harness import DEADLINE, Host, HostWindow, Town, Window, settle, wait
from tests.gui.layout import faults, out_of_order, tab_stops
from tests.gui.network import SilentNetwork
from tests.x_server import x_server

LINE: Final = "sudo firewall-cmd --zone=public --add-port=12345/tcp --add-service=mdns"
LONG = Reason("text", {"text": "x" * 90})

pytestmark = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="X resources")
SCREEN: Final = 1280, 800
"""What the windows must fit in, at any scale."""
SIZES: Final = [80, 100, 125, 150, 200]
"""Sizes of text, in per cent."""


@pytest.fixture(scope="session")
def displays() -> Iterator[Callable[[int], str]]:
    """X servers by what `Xft.dpi` is in them, for all tests of this process."""
    with ExitStack() as stack:
        started: dict[int, str] = {}

        def display(dpi: int) -> str:
            if dpi not in started:
                server = x_server(f"Xft.dpi: {dpi}", f"{SCREEN[0]}x{SCREEN[1]}")
                started[dpi] = stack.enter_context(server)
            return started[dpi]

        yield display
        # Tk keeps its connections, and ends the process when a server is gone before it.
        atexit.register(stack.pop_all().close)


@pytest.fixture(params=[96, 120, 144, 192])
def scale(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    displays: Callable[[int], str],
) -> float:
    """What one pixel at 96 dpi is on the screen that windows come up on now."""
    monkeypatch.setenv("DISPLAY", displays(request.param))
    monkeypatch.delenv("GDK_SCALE", raising=False)
    return float(request.param / 96)


@pytest.fixture
def host_window(scale: float, town: Town, tmp_path: Path) -> Iterator[HostWindow]:
    """The host's window, with a server."""
    del town
    window = HostWindow(tmp_path / "host")
    assert window.program.theme.scale == scale
    yield window
    window.close()


def check(window: Window | HostWindow, what: str, *, scrolls: bool = False) -> None:
    """Look at a window at its least and at its greatest size.

    What a page `scrolls` may be out of view; it comes into view when the Tab key gets there.
    """
    root = window.root
    for width, height in (root.minsize(), SCREEN):
        assert width <= SCREEN[0]
        assert height <= SCREEN[1]
        root.geometry(f"{width}x{height}+0+0")
        wait(root, partial(_has_size, root, width, height), f"{width} × {height}", DEADLINE)
        settle(root)
        save(root, f"{what.replace(' ', '-')}-{width}x{height}")
        found = faults(root) + ([] if scrolls else out_of_order(tab_stops(root)))
        assert not found, "\n".join([f"{what} at {width} × {height}:", *found])


def save(root: tk.Tk, name: str) -> None:
    """Keep a picture for somebody to look at."""
    folder = os.environ.get("CHAT_SCREENSHOTS")
    if folder:
        x, y, display = root.winfo_rootx(), root.winfo_rooty(), os.environ["DISPLAY"]
        box = x, y, x + root.winfo_width(), y + root.winfo_height()
        dpi = round(96 * scale_of(root))
        ImageGrab.grab(box, xdisplay=display).save(Path(folder) / f"layout-{dpi}-{name}.png")


def _has_size(root: tk.Tk | tk.Toplevel, width: int, height: int) -> bool:
    return (root.winfo_width(), root.winfo_height()) == (width, height)


def test_the_join_screen(scale: float, town: Town, host: Host) -> None:
    """Empty, with an invite, and with everything that can be wrong with it."""
    window = town.window()
    assert window.program.theme.scale == scale
    check(window, "empty")
    window.turn(Way.LINK)
    window.join.column.link.link.value = host.link
    window.join.column.names.name.value = "Bruno Okafor"
    check(window, "an invite")
    window.join.refuse("Somebody else has this name already. Take another one.", "username")
    check(window, "a name that is taken")
    window.join.joining("The server at 192.0.2.10 can't be reached. Trying again…")
    check(window, "joining")


def test_the_ways_into_a_chat(
    scale: float, town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of chats with long names, one of which has the name of a known one; and of none."""
    del scale
    first = town.member(host, "Ada Lindqvist")
    folder = first.program.data_dir
    first.close()
    monkeypatch.setattr("chat_client.window.screens.Network", SilentNetwork)
    monkeypatch.setattr("chat_client.window.join.search.PATIENCE", 1)
    long = "The people who keep the lighthouse of the harbour going at night"
    chats = [FoundChat(bytes([n]) * 32, name, ("fd12:3456:789a::10",), 12345, 0.0)
             for n, name in enumerate((long, "Harbour Team"))]  # fmt: skip
    monkeypatch.setattr(SilentNetwork, "chats", chats)
    reasons = [Reason("vpn_on"), Reason("only_router_answers")]
    monkeypatch.setattr(SilentNetwork, "reasons", reasons)
    window = town.window(data_dir=folder, options=Options(theme="light", new_window=True))
    window.click_row(window.join.list.rows, f"found:{chats[0].fingerprint.hex()}")
    window.join.column.names.name.value = "Bruno Okafor"
    check(window, "a found chat")
    window.turn(Way.CODE)
    window.join.refuse("This code is wrong; ask the host to read it out again.", "code")
    check(window, "a wrong code")
    window.turn(Way.CHAT)
    window.key("<Return>", window.join.column.names.name.entry)
    window.wait(lambda: window.join.model.attempt.digits, "the digits")
    check(window, "digits")
    window.click_row(window.join.list.rows, f"found:{chats[1].fingerprint.hex()}")
    check(window, "another with a known name")
    window.click(window.join.list.address)
    check(window, "an address")
    window.close()
    monkeypatch.setattr(SilentNetwork, "chats", ())
    empty = town.window()
    empty.wait(empty.join.column.searching.causes.winfo_viewable, "the causes")
    check(empty, "nothing")


def test_the_join_screen_of_somebody_who_is_known(scale: float, town: Town, host: Host) -> None:
    """With chats to choose from."""
    del scale
    first = town.member(host, "Ada Lindqvist")
    folder = first.program.data_dir
    first.close()
    window = town.window(data_dir=folder, options=Options(theme="light"))
    window.online()
    window.screens.show_join()
    check(window, "a known chat")


def test_the_main_screen(
    scale: float, town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation, looking for something, without a connection, and with something wrong."""
    del scale
    bruno = town.peer(host, "Bruno Okafor of the Second Floor Network Group")
    town.peer(host, "Bo")
    window = town.member(host, "Ada Lindqvist")
    bruno.say(
        "Morning! Sitting in the far corner now, and it holds. 😀 " * 5, "https://example.com"
    )
    bruno.say("Lunch?", room=f"dm:ada.lindqvist:{bruno.username}")
    window.wait(lambda: "example.com" in window.said, "what was said")
    check(window, "a conversation")
    window.main.find.show()
    window.main.find.field.value = "corner"
    check(window, "looking for something")
    monkeypatch.setattr(window.main.find, "_is_whole", lambda: False)
    window.main.find.field.value = "quiet"
    window.wait(window.main.find.partly.winfo_ismapped, "what is said of the search")
    check(window, "looking for something in a part")
    window.main.open(f"dm:ada.lindqvist:{bruno.username}")
    check(window, "a direct conversation")
    status = replace(window.main.connection.status, link=Link.PAUSED, reason=LONG)
    window.main.apply([StatusChanged(status, 3)])
    window.main.composer.set_draft("one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine")
    check(window, "without a connection")
    mute: dict[str, str | int] = {
        "reason": "Advertising in every room there is " * 5,
        "until": MAX_TIME,
    }
    window.main.apply([MuteChanged(Reason("muted", mute))])
    check(window, "muted")


class _Stubborn:
    """Another program opens links, whatever is chosen: all there can be is on that page."""

    def find(self) -> Handler:
        """See `SchemeHandler`."""
        return Handler(Opens.ANOTHER, "The other program of the harbour for its messages")

    def register(self) -> None:
        """See `SchemeHandler`."""
        raise SchemeHandlerError("The desktop entry can't be written: no space left on device")

    unregister = register


@pytest.mark.parametrize("text_size", SIZES)
def test_other_sizes_of_text(
    scale: float, town: Town, host: Host, monkeypatch: pytest.MonkeyPatch, text_size: int
) -> None:
    """All of the client, with its settings window at its least and at its usual size."""
    monkeypatch.setattr("chat_client.scheme_handler.scheme_handler", lambda _: _Stubborn())
    bruno = town.peer(host, "Bruno Okafor of the Second Floor Network Group")
    window = town.member(host, "Ada Lindqvist")
    bruno.say("Morning! Sitting in the far corner now, and it holds. 😀 " * 5)
    window.wait(lambda: "Morning" in window.said, "what was said")
    store = window.screens.settings
    store.set("looks", "text_size", value=text_size)
    window.settle()
    assert window.program.theme.scale == scale * text_size / 100
    check(window, f"text {text_size}")
    store.set("accounts", window.main._session.account.key, "rooms", "general", value="nothing")
    window.screens.show_settings()
    settings = window.screens.settings_window
    assert settings is not None
    for page, button in settings.buttons.items():
        window.click(button)
        if isinstance(settings.page, LinksPage):
            window.click(settings.page.change)
        for width, height in (_size(settings.window), settings.window.minsize()):
            settings.window.geometry(f"{width}x{height}")
            window.wait(partial(_has_size, settings.window, width, height), f"{width} × {height}")
            settings._pane.canvas.yview_moveto(0)
            window.settle()
            found = faults(settings.window) + out_of_order(tab_stops(settings.window))
            assert not found, "\n".join([f"{page} at {width} × {height}:", *found])
            assert width <= SCREEN[0]
            assert height <= SCREEN[1]
            for stop in tab_stops(settings.window):
                window.focus(stop)
                _assert_in_view(stop, settings.window)
    window.screens.show_join()
    check(window, f"join at {text_size}")


@pytest.mark.parametrize("text_size", SIZES)
def test_the_join_screen_at_other_sizes_of_text(
    scale: float, town: Town, monkeypatch: pytest.MonkeyPatch, text_size: int
) -> None:
    """Each way, with what can be wrong with it, and why nothing was found."""
    del scale
    monkeypatch.setattr("chat_client.window.screens.Network", SilentNetwork)
    monkeypatch.setattr("chat_client.window.join.search.PATIENCE", 1)
    monkeypatch.setattr(SilentNetwork, "reasons", [Reason("vpn_on"), Reason("nobody_hosts")])
    window = town.window()
    window.screens.settings.set("looks", "text_size", value=text_size)
    window.settle()
    causes = window.join.column.searching.causes
    window.wait(causes.winfo_viewable, "the causes")
    check(window, f"nothing at {text_size}")
    for way in (Way.ADDRESS, Way.LINK):
        window.join.turn(way)
        window.join.refuse(whole_sentence(Reason("not_recognized", {"username": "ada"})), "invite")
        check(window, f"{way.name.lower()} at {text_size}")
    pin = bytes(range(32))
    long = "The people who keep the lighthouse of the harbour going at night"
    place = Place(("fd12:3456:789a::10",), 12346, pin, long)
    for way in (Way.CHAT, Way.CODE):
        window.join.choose_place(place)
        window.wait(lambda: window.join.model.attempt.rule, "what the chat says")
        window.join.turn(way)
        window.join.refuse(whole_sentence(Reason("codes_paused", {"minutes": 5})), "code")
        check(window, f"{way.name.lower()} at {text_size}")
    window.join.turn(Way.CHAT)
    window.join.column.names.name.value = "Bruno Okafor of the Second Floor Network Group"
    window.join.join()
    window.wait(lambda: window.join.model.attempt.digits, "the digits")
    check(window, f"digits at {text_size}")


def _size(window: tk.Toplevel) -> tuple[int, int]:
    return window.winfo_width(), window.winfo_height()


def _assert_in_view(widget: tk.Misc, window: tk.Toplevel) -> None:
    top = widget.winfo_rooty() - window.winfo_rooty()
    assert top >= 0, widget
    assert top + widget.winfo_height() <= window.winfo_height(), widget


def test_the_hosts_window(town: Town, host_window: HostWindow) -> None:
    """With nobody there, with people, and stopped."""
    host_window.wait(host_window.app.frame.invite.winfo_viewable, "the invite")
    check(host_window, "the invite")
    host_window.app.frame.sidebar.name.edit()
    check(host_window, "another name")
    host_window.app.frame.sidebar.name.leave()
    town.peer_of(host_window.invite, "Bruno Okafor of the Second Floor Network Group")
    town.peer_of(host_window.invite, "Ada Lindqvist")
    host_window.wait(lambda: len(host_window.names) == 2, "both")
    people = host_window.app.frame.connections.people
    people.table.select(next(iter(people._rows)))
    people._selected()
    check(host_window, "people")
    held = [
        Sanction(
            number=number, kind=kind, username=who, device="Windows laptop of somebody",
            until=until, reason="Advertising in every room there is " * 4, by=by, at=0,
        )
        for number, (kind, who, until, by) in enumerate(
            [("ban", None, None, "(host)"), ("mute", "ada.lindqvist", MAX_TIME, "bruno")], 1
        )
    ]  # fmt: skip
    host_window.app.presenter.sanctioned(held)
    host_window.app.controller.actions.go(Page.SANCTIONS)
    host_window.wait(host_window.app.frame.sanctions.winfo_viewable, "the page")
    check(host_window, "bans and mutes")
    host_window.app.presenter.sanctioned([])
    host_window.app.show()
    check(host_window, "no bans and mutes")
    host_window.app.controller.actions.go(Page.PEOPLE)
    host_window.wait(host_window.app.frame.accounts.winfo_viewable, "the page")
    check(host_window, "everybody")
    host_window.app.controller.actions.go(Page.CONNECTIONS)
    app = host_window.app
    app.presenter.apply([StoreFailed(Reason("disk_full_here"), 0)], 0)
    app.show()
    check(host_window, "trouble")
    app.presenter.apply([StoreRecovered(0), DiskLow(1 << 20, 0)], 0)
    app.show()
    check(host_window, "little room on the disk")


def test_how_people_join(host_window: HostWindow) -> None:
    """In the host's window: requests, a code, what a firewall says, and the list of invites."""
    host_window.wait(host_window.app.frame.invite.winfo_viewable, "the invite")
    joining = host_window.app.presenter.joining
    # What the window asked for at its start: it comes in this order.
    host_window.wait(lambda: joining.who_may_join[0], "the rule")
    joining.code_is("K7QM3XPA", MAX_TIME)
    joining.found([Finding(Reason("firewall_on", {"firewall": "ufw", "port": 1}), "unknown", LINE)])
    joining.requested([_request(1, "Bruno Okafor of the Second Floor Network Group")])
    host_window.app.show()
    strip = host_window.app.frame.requests
    host_window.wait(lambda: strip.admit.enabled, "the answers")
    check(host_window, "the invite, a code and a request", scrolls=True)
    joining.requested([])
    joining.code_ended()
    joining.found([])
    host_window.app.show()
    joining.requested([_request(1, "Ada"), _request(2, "Bruno Okafor of the Second Floor")])
    joining.code_is("K7QM3XPA", MAX_TIME)
    joining.found([Finding(Reason("firewall_on", {"firewall": "ufw", "port": 1}), "unknown", LINE)])
    joining.invited([_invite(0), _invite(1, note="For the choir " * 4, username="ada.lindqvist")])
    host_window.app.controller.actions.go(Page.INVITES)
    host_window.wait(host_window.app.frame.invites.winfo_viewable, "the page")
    strip = host_window.app.frame.requests
    host_window.wait(lambda: strip.admit.enabled, "the answers")
    check(host_window, "invites, a code and requests")
    joining.requested([])
    joining.code_ended()
    host_window.app.show()
    check(host_window, "invites")


def _request(number: int, name: str) -> JoinRequest:
    """Somebody asks to join."""
    return JoinRequest(
        request=number, username=f"guest.number.{number}", display_name=name,
        device="Windows laptop of somebody", address="fd00:77::1234:5678", digits="4729", since=0,
        members_alike=("ada.lindqvist", "bruno.of.the.second.floor", "mira"), requests_alike=(9,),
    )  # fmt: skip


def _invite(number: int, note: str = "", username: str | None = None) -> InviteFacts:
    """An invite."""
    return InviteFacts(
        number=number, kind="link", by="ada.lindqvist", role="moderator", username=username,
        note=note, created=0, expires=MAX_TIME, uses=1, most_uses=1000, ended=None,
    )  # fmt: skip


@pytest.mark.parametrize("text_size", SIZES)
def test_the_hosts_window_at_other_sizes_of_text(
    scale: float, town: Town, host_window: HostWindow, text_size: int
) -> None:
    """Each page with somebody in it, and its settings; no larger than this screen has room for."""
    host_window.wait(host_window.app.frame.invite.winfo_viewable, "the invite")
    host_window.app.settings.set("looks", "text_size", value=text_size)
    settle(host_window.root)
    shown = host_window.program.theme.scale
    assert shown == pytest.approx(min(scale * text_size / 100, 2), abs=0.02)
    check(host_window, f"invite at {text_size}")
    town.peer_of(host_window.invite, "Bruno Okafor of the Second Floor Network Group")
    host_window.wait(lambda: host_window.names, "Bruno")
    for page in Page:
        host_window.app.controller.actions.go(page)
        settle(host_window.root)
        check(host_window, f"{page.name.lower()} at {text_size}")
    host_window.app.presenter.joining.requested([_request(1, "Ada"), _request(2, "Bruno Okafor")])
    host_window.app.show()
    check(host_window, f"requests at {text_size}")
    host_window.app.show_settings()
    settings = host_window.app.settings_window
    assert settings is not None
    for title in settings.buttons:
        settings.show(title)
        for width, height in (_size(settings.window), settings.window.minsize()):
            settings.window.geometry(f"{width}x{height}")
            host_window.wait(partial(_has_size, settings.window, width, height), "its size")
            settle(host_window.root)
            assert not faults(settings.window)


def test_a_stopped_server(host_window: HostWindow) -> None:
    """The page with one button."""
    host_window.app.controller.actions.switch(False)
    frame = host_window.app.frame
    host_window.wait(lambda: frame.down.winfo_viewable() and frame.down.start.winfo_viewable(), "")
    check(host_window, "stopped")


def test_dialogs(scale: float, bare_root: tk.Tk) -> None:
    """With long texts and a field, within a small screen."""
    theme = Theme(bare_root, "light")
    assert theme.scale == scale
    choices = (Choice("quit", "Stop the server"), Choice("try", "Try port 12346", "primary"))
    row = ClientRow(
        1, "Bruno Okafor of the Second Floor", "bruno", "Laptop", "192.0.2.1", "", "", "",
        slow=False, address_order="", since=0, received=0, sent=0,
    )  # fmt: skip
    dialogs = [
        *(
            Dialog(
                bare_root, theme, "Port 12345 is used by another program on this computer",
                "Another program uses it, so the server can't start. " * 4, choices, entry=entry,
            )
            for entry in (None, Entry("Port", "12346"))
        ),
        questions.ban(bare_root, theme, [row]),
        questions.mute(bare_root, theme, [row]),
        questions.terminate(bare_root, theme, [row]),
        question(bare_root, theme, "ban", row.name),
        *_joining_dialogs(bare_root, theme, row),
        *_own_dialogs(bare_root, theme),
    ]  # fmt: skip
    for dialog in dialogs:
        dialog._centre()
        dialog.window.deiconify()
        wait(bare_root, dialog.window.winfo_viewable, "the dialog", DEADLINE)
        settle(bare_root)
        assert not faults(dialog.window)
        assert dialog.window.winfo_width() <= SCREEN[0]
        assert dialog.window.winfo_height() <= SCREEN[1] * 9 // 10
        dialog.window.destroy()


def _own_dialogs(root: tk.Tk, theme: Theme) -> list[Dialog]:
    """Those about one's own account in ChatClient, with what is longest in them."""
    devices = OwnDevices(root, theme, lambda _: None)
    facts = [
        DeviceFacts(
            device=f"{at:016x}", name="The computer of somebody in the back (Windows)", created=0,
            last_seen=at or None, current=at == 1, online=at == 2,
        )
        for at in range(9)
    ]  # fmt: skip
    devices.show(DevicesListed(tuple(facts)))
    devices.hear(Requested(AddDevice(), None, link="chat://" + "x" * 400, expires=10**12))
    return [
        own_dialogs.name_question(root, theme, "x" * 64, "A name can’t have U+200B " * 4),
        own_dialogs.deletion_question(root, theme, "w" * 32, problem="Nothing was deleted. "),
        devices,
        OwnDevices(root, theme, lambda _: None),
        _own_invites(root, theme),
        invite_question(root, theme),
    ]


def _own_invites(root: tk.Tk, theme: Theme) -> Dialog:
    """A moderator's, with more than the dialog has room for, and a link that was just made."""
    dialog = InvitesDialog(root, theme, "ada.lindqvist", lambda _: None)
    invites = [
        _invite(at, note="For the people in the back of the hall" * (at % 2)) for at in range(1, 10)
    ]
    dialog.show(InvitesListed(tuple(invites)))
    dialog.hear(Requested(CreateInvite(), None, link="chat://" + "x" * 400, expires=10**12))
    return dialog


def _joining_dialogs(root: tk.Tk, theme: Theme, row: ClientRow) -> list[Dialog]:
    """Those about invites, devices and accounts, with what is longest in them."""
    request = RequestRow(1, row.name, row.username, "@bruno", "4729", "fd00:77::1234:5678", "")
    invite = InviteRow(
        1, "Link", "For the choir " * 4, "You", "Member", "", "", "", "valid", 0, 0, 0,
        standing=False,
    )  # fmt: skip
    devices = [
        DeviceRow(f"{at:016x}", f"Desktop {at} of somebody", "3 May", "2 May", at == 1, at)
        for at in range(9)
    ]
    link = LinkDialog(
        root, theme, f"Add a device for {row.name}", "Whoever opens it is signed in. " * 3,
        "chat://" + "x" * 400, lambda _: None, lambda: None,
    )  # fmt: skip
    link.show("K7QM-3XPA", "29 Nov, 12:14")
    return [
        joining_questions.block(root, theme, request),
        joining_questions.new_invite(root, theme),
        joining_questions.revoke(root, theme, invite),
        joining_questions.sign_out(root, theme, row.name, "Desktop of somebody"),
        joining_questions.delete_account(root, theme, row.name, row.username, wrong=True),
        link,
        DevicesDialog(root, theme, row.name, devices),
        DevicesDialog(root, theme, row.name, []),
    ]
