"""The chat has a new identity, and the window goes on with what it had."""

from __future__ import annotations

import tkinter as tk
from contextlib import suppress
from pathlib import Path

from chat_client.accounts import Accounts
from chat_client.options import Options, name_of
from chat_client.window.join.ways import Way
from common.domain.names import GENERAL
from tests.gui.harness import Host, Town, Window


def renew(host: Host) -> None:
    """Start the server again without the file that has its key."""
    host.stop()
    (host.data_dir / "server.pem").unlink()
    host.start()


def in_the_old_chat(town: Town, host: Host, folder: Path) -> None:
    """Ada joins and says something; while the server is away, she writes what has to wait."""
    options = Options(join=host.invite, name=name_of("Ada Lindqvist"), theme="light")
    window = town.window(data_dir=folder, options=options).online()
    window.say("before")
    window.wait(lambda: "before" in window.said, "the first message")
    host.stop()
    window.wait(lambda: "Connected" not in window.state, "the end of the connection")
    window.say("waits")
    window.wait(lambda: "1 message waiting" in window.state, "the outbox")
    window.close()


def has_everything(window: Window, host: Host, town: Town) -> None:
    """The same name, all that was said, and what waited has been sent."""
    window.wait(lambda: window.is_main, "the conversation")
    window.online()
    window.wait(lambda: "waiting" not in window.state, "an empty outbox")
    assert window.main.overview.me == "ada.lindqvist"
    assert "before" in window.said
    bruno = town.peer(host, "Bruno")
    bruno.until(lambda: bruno.texts(GENERAL) == ["before", "waits"], "both messages")


def test_a_pasted_invite_brings_everything_back(town: Town, tmp_path: Path) -> None:
    """The name is proposed as soon as the link is there; Return is enough."""
    host = town.host()
    folder = tmp_path / "ada"
    in_the_old_chat(town, host, folder)
    renew(host)

    window = town.window(data_dir=folder)
    window.wait(lambda: "is not the server you joined" in window.banner, "the warning")
    with suppress(tk.TclError):  # the button goes with its screen, in the midst of the click
        window.click(window.main.banner._action)
    window.wait(lambda: not window.is_main, "the join screen")
    window.turn(Way.LINK)
    window.paste(host.link, window.join.column.link.link.entry)
    assert window.join.column.names.name.value == "Ada Lindqvist"
    assert window.join.column.names.username.value == "ada.lindqvist"
    window.key("<Return>")
    has_everything(window, host, town)
    (account,) = Accounts(folder).all()
    assert account.invite == host.invite


def test_an_invite_on_the_command_line_is_enough(town: Town, tmp_path: Path) -> None:
    """As when the link is clicked: there is one account that may be meant, and it is."""
    host = town.host()
    folder = tmp_path / "ada"
    in_the_old_chat(town, host, folder)
    renew(host)
    window = town.window(data_dir=folder, options=Options(join=host.invite, theme="dark"))
    has_everything(window, host, town)


def test_another_chat_of_the_same_name_is_joined_anew(town: Town, tmp_path: Path) -> None:
    """It does not know her; the first chat stays among hers."""
    host, other = town.host(), town.host()
    folder = tmp_path / "ada"
    options = Options(join=host.invite, name=name_of("Ada"), theme="light")
    window = town.window(data_dir=folder, options=options).online()
    window.close()
    window = town.window(data_dir=folder, options=options._replace(join=other.invite)).online()
    assert {account.invite for account in Accounts(folder).all()} == {host.invite, other.invite}


def test_without_an_answer_nobody_is_joined(town: Town, tmp_path: Path) -> None:
    """The reason stands below the link, and the account stays as it was."""
    host = town.host()
    folder = tmp_path / "ada"
    options = Options(join=host.invite, name=name_of("Ada"), theme="light")
    window = town.window(data_dir=folder, options=options).online()
    window.close()
    before = host.invite
    renew(host)
    host.stop()
    window = town.window(data_dir=folder, options=options._replace(join=host.invite))
    window.wait(lambda: "can't be reached" in window.problem, "the reason")
    (account,) = Accounts(folder).all()
    assert account.invite == before
    host.start()
    window.click(window.join.column.actions.button)
    window.online()
    (account,) = Accounts(folder).all()
    assert account.invite == host.invite
