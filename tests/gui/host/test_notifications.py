"""What the host is told by the desktop, by real events in the real window; and its settings."""

from __future__ import annotations

import json
import shutil
import tkinter as tk
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from chat_server import disk_watch
from chat_server.disk_watch import LOW
from chat_server.notify.policy import FIRST_PAUSE
from chat_server.window.model import Page
from chat_server.window.settings import NotificationsPage
from common.desktop.sound import Sound
from common.domain.invite import parse_invite
from common.ui.settings.looks import LooksPage
from common.ui.widgets.dialog import Dialog
from tests.gui.desktop import SilentPlayer
from tests.gui.host.conftest import Host, Open, restart_after_failure
from tests.process.wire import Raw, Session
from tests.window_manager import is_managed, window_manager


class Usage(NamedTuple):
    """What the system says of a disk."""

    total: int
    used: int
    free: int


@pytest.fixture
def elsewhere(open_host: Open) -> Iterator[tk.Tk]:
    """Another program's window, which can have the keyboard."""
    del open_host  # it collects what is left of Tk
    root = tk.Tk()
    yield root
    root.destroy()


def go(host: Host, elsewhere: tk.Tk) -> None:
    """Work with the other program."""
    elsewhere.update()
    elsewhere.focus_force()
    host.wait(lambda: not looks(host), "the keyboard to go")
    host.settle()


def looks(host: Host) -> bool:
    """Whether the host's window has the keyboard."""
    return host.app.notifications.attention.has_keyboard


def come_back(host: Host) -> None:
    """Give the window the keyboard."""
    host.root.focus_force()
    host.wait(lambda: looks(host), "the keyboard")
    host.settle()


def refuse(host: Host, times: int = 1) -> None:
    """Somebody tries to join with a wrong secret; returns when they were refused."""
    running = host.app.server_thread.running
    assert running is not None
    wrong = replace(parse_invite(running.invite), secret="x" * 22)
    for _ in range(times):
        with pytest.raises(AssertionError, match="bad_secret"):
            Session(wrong, "eve", display_name="Eve")


def shown(host: Host, *titles: str) -> None:
    """Wait until these are on the screen, and no others."""
    # In any order: what comes of two rooms at once may come in either.
    wanted = sorted(titles)
    host.wait(
        lambda: sorted(host.desktop.titles) == wanted,
        lambda: f"{wanted}, not {host.desktop.titles}",
    )


def heard(host: Host) -> list[Sound]:
    """The sounds."""
    player = host.app.notifications.desktop.player
    assert isinstance(player, SilentPlayer)
    return player.played


def told_in_feed(host: Host, text: str) -> None:
    """Wait for a line of the feed."""
    feed = host.app.frame.activity.text
    host.wait(lambda: text in feed.get("1.0", "end"), f"{text!r} in the feed")


def test_who_is_refused_is_told(host: Host, elsewhere: tk.Tk) -> None:
    """With the address, never with what they tried; a click shows it."""
    go(host, elsewhere)
    host.app.presenter.go(Page.SANCTIONS)
    refuse(host)
    shown(host, "Somebody was refused")
    assert host.desktop.bodies == ["At 127.0.0.1, as @eve: invalid invite link."]
    assert heard(host) == [Sound.KNOCK]
    assert host.app.notifications.attention.demanding
    assert host.desktop.app.entry == "lan.chat.ChatServer"
    told_in_feed(host, "Somebody at 127.0.0.1 was refused as @eve: invalid invite link")
    host.desktop.click()
    host.wait(lambda: looks(host), "the window in front")
    assert host.app.presenter.view(0).page is Page.CONNECTIONS
    shown(host)
    host.wait(lambda: not host.app.notifications.attention.demanding, "the window's peace")


def test_many_refusals_are_one_notification(host: Host, elsewhere: tk.Tk) -> None:
    """The first at once, the others at the end of the pause, in its place; one line in the feed."""
    go(host, elsewhere)
    refuse(host)
    shown(host, "Somebody was refused")
    refuse(host, times=4)
    told_in_feed(host, "(5 times)")
    shown(host, "Somebody was refused")
    host.desktop.clock.late += FIRST_PAUSE
    host.app.notifications._run()
    shown(host, "Somebody was refused 5 times")
    assert len(host.desktop.history) == 2
    assert len(heard(host)) == 2


def test_who_looks_is_told_by_the_window_alone(host: Host, elsewhere: tk.Tk) -> None:
    """In front there is none; what is on the screen goes when one comes."""
    come_back(host)
    refuse(host)
    told_in_feed(host, "was refused")
    assert host.desktop.history == []
    assert heard(host) == []
    go(host, elsewhere)
    refuse(host)
    shown(host, "Somebody was refused")
    come_back(host)
    shown(host)


def test_a_disk_that_gets_full_is_told(
    open_host: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the notification and in the window, until there is room."""
    elsewhere = tk.Tk()
    free = [10 * LOW]
    monkeypatch.setattr(disk_watch, "LOOK", 0.01)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, free[0]))
    host = open_host().up()
    go(host, elsewhere)
    free[0] = 200_000_000
    shown(host, "The disk is nearly full")
    assert host.desktop.bodies == [
        "200 MB are left. Make room: once it is full, messages can’t be stored."
    ]
    assert heard(host) == [Sound.FAILED]
    host.sees("The disk is nearly full. Make room")
    free[0] = 10 * LOW
    shown(host)
    host.wait(lambda: not host.app.frame.banner.shown, "no banner")
    told_in_feed(host, "The disk has room again")
    elsewhere.destroy()
    del tmp_path


def test_a_server_that_stops_by_itself_is_told(
    host: Host, elsewhere: tk.Tk, caplog: pytest.LogCaptureFixture
) -> None:
    """Urgently; a click leads to the question whether to start it again."""
    go(host, elsewhere)
    seen: list[str] = []

    def click_notification(dialog: Dialog) -> None:
        seen.extend(host.desktop.titles)
        host.desktop.click()
        host.wait(lambda: host.root.focus_displayof() is dialog.window, "the question in front")
        host.key(dialog.window, "<Tab>")

    restart_after_failure(host, click_notification)
    assert seen == ["The server has stopped"]
    assert host.desktop.history[0].urgent
    assert "io-0" in host.desktop.history[0].body
    assert heard(host) == [Sound.FAILED]
    shown(host)
    caplog.clear()


def test_an_iconified_window_comes_back_by_a_click(host: Host) -> None:
    """With the keyboard."""
    with window_manager():
        try:
            host.wait(lambda: is_managed(host.root), "the window to be managed")
            host.root.iconify()
            host.wait(lambda: host.root.state() == "iconic" and not looks(host), "the icon")
            refuse(host)
            shown(host, "Somebody was refused")
            host.desktop.click()
            host.wait(lambda: host.root.state() == "normal" and looks(host), "the window")
        finally:
            host.close()  # before the display begins anew
    assert host.desktop.stopped


# Settings


def page(host: Host) -> NotificationsPage:
    """The page of notifications, in the settings window."""
    host.click(host.app.frame.settings)
    window = host.app.settings_window
    assert window is not None
    host.wait(window.window.winfo_viewable, "the settings window")
    window.show("Notifications")
    assert isinstance(window.page, NotificationsPage)
    return window.page


def test_a_topic_is_turned_off(host: Host, elsewhere: tk.Tk, tmp_path: Path) -> None:
    """At once, for good, and what is on the screen goes."""
    go(host, elsewhere)
    refuse(host)
    shown(host, "Somebody was refused")
    host.desktop.history.clear()
    settings = page(host)
    host.click(settings.refused.switch)
    window = host.app.settings_window
    assert window is not None
    host.key(window.window, "<Escape>")
    host.wait(lambda: host.app.settings_window is None, "the window to close")
    kept = json.loads((tmp_path / "data" / "settings.json").read_text("utf-8"))
    assert kept["notifications"] == {"refused": False}
    go(host, elsewhere)
    refuse(host)
    told_in_feed(host, "(2 times)")
    assert host.desktop.history == []


def test_all_and_the_sound_are_turned_off(host: Host) -> None:
    """The parts can't be chosen then; the page says what shows notifications, and tries it."""
    settings = page(host)
    host.wait(lambda: any("shown by Test" in text for text in texts(host)), "what shows them")
    host.click(settings.test)
    shown(host, "This is a notification")
    assert heard(host) == [Sound.KNOCK]
    host.click(settings.enabled.switch)
    assert not settings.refused.switch.enabled
    host.click(settings.volume.buttons["off"])
    chosen = host.app.settings.settings.notifications
    assert (chosen.enabled, chosen.sounds) == (False, False)
    host.click(settings.volume.buttons["loud"])
    host.click(settings.enabled.switch)
    chosen = host.app.settings.settings.notifications
    assert (chosen.enabled, chosen.sounds, host.app.settings.settings.volume) == (True, True, 100)


def texts(host: Host) -> list[str]:
    """What is to be read in the settings window."""
    window = host.app.settings_window
    assert window is not None
    return host.texts_of(window.window)


def test_the_text_grows_and_nothing_is_lost(host: Host) -> None:
    """What is searched, selected and typed is there in the new size, which is kept."""
    host.connect("ada")
    host.connect("bruno")
    people = host.app.frame.connections.people
    host.wait(people.winfo_viewable, "the people")
    host.write(people.search.entry, "ada")
    host.wait(lambda: host.names() == ["ada"], "one")
    host.click_row("ada")
    host.app.frame.sidebar.name.edit()
    host.app.frame.sidebar.name.field.value = "Harbour"
    former = host.app.frame
    host.root.event_generate("<<LargerText>>")
    host.wait(lambda: host.app.frame is not former, "the window anew")
    assert not former.winfo_exists()
    assert host.app.theme.text_size == 110
    people = host.app.frame.connections.people
    assert people.search.value == "ada"
    host.wait(people.winfo_viewable, "the people")
    assert [row.username for row in people.chosen] == ["ada"]
    name = host.app.frame.sidebar.name
    assert (name.editing, name.field.value) == (True, "Harbour")
    host.root.event_generate("<<UsualText>>")
    assert host.app.theme.text_size == 100
    people = host.app.frame.connections.people
    people.search.value = ""
    host.wait(lambda: host.names() == ["ada", "bruno"], "both")


def test_the_looks_are_kept(open_host: Open, tmp_path: Path) -> None:
    """Chosen on their page, or with the button in the sidebar's foot."""
    host = open_host().up()
    host.root.event_generate("<<Settings>>")
    window = host.app.settings_window
    assert window is not None
    window.show(LooksPage.TITLE)
    looks_page = window.page
    assert isinstance(looks_page, LooksPage)
    host.click(looks_page.theme.buttons["dark"])
    modes = [host.app.theme.mode]
    host.root.event_generate("<<Settings>>")
    assert host.app.settings_window is window
    host.click(host.app.frame.sidebar.look)
    assert [*modes, host.app.theme.mode] == ["dark", "light"]
    kept = json.loads((tmp_path / "data" / "settings.json").read_text("utf-8"))
    assert kept["looks"] == {"theme": "light"}
    host.close()


def test_damaged_settings_are_told_of(open_host: Open, tmp_path: Path) -> None:
    """In their window; the server runs all the same."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "settings.json").write_text("{", "utf-8")
    (folder / "window.json").write_text('{"theme": "dark"}', "utf-8")
    host = open_host().up()
    page(host)
    damaged = "The file of settings was damaged"
    host.wait(lambda: any(damaged in text for text in texts(host)), "what is wrong")


def test_an_older_protocol_is_refused(host: Host, elsewhere: tk.Tk) -> None:
    """The host learns that somebody's program is too old."""
    go(host, elsewhere)
    with Raw(parse_invite(host.link())) as raw:
        raw.frame(b'{"type": "hello", "id": 1, "protocol": 1, "program": "Old"}')
        assert b'"code":"version"' in raw.socket.recv(4096)
    shown(host, "Somebody was refused")
    assert host.desktop.bodies == ["At 127.0.0.1: their ChatClient is too old."]
