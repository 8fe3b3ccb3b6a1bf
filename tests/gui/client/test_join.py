"""The join screen: how somebody gets in, and what they are told when they can't."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import tkinter as tk
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chat_client.accounts import Accounts
from chat_client.options import Options, name_of
from chat_client.state.attempts import Attempt, Failure
from chat_client.state.discovery import FoundChat
from chat_client.state.status import Link, Status
from chat_client.window.join.ways import Way
from chat_client.window.join.words import tried
from common.domain.invite import parse_invite
from common.domain.reasons import Reason
from common.domain.sign import sign_of
from tests.gui.client.guest import asked
from tests.gui.harness import Host, Town, Window, settle
from tests.gui.network import QuietNetwork, advert_of


def fill(window: Window, link: str, name: str) -> None:
    """Paste the link, type the name and press Return."""
    window.turn(Way.LINK)
    window.join.column.link.link.value = ""
    window.paste(link, window.join.column.link.link.entry)
    window.join.column.names.name.value = ""
    window.type(name, window.join.column.names.name.entry)
    window.key("<Return>")


def test_a_pasted_link_and_a_typed_name_are_enough(town: Town, host: Host) -> None:
    """Ctrl+V, the name and Return: then the conversation is there."""
    window = town.window()
    assert window.root.focus_displayof() is not None
    fill(window, f"  {host.link}\n", "Ada Lindqvist")
    window.online()
    assert window.title == "general — Harbour Team — ChatClient"
    assert window.state == "1 member · Connected"
    assert window.main.overview.me == "ada.lindqvist"


def test_the_link_shows_where_it_leads(town: Town, host: Host) -> None:
    """The chat's name and address are there before anything is sent."""
    window = town.window()
    window.turn(Way.LINK)
    assert str(window.join.column.heading.title.cget("text")) == "Join with an invite"
    window.paste(host.link, window.join.column.link.link.entry)
    assert str(window.join.column.heading.title.cget("text")) == "Harbour Team"
    under = str(window.join.column.heading.under.cget("text"))
    assert (
        under == f"{sign_of(host.invite.fingerprint or b'').words} · at 127.0.0.1, port {host.port}"
    )


def test_a_damaged_link_is_told_beside_it_and_can_be_mended(town: Town, host: Host) -> None:
    """Half a link: the field is marked and has the keyboard; the whole one then works."""
    window = town.window()
    fill(window, host.link[:60], "Ada")
    assert window.problem.endswith("copy the whole link again.")
    assert window.join.column.link.link.instate(["invalid"])
    assert window.root.focus_displayof() is window.join.column.link.link.entry
    window.type("x")
    assert not window.problem
    fill(window, host.link, "Ada")
    window.online()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Paste the invite link from the host: it starts with chat://."),
        ("hello", "An invite link starts with chat://."),
        (
            "https://example.org/",
            "That is a link to a web page; an invite link starts with chat://.",
        ),
    ],
)
def test_what_is_no_link_is_told_at_once(town: Town, text: str, said: str) -> None:
    """No thread starts for something that can't be an invite."""
    window = town.window()
    fill(window, text, "Ada")
    assert window.problem == said
    assert window.screens.session is None


def test_a_wrong_secret_is_told_at_the_link(town: Town, host: Host) -> None:
    """The server refuses it; the right link gets in with the same window."""
    window = town.window()
    secret = host.invite.secret
    fill(window, host.link.replace(secret, "A" * 22), "Ada")
    window.wait(lambda: window.problem, "the refusal")
    assert window.join.column.link.link.instate(["invalid"])
    assert window.join.column.actions.button.enabled
    assert not Accounts(window.program.data_dir).all()
    fill(window, host.link, "Ada")
    window.online()


def test_the_chat_of_a_link_can_be_asked_instead(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """That one, and not another that was chosen in the list before, which shows it as well."""
    other = FoundChat(b"x" * 32, "Garden Party", ("192.0.2.1",), 12345, 0.0)
    network.chats = [other, advert_of(host)]
    window = town.window()
    rows = window.join.list.rows
    window.wait(lambda: len(rows.order()) == 2, "both")
    window.click_row(rows, f"found:{other.fingerprint.hex()}")
    window.join.take(replace(host.invite, secret="x" * 22))
    fingerprint = host.invite.fingerprint
    assert fingerprint is not None
    assert rows.selected == f"found:{fingerprint.hex()}"
    window.type("Ada", window.join.column.names.name.entry)
    window.key("<Return>")
    window.wait(lambda: window.problem, "the refusal")
    window.click(window.join.column.actions.others[Way.CHAT])
    assert str(window.join.column.heading.title.cget("text")) == "Harbour Team"
    asked(window)


def test_a_chat_that_is_in_no_list_leaves_a_way_back(town: Town, host: Host) -> None:
    """To what is said while there is no chat, from all ways into it."""
    window = town.window()
    window.join.take(host.invite)
    for way in (Way.LINK, Way.CHAT, Way.CODE):
        window.turn(way)
        assert Way.SEARCH in window.join.column.actions.others
    window.click(window.join.column.actions.others[Way.SEARCH])
    assert window.join.way is Way.SEARCH
    assert window.join.chosen is None


def test_another_servers_certificate_is_a_hard_stop(town: Town, host: Host) -> None:
    """A link to the right port with another fingerprint sends nothing and says so."""
    other = town.host("Another")
    window = town.window()
    fill(window, host.link.replace(str(host.port), str(other.port)), "Ada")
    window.wait(lambda: "not the server of the invite" in window.problem, "the warning")
    assert "you joined" not in window.problem
    assert window.problem.endswith("\n127.0.0.1 is another server than the one of the invite.")
    assert below(window.join.column.problem, window.join.column.link.link)
    assert "ada" not in other.connections


def test_a_taken_username_is_told_beneath_it(town: Town, host: Host) -> None:
    """The field has the keyboard and one that is free; taking it gets in under the same name."""
    town.peer(host, "Ada")
    window = town.window()
    fill(window, host.link, "Ada")
    window.wait(lambda: window.problem, "the refusal")
    assert window.join.column.names.username.instate(["invalid"])
    assert below(window.join.column.problem, window.join.column.names.username)
    assert window.join.column.names.username.value == "ada2"
    assert "ada2 is free" in window.problem
    window.key("<Return>")
    window.online()
    assert window.main.overview.me == "ada2"
    assert window.main.overview.name("ada2") == "Ada"


def test_another_username_than_the_free_one_can_be_typed(town: Town, host: Host) -> None:
    """The suggestion is selected: a letter replaces it, and takes the complaint away."""
    town.peer(host, "Ada")
    window = town.window()
    fill(window, host.link, "Ada")
    window.wait(lambda: window.problem, "the refusal")
    window.type("lovelace")
    assert not window.problem
    window.key("<Return>")
    window.online()
    assert window.main.overview.me == "lovelace"


def below(lower: tk.Misc, upper: tk.Misc) -> bool:
    """Whether a widget stands right below another one."""
    settle(upper)
    return 0 <= lower.winfo_rooty() - upper.winfo_rooty() - upper.winfo_height() < 20


def test_the_username_is_shown_and_follows_the_name(town: Town, host: Host) -> None:
    """It is made of the name at each key, until the person types one of their own."""
    window = town.window()
    window.turn(Way.LINK)
    join = window.join
    window.type("Ada", join.column.names.name.entry)
    assert join.column.names.username.value == "ada"
    window.type(" Lovelace", join.column.names.name.entry)
    assert join.column.names.username.value == "ada.lovelace"
    window.key("<BackSpace>", join.column.names.username.entry)
    window.type("x", join.column.names.name.entry)
    assert join.column.names.username.value == "ada.lovelac"
    window.paste(host.link, join.column.link.link.entry)
    window.key("<Return>")
    window.online()
    assert window.main.overview.me == "ada.lovelac"
    assert window.main.overview.name("ada.lovelac") == "Ada Lovelacex"


def test_the_login_is_proposed(town: Town, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is there already, not a picture of one: pasting the link is all to be done."""
    monkeypatch.setattr("chat_client.window.screens.login_name", lambda: "Ada Lovelace")
    window = town.window()
    window.turn(Way.LINK)
    assert (window.join.column.names.name.value, window.join.column.names.username.value) == (
        "Ada Lovelace",
        "ada.lovelace",
    )
    window.paste(host.link, window.join.column.link.link.entry)
    window.key("<Return>")
    window.online()


def test_the_login_joins_by_itself_when_that_is_asked_for(
    town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the host's own window starts it; an account that is there already is signed in to."""
    options = Options(join=host.invite, login_name=True, theme="light")
    monkeypatch.setattr("chat_client.window.screens.login_name", lambda: "Ada Lovelace")
    window = town.window(options=options).online()
    assert window.main.overview.me == "ada.lovelace"
    member = town.member(host, "Bruno")
    folder = member.program.data_dir
    member.close()
    again = town.window(data_dir=folder, options=options).online()
    assert again.main.overview.me == "bruno"


def test_without_a_login_name_the_name_is_asked_for(town: Town, host: Host) -> None:
    """Root is nobody's name: the link is there, and the keyboard is where the name belongs."""
    window = town.window(options=Options(join=host.invite, login_name=True, theme="light"))
    assert parse_invite(window.join.column.link.link.value) == host.invite
    name = window.join.column.names.name.entry
    window.wait(lambda: window.root.focus_get() is name, "the keyboard in the name")
    assert window.screens.session is None


def test_a_copied_link_is_offered(town: Town, host: Host) -> None:
    """At the start, and when the window gets the keyboard again; a click fills it in, no more."""
    second = town.host("Studio North")
    owner = town.window()  # some other program: what it copied is on the clipboard
    owner.root.clipboard_clear()
    owner.root.clipboard_append(f"Join here: {host.link}.")
    window = town.window()
    join = window.join
    window.wait(join.column.offer.winfo_viewable, "the offer")
    assert "Harbour Team" in str(join.column.offer.cget("text"))
    assert below(join.column.offer, join.column.heading)
    window.click(join.column.offer)
    assert parse_invite(join.column.link.link.value) == host.invite
    assert not join.column.offer.winfo_viewable()
    assert window.screens.session is None
    owner.root.clipboard_clear()
    owner.root.clipboard_append(second.link)
    owner.turn(Way.LINK)
    owner.focus(owner.join.column.names.name.entry)
    window.focus(join.column.names.name.entry)
    window.wait(lambda: "Studio North" in str(join.column.offer.cget("text")), "the other offer")
    window.wait(join.column.offer.winfo_viewable, "the other offer")
    assert parse_invite(join.column.link.link.value) == host.invite


@pytest.mark.parametrize("text", ["", "hello", "https://example.org/"])
def test_what_is_no_link_is_not_offered(town: Town, text: str) -> None:
    """Whatever else somebody copies is nobody's business."""
    window = town.window()
    window.root.clipboard_clear()
    window.root.clipboard_append(text)
    window.join._found_on_clipboard(text)
    window.settle()
    assert not window.join.column.offer.winfo_manager()


def test_a_program_that_hangs_with_the_clipboard_holds_nothing_up(town: Town, host: Host) -> None:
    """While Tk waits for it the window works: somebody joins, and the conversation is there."""
    asking: list[bool] = []
    with subprocess.Popen([sys.executable, "-c", _HUNG], stdout=subprocess.PIPE) as hung:
        try:
            assert hung.stdout is not None
            hung.stdout.readline()
            hung.send_signal(signal.SIGSTOP)
            window = town.window()
            clipboard = window.join.clipboard

            def join() -> None:
                if not clipboard._asking:
                    window.root.after(5, join)
                    return
                window.join.turn(Way.LINK)
                window.join.column.link.link.value, window.join.column.names.name.value = (
                    host.link,
                    "Ada",
                )
                window.click(window.join.column.actions.button)
                window.root.after(5, look)

            def look() -> None:
                if not (window.is_main and window.link is Link.ONLINE):
                    window.root.after(5, look)
                    return
                asking.append(clipboard._asking)
                hung.send_signal(signal.SIGCONT)

            window.root.after(5, join)
            window.wait(lambda: asking, "the conversation")
            assert asking == [True]
        finally:
            hung.send_signal(signal.SIGCONT)
            hung.kill()


_HUNG = """
import tkinter as tk
root = tk.Tk()
root.clipboard_append("text")
root.update()
print(flush=True)
root.mainloop()
"""
"""A program that owns the clipboard, until it is stopped."""


def fits(window: Window) -> None:
    """All of the column is in the window, and no text of it is cut."""
    window.settle()
    column = window.join.column.content
    assert column.winfo_y() >= 0
    assert column.winfo_y() + column.winfo_reqheight() <= window.root.winfo_height()
    for part in (
        window.join.column.problem,
        window.join.column.heading.title,
        window.join.column.heading.under,
    ):
        if part.winfo_ismapped():
            assert part.winfo_reqwidth() <= part.master.winfo_width()
            assert part.winfo_reqheight() <= part.winfo_height()


def test_a_small_window_has_all_of_it(town: Town, host: Host) -> None:
    """At 640×480 nothing is cut, nor at its least size with what came of the tries."""
    window = town.window()
    window.turn(Way.LINK)
    window.root.minsize(1, 1)
    window.resize(640, 480)
    fits(window)
    window.join._found_on_clipboard(host.link)
    fits(window)
    attempts = tuple(Attempt(f"192.168.178.2{n}", 12345, Failure.REFUSED) for n in range(6))
    window.join.joining(
        "Trying again…",
        tried(Status(Link.PAUSED, Reason("unreachable"), attempts=attempts)),
    )
    assert "3 more addresses" in window.problem
    fits(window)
    attempts = (Attempt("fd12:3456:789a:1::20", 12345, Failure.WRONG_SERVER),)
    wrong = Status(Link.REFUSED, Reason("wrong_server"), attempts=attempts)
    window.resize(640, 560)  # the least that the window can have
    window.join.refuse(tried(wrong), "")
    fits(window)


def test_a_change_while_joining_ends_the_try(town: Town, host: Host, silent: int) -> None:
    """What is tried is what stands there; so the button is back as soon as that changes."""
    window = town.window()
    fill(window, host.link.replace(str(host.port), str(silent)), "Ada")
    assert window.join.column.actions.cancel.winfo_viewable()
    window.join.column.link.link.value = host.link
    assert window.join.column.actions.button.enabled
    assert window.screens.session is None
    window.key("<Return>", window.join.column.link.link.entry)
    window.online()


def test_an_empty_name_is_asked_for(town: Town, host: Host) -> None:
    """Blank counts as empty."""
    window = town.window()
    fill(window, host.link, "  ")
    assert window.problem == "Enter the name that others will see."
    assert window.join.column.names.name.instate(["invalid"])
    assert window.root.focus_displayof() is window.join.column.names.name.entry


def test_a_name_without_letters_asks_for_a_username(town: Town, host: Host) -> None:
    """No username can be made of it, so the person chooses one; others see the name."""
    window = town.window()
    window.turn(Way.LINK)
    window.paste(host.link, window.join.column.link.link.entry)
    window.paste("♚♛", window.join.column.names.name.entry)
    window.click(window.join.column.actions.button)
    assert "username" in window.problem
    window.type("dimitris", window.join.column.names.username.entry)
    window.key("<Return>")
    window.online()
    assert window.main.overview.name("dimitris") == "♚♛"


@pytest.mark.parametrize("name", ["a" * 65, "Ada\u202eevil", "Ada\x07"])
def test_a_name_that_none_may_have_is_told_at_the_name(town: Town, host: Host, name: str) -> None:
    """Too long, a bidi override, a control character: the rules are shown where the name is."""
    window = town.window()
    window.turn(Way.LINK)
    window.paste(host.link, window.join.column.link.link.entry)
    window.join.column.names.name.value = name  # pasted, it would be without control characters
    window.key("<Return>", window.join.column.names.name.entry)
    assert window.problem.startswith("A name ")
    assert window.join.column.names.name.instate(["invalid"])
    assert window.screens.session is None
    window.join.column.names.name.value = "Ada"
    window.key("<Return>", window.join.column.names.name.entry)
    window.online()


def test_known_chats_are_listed_and_open_with_a_click(town: Town, host: Host) -> None:
    """Leaving goes back to the list; a click on a chat opens it again, signed in."""
    second = town.host("Studio North")
    window = town.member(host, "Ada")
    folder = window.program.data_dir
    window.main._on_leave()
    assert window.title == "ChatClient"
    fill(window, second.link, "Ada")
    window.online()
    window.main._on_leave()
    keys = [account.key for account in Accounts(folder).all()]
    assert window.join.list.rows.order() == keys
    window.click_row(window.join.list.rows, keys[1])
    window.online()
    assert window.title == "general — Harbour Team — ChatClient"


def test_known_chats_open_with_the_keyboard(town: Town, host: Host) -> None:
    """The arrow keys go through the list, and Return opens."""
    window = town.member(host, "Ada")
    window.main._on_leave()
    window.key("<Down>", window.join.list.rows.canvas)
    assert window.screens.session is None
    window.key("<Return>")
    window.online()


def test_the_chat_used_last_opens_by_itself(town: Town, host: Host, tmp_path: Path) -> None:
    """A second start needs neither link nor name, and shows what was said."""
    folder = tmp_path / "ada"
    first = town.window(
        data_dir=folder, options=Options(join=host.invite, name=name_of("Ada"), theme="light")
    ).online()
    first.say("remember this")
    first.wait(lambda: "remember this" in first.lines, "the message")
    first.close()
    second = town.window(data_dir=folder)
    second.wait(lambda: second.is_main, "the main screen")
    assert "remember this" in second.lines
    second.online()


def test_the_server_of_this_computer_is_offered(
    town: Town, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no link: only the name is missing."""
    folder = tmp_path / "here"
    folder.mkdir()
    running = {"invite": host.link, "pid": os.getpid()}
    (folder / "running.json").write_text(json.dumps(running))
    monkeypatch.setattr("chat_client.local_server.data_folder", lambda _: folder)
    window = town.window()
    assert window.join.list.rows.order() == [window.join.list.rows.selected] == ["here"]
    window.turn(Way.LINK)
    window.click_row(window.join.list.rows, "here")
    assert window.join.way is Way.CHAT
    assert window.root.focus_get() is window.join.column.names.name.entry
    window.type("Ada", window.join.column.names.name.entry)
    window.key("<Return>")
    window.online()


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where nobody answers: it listens, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_joining_can_be_cancelled(town: Town, host: Host, silent: int) -> None:
    """While nobody answers, Cancel gives the screen back, and the window can be closed."""
    window = town.window()
    fill(window, host.link.replace(str(host.port), str(silent)), "Ada")
    assert window.join.column.actions.cancel.winfo_viewable()
    assert not window.join.column.actions.button.enabled
    window.click(window.join.column.actions.cancel)
    window.wait(lambda: window.join.column.actions.button.enabled, "the button")
    assert not window.join.column.actions.cancel.winfo_viewable()
    assert window.screens.session is None
    fill(window, host.link, "Ada")
    window.online()


def test_an_unreachable_server_is_tried_again(town: Town, host: Host) -> None:
    """Below the link stands where it was tried; when the server is there, the window is in."""
    link = host.link
    host.stop()
    window = town.window()
    fill(window, link, "Ada")
    window.wait(lambda: window.problem, "the news")
    assert "127.0.0.1" in window.problem
    assert below(window.join.column.problem, window.join.column.link.link)
    assert window.join.column.actions.spinner.running
    host.start()
    window.online()


def test_closing_while_joining_ends_every_thread(town: Town, silent: int, host: Host) -> None:
    """The connector may still wait for its answer; nothing else stays."""
    before = {thread for thread in threading.enumerate() if thread.name == "core"}
    window = town.window()
    fill(window, host.link.replace(str(host.port), str(silent)), "Ada")
    window.close()
    assert window.ended
    assert {thread for thread in threading.enumerate() if thread.name == "core"} == before


def test_what_is_typed_while_the_conversation_opens_is_in_the_composer(
    town: Town, host: Host
) -> None:
    """Keys that were for the screen before, as the one that has the keyboard is not drawn yet."""
    window = town.member(host, "Ada")
    session = window.screens.session
    assert session is not None
    account = session.account
    del session
    window.screens.show_join()
    window.settle()
    former = window.join
    former.column.names.name.entry.focus_set()
    window.settle()
    window.screens.open(account)
    # The X server sent them to the former screen, and Tk gives them to what has the focus now.
    assert former.winfo_exists()
    for key in "hi":
        window.root.event_generate(f"<Key-{key}>")
    window.wait(lambda: window.main.composer.draft == "hi", "what was typed")
    window.online()
    window.wait(lambda: not former.winfo_exists(), "the former screen to be destroyed")
