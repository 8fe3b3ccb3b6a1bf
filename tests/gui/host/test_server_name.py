"""Changing the chat's name in the host's window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chat_server.window import questions
from chat_server.window.model import ServerState
from chat_server.window.server_name import ServerName
from chat_server.window.server_thread import Replied
from common.domain.invite import parse_invite
from common.protocol.messages import ServerChanged, refusal
from tests.gui.host.conftest import Host, Open


def name_of(host: Host) -> ServerName:
    """The place of the name."""
    return host.app.frame.sidebar.name


def editing(host: Host) -> bool:
    """Whether the field is there."""
    return name_of(host).editing


def rename(host: Host, text: str) -> None:
    """Click on the pencil, type and press Return."""
    name = name_of(host)
    host.settle()
    host.click(name.button)
    name.field.value = text
    host.key(name.field.entry, "<Return>")


def test_the_name_is_changed_in_its_place(host: Host, tmp_path: Path) -> None:
    """Everyone is told; title, invite and the file for this computer have it, and the feed."""
    client = host.connect("ada")
    before = parse_invite(
        host.app.server_thread.running.invite if host.app.server_thread.running else ""
    )
    rename(host, "  Garden   Party ")
    assert client.expect(ServerChanged).server_name == "Garden Party"
    name = name_of(host)
    host.wait(lambda: not editing(host), "the end of the change")
    assert name.name.cget("text") == "Garden Party"
    host.wait(lambda: host.root.title() == "Garden Party — ChatServer", "the title")
    summary = host.app.frame.connections.summary
    host.wait(lambda: "Garden" in summary.copy.content, "the invite")
    after = parse_invite(summary.copy.content)
    assert (after.server_name, after.secret) == ("Garden Party", before.secret)
    kept = json.loads((tmp_path / "data" / "running.json").read_bytes())
    assert (kept["name"], kept["invite"]) == ("Garden Party", summary.copy.content)
    assert "The chat is called Garden Party now" in host.app.frame.activity.text.get("1.0", "end")


def test_the_name_stays_changed(open_host: Open) -> None:
    """Also when the server is stopped and started, though the command line had another one."""
    host = open_host("--name", "Harbour Team").up()
    rename(host, "Garden")
    host.wait(lambda: host.root.title() == "Garden — ChatServer", "the title")
    sidebar = host.app.frame.sidebar
    host.click(sidebar.switch)
    host.wait(lambda: host.phase is ServerState.STOPPED, "the stop")
    assert not sidebar.name.button.winfo_manager()
    host.click(host.app.frame.down.start)
    host.up()
    assert parse_invite(host.link()).server_name == "Garden"
    host.close()
    again = open_host().up()
    assert again.root.title() == "Garden — ChatServer"


def test_escape_leaves_it(host: Host) -> None:
    """So does Return with the name as it was; nobody is told anything."""
    name = name_of(host)
    host.settle()
    host.click(name.name)
    assert editing(host)
    assert name.field.value == "Harbour Team"
    host.write(name.field.entry, "x")
    host.key(name.field.entry, "<Escape>")
    assert not editing(host)
    rename(host, " Harbour  Team ")
    assert not editing(host)
    assert host.root.title() == "Harbour Team — ChatServer"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a visible character"),
        ("\u2800", "needs a visible character"),
        ("Home\u202e", "U+202E"),
    ],
)
def test_a_name_that_cant_be_is_told_beside_it(host: Host, text: str, said: str) -> None:
    """The field stays, marked, with the reason below; mending the name takes it away."""
    name = name_of(host)
    rename(host, text)
    host.settle()
    assert name.problem.winfo_viewable()
    assert said in str(name.problem.cget("text"))
    assert name.field.instate(["invalid"])
    assert name.field.enabled
    host.write(name.field.entry, "x")
    assert not name.problem.winfo_manager()
    name.field.value = "Garden"
    host.key(name.field.entry, "<Return>")
    host.wait(lambda: not editing(host), "the end of the change")


def test_a_name_that_cant_be_stored_is_told_beside_it(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chat is called as before, and the change can be tried again."""
    name = name_of(host)
    full = refusal("disk_full", re=1)
    monkeypatch.setattr(
        host.app.server_thread,
        "ask",
        lambda _, on_reply: host.app.mailbox.post(Replied(full, on_reply)),
    )
    rename(host, "Garden")
    host.wait(name.problem.winfo_viewable, "the reason")
    assert name.problem.cget("text") == "Not changed: the host's disk is full."
    assert (editing(host), name.field.enabled, name.field.value) == (True, True, "Garden")
    assert host.root.title() == "Harbour Team — ChatServer"
    monkeypatch.undo()
    host.key(name.field.entry, "<Return>")
    host.wait(lambda: host.root.title() == "Garden — ChatServer", "the title")


def test_the_first_key_is_the_fields(host: Host) -> None:
    """It has the keyboard at once, before the loop has come round."""
    name = name_of(host)
    host.settle()
    name.button.focus_force()
    host.wait(lambda: host.root.focus_get() is name.button, "the keyboard")
    name.button.event_generate("<Return>")
    assert host.root.focus_get() is name.field.entry


@pytest.mark.usefixtures("short_goodbyes")
def test_a_stop_ends_the_change(host: Host) -> None:
    """The name is kept in the server's database, so there is nothing to change without it."""
    host.connect("ada")
    name = name_of(host)
    host.settle()
    host.click(name.button)
    assert editing(host)
    host.answer(lambda dialog: host.click(dialog.buttons[questions.YES]))
    host.click(host.app.frame.sidebar.switch)
    host.wait(lambda: host.phase is ServerState.STOPPED, "the stop")
    assert not editing(host)
    host.click(name.name)
    assert not editing(host)


def test_a_name_that_is_the_same_after_cleaning_is_kept(host: Host) -> None:
    """Written in another way, it is no change; and nothing waits for one."""
    rename(host, "Zürich")
    host.wait(lambda: not editing(host), "the end of the change")
    rename(host, "Zu\u0308rich")
    host.wait(lambda: not editing(host), "the end of it")
    assert host.root.title() == "Zürich — ChatServer"


def test_a_long_name_is_cut_and_can_be_read(host: Host) -> None:
    """64 characters, in the field whole, in the sidebar with a hint."""
    name = name_of(host)
    rename(host, "W" * 64)
    host.wait(lambda: not editing(host), "the end of the change")
    host.settle()
    assert str(name.name.cget("text")).endswith("…")
    assert name._whole_name.text == "W" * 64
    right = name.name.winfo_x() + name.name.winfo_width()
    assert right <= name.button.winfo_x()
