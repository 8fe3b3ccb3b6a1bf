"""The life cycle of the host's program: start, stop, restart, failures, and closing."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chat_server import address_watch, service
from chat_server.options import parse_options
from chat_server.rules import view
from chat_server.service import Server
from chat_server.window import questions
from chat_server.window.model import ServerState
from chat_server.window.server_thread import UrgentEvents
from common.domain.invite import parse_invite
from common.domain.reasons import Reason
from common.protocol.messages import Ack, Goodbye
from common.ui.widgets.dialog import Dialog
from tests.gui.host.conftest import DEADLINE, Client, Host, Open, complaints, restart_after_failure


@pytest.mark.usefixtures("short_goodbyes")
def test_closing_says_goodbye(host: Host, tmp_path: Path) -> None:
    """The close button tells clients that the server closes, and leaves nothing running."""
    client = host.connect("ada")
    host.answer(lambda dialog: host.click(dialog.buttons[questions.YES]))
    host.close()
    assert client.expect(Goodbye).code == "server_closing"
    assert host.app.status == 0
    again = Server(
        parse_options(["--host", "127.0.0.1", "--port", "0"]), tmp_path / "data", lambda _: None
    )
    again.start()  # nobody holds the folder any more
    again.stop()


def test_closing_asks_while_people_are_connected(host: Host) -> None:
    """Keep open, Escape and the dialog's own close button leave everything as it is."""
    clients = [host.connect(name) for name in ("ada", "bruno", "chen")]
    said: list[str] = []

    def keep(dialog: Dialog) -> None:
        host.settle()
        said.append(" ".join(host.texts_of(dialog.window)))
        host.click(dialog.buttons[questions.CANCEL])

    for act in (keep, lambda dialog: host.key(dialog.window, "<Escape>")):
        host.answer(act)
        host.press_close()
        assert (host.phase, host.ended, host.app.controller.dialog) == (
            ServerState.RUNNING,
            False,
            None,
        )
    assert "Stop the chat? 3 people are connected." in said[0]
    for client in clients:
        client.say("still here")
        client.expect(Ack)


def test_closing_asks_once_at_a_time(host: Host) -> None:
    """The close button again, behind its question: there is still the one."""
    host.connect("ada")
    seen: list[Dialog] = []

    def again(dialog: Dialog) -> None:
        seen.append(dialog)
        host.press_close()
        assert host.app.controller.dialog is dialog
        host.click(dialog.buttons[questions.CANCEL])

    host.answer(again)
    host.press_close()
    assert len(seen) == 1
    assert host.phase is ServerState.RUNNING


def test_closing_with_nobody_there_asks_nothing(host: Host) -> None:
    """Also when somebody was there, and when the server is stopped."""
    host.connect("ada").close()
    host.wait(lambda: not host.app.presenter.people, "an empty list")
    host.close()
    assert host.app.status == 0


@pytest.mark.usefixtures("short_goodbyes")
def test_a_signal_asks_nothing(host: Host) -> None:
    """The end of the session, or SIGTERM, while the question is open: it closes."""
    client = host.connect("ada")
    host.answer(lambda _: host.program.close())
    host.press_close()
    host.wait_end()
    assert client.expect(Goodbye).code == "server_closing"


def test_the_invite_is_the_hero_and_is_copied(host: Host) -> None:
    """With nobody there, one press puts the whole link on the clipboard and says so."""
    invite = host.app.frame.invite
    host.wait(invite.winfo_viewable, "the invite")
    host.sees("Invite the first person")
    host.click(invite.copy)
    link = host.root.clipboard_get()
    assert parse_invite(link).server_name == "Harbour Team"
    assert invite.copy.cget("text") == "Copied"
    assert invite.field.value != link  # shown shortened,
    host.root.clipboard_clear()
    host.key(invite.field.entry, "<<Copy>>")  # but copied whole
    assert host.root.clipboard_get() == link


def test_the_invite_follows_the_computer(
    open_host: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On another network "Copy link" has the new address, also while the window is open."""
    at = ["192.0.2.1"]
    monkeypatch.setattr(address_watch, "LOOK", 0.01)
    monkeypatch.setattr(service, "reachable_addresses", lambda *_: (at[0], "127.0.0.1"))
    monkeypatch.setattr(service, "listens_everywhere", lambda _: True)
    ready = tmp_path / "ready.json"
    host = open_host("--ready-file", str(ready)).up()
    host.sees("Listening on 192.0.2.1")
    at[0] = "198.51.100.2"
    host.sees("Listening on 198.51.100.2")
    invite = host.app.frame.invite
    host.wait(invite.winfo_viewable, "the invite")
    host.click(invite.copy)
    link = host.root.clipboard_get()
    assert parse_invite(link).hosts == ("198.51.100.2", "127.0.0.1")
    assert json.loads(ready.read_bytes())["invite"] == link
    host.close()
    assert not ready.exists()


@pytest.mark.usefixtures("short_goodbyes")
def test_the_switch_stops_and_starts_again(host: Host) -> None:
    """It asks when people are connected; the next run has the same port and invite."""
    client = host.connect("ada")
    link, switch = host.link(), host.app.frame.sidebar.switch
    host.answer(lambda dialog: host.key(dialog.window, "<Escape>"))
    host.click(switch)
    assert (host.phase, switch.on) == (ServerState.RUNNING, True)
    host.answer(lambda dialog: host.click(dialog.buttons[questions.YES]))
    host.click(switch)
    host.wait(lambda: host.phase is ServerState.STOPPED, "the stop")
    assert client.expect(Goodbye).code == "server_closing"
    host.sees("The server is stopped")
    host.click(host.app.frame.down.start)
    host.up()
    assert host.link() == link
    host.connect("bruno")
    assert host.names() == ["bruno"]


@pytest.mark.parametrize("how", ["type", "any"])
def test_a_busy_port_has_a_way_on(
    how: str, open_host: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dialog offers another port; a text that is none is asked about again."""
    said = complaints(monkeypatch)
    with (
        socket.create_server(("127.0.0.1", 0)) as busy,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        port, free = busy.getsockname()[1], other.getsockname()[1]
        other.close()
        host = open_host("--port", str(port))
        typed = iter(["none", str(free)])

        def act(dialog: Dialog) -> None:
            assert dialog.field is not None
            if how == "any":
                host.click(dialog.buttons[questions.ANY_PORT])
            else:
                dialog.field.value = next(typed)
                host.key(dialog.field.entry, "<Return>")

        host.answer(act, dialogs=2 if how == "type" else 1)
        host.up()
    running = parse_invite(host.link()).port
    assert running == free if how == "type" else running != port
    assert str(port) in said[0]
    host.connect("ada")


def test_a_folder_in_use_ends_with_status_2(
    open_host: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dialog says which folder, and Quit is taken; stderr has the same line."""
    said = complaints(monkeypatch)
    first = open_host().up()
    second = open_host()
    titles: list[str] = []

    def act(dialog: Dialog) -> None:
        titles.append(dialog.window.title())
        assert dialog.buttons[questions.CANCEL].cget("text") == "Quit"
        second.click(dialog.buttons[questions.CANCEL])

    second.answer(act)
    second.wait_end()
    assert titles == ["The server can’t start"]
    assert second.app.status == 2
    assert str(tmp_path / "data") in said[0]
    assert first.phase is ServerState.RUNNING


def test_a_start_can_be_tried_again_when_the_cause_is_gone(
    open_host: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to quit and open the program again; what it says is for a window."""
    said = complaints(monkeypatch)
    first = open_host().up()
    second = open_host()
    texts: list[str] = []

    def act(dialog: Dialog) -> None:
        second.settle()
        texts.append(" ".join(second.texts_of(dialog.window)))
        if len(texts) == 2:
            first.close()
        again = dialog.buttons[questions.YES]
        assert again.cget("text") == "Try again"
        second.click(again)

    second.answer(act, dialogs=2)
    second.up()
    assert second.app.status == 0
    assert f"Another ChatServer uses {tmp_path / 'data'}; close it." in texts[0]
    assert "--data-dir" in said[0]
    second.connect("ada")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "port 80 is used by another program; choose another --port",
            "Port 80 is used by another program.",
        ),
        (
            "port 80 is not allowed for you; choose a --port above 1023",
            "Port 80 is not allowed for you.",
        ),
        (
            "another ChatServer uses /x; close it or choose another --data-dir",
            "Another ChatServer uses /x; close it.",
        ),
        (
            "/x is not a ChatServer database; choose another --data-dir",
            "/x is not a ChatServer database.",
        ),
        (
            "the key is damaged; remove it to start with a new identity",
            "The key is damaged; remove it to start with a new identity.",
        ),
    ],
)
def test_a_window_gives_no_advice_for_a_command_line(reason: str, said: str) -> None:
    """And its sentences begin with a capital; advice that helps in a window stays."""
    assert questions._sentence(reason) == said


def test_a_start_that_fails_leaves_the_folder_alone(
    open_host: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data folder that is a file is explained; nothing is written."""
    complaints(monkeypatch)
    folder = tmp_path / "file"
    folder.write_text("x")
    host = open_host(data_dir=folder)
    host.answer(lambda dialog: host.key(dialog.window, "<Escape>"))
    host.wait_end()
    assert host.app.status == 2
    assert folder.read_text() == "x"


def test_trouble_with_the_store_has_a_banner(host: Host) -> None:
    """While messages can't be stored a banner says why; it goes when one was stored."""
    now = time.time_ns() // 1_000_000
    host.app.mailbox.post(UrgentEvents([view.StoreFailed(Reason("disk_full_here"), now)]))
    host.wait(host.app.frame.banner.winfo_viewable, "the banner")
    host.sees("disk is full")
    host.app.mailbox.post(UrgentEvents([view.MessagesStored(1, now)]))
    host.wait(lambda: not host.app.frame.banner.shown, "no banner")


def test_place_and_look_are_remembered(open_host: Open, tmp_path: Path) -> None:
    """The next window has the size, the place and the colours of the last one."""
    host = open_host().up()
    host.root.geometry("900x600+40+30")
    host.wait(lambda: host.root.winfo_width() == 900, "the size")
    host.click(host.app.frame.sidebar.look)
    assert host.app.theme.mode == "dark"
    screen = f"{host.root.winfo_screenwidth()}x{host.root.winfo_screenheight()}"
    host.close()
    kept = json.loads((tmp_path / "data" / "window.json").read_bytes())
    assert kept == {
        "geometry": "900x600+40+30", "theme": "dark", "scale": 1.0, "screen": screen,
    }  # fmt: skip
    again = open_host().up()
    again.wait(lambda: again.root.winfo_width() == 900, "the size again")


def test_a_damaged_memory_is_no_trouble(open_host: Open, tmp_path: Path) -> None:
    """Whatever the file holds, the window comes up at its usual size."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "window.json").write_bytes(b'{"geometry": "1x1+99999+5", "theme": 7')
    host = open_host().up()
    host.wait(lambda: host.root.winfo_width() == 1180, "the usual size")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_closes_it_orderly(number: signal.Signals, tmp_path: Path) -> None:
    """The real program says goodbye, takes its ready file away and ends with status 0."""
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "chat_server", "--host", "127.0.0.1", "--port", "0",
               "--data-dir", str(tmp_path / "data"), "--ready-file", str(ready)]  # fmt: skip
    with subprocess.Popen(command, cwd=Path(__file__).parents[3]) as program:
        try:
            end = time.monotonic() + DEADLINE
            while not ready.exists():
                assert time.monotonic() < end
                assert program.poll() is None
                time.sleep(0.01)
            client = Client(json.loads(ready.read_bytes())["invite"], "ada", "Ada", "Laptop")
            program.send_signal(number)
            assert client.expect(Goodbye).code == "server_closing"
            client.close()
            assert program.wait(DEADLINE) == 0
        finally:
            program.kill()
    assert not ready.exists()


def test_a_server_that_broke_off_is_said_and_started_again(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One of its threads ends by a mistake: the window says so, and a click starts the next one.

    It says where the details are, too.
    """
    seen: list[str] = []

    def read(dialog: Dialog) -> None:
        host.settle()
        seen.append(" ".join(host.texts_of(dialog.window)))

    said = restart_after_failure(host, read)
    assert "The server has stopped" in seen[0]
    assert "io-0" in seen[0]
    assert str(tmp_path / "data" / "log.txt") in seen[0]
    lines = [line.text for line in host.app.presenter.view(0).feed]
    assert any("can’t go on" in line for line in lines), lines
    host.connect("ada").close()
    assert any("io-0" in line for line in said)
    caplog.clear()
