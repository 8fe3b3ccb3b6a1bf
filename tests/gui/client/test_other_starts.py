"""What further starts of the program have a window do, and what it has other windows do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chat_client.link_argument import DamagedLink
from chat_client.options import Options, name_of
from chat_client.state.status import Link
from chat_client.window.join.screen import JoinScreen
from chat_client.window.join.ways import Way
from common.domain.invite import Invite, parse_invite
from common.system.open_windows import other_windows
from common.system.second_start import Request, hand_over
from common.ui.widgets.dialog import Answer, Dialog
from tests.gui.harness import Host, Town, Window
from tests.window_manager import window_manager

DAMAGED = "chat://10.0.0.1:1/join?fp=lost"


@pytest.fixture(autouse=True)
def _manager() -> Iterator[None]:
    """A window manager, without which no window can be raised."""
    with window_manager():
        yield


def start(window: Window, request: Request) -> bool:
    """Hand over a request to a window, as another process does; whether it was taken."""
    answers: list[bool] = []
    windows = other_windows(window.program.data_dir, None)
    thread = threading.Thread(target=lambda: answers.append(hand_over(windows, request)))
    thread.start()
    window.wait(lambda: answers, "an answer")
    thread.join()
    return answers[0]


def open_link(window: Window, link: str) -> None:
    """Open a link, as a click on it in a browser does."""
    assert start(window, Request(link))


def is_in_front(window: Window) -> bool:
    """Whether it has the keyboard."""
    return window.root.focus_displayof() is not None


def account_of(window: Window) -> str:
    """Which account it says it has open."""
    [found] = other_windows(window.program.data_dir, None)
    return found.account


def test_a_link_fills_the_join_screen(town: Town, host: Host) -> None:
    """Nothing is joined before the person wants it; what was typed as the name stays."""
    window = town.window()
    other = town.window()
    for each in (window, other):
        each.turn(Way.LINK)
    window.type("Ada", window.join.column.names.name.entry)
    other.focus(other.join.column.names.name.entry)
    open_link(window, host.link)
    window.wait(lambda: window.join.column.link.link.value == host.link, "the link")
    window.wait(lambda: is_in_front(window), "the window in front")
    assert window.join.column.names.name.value == "Ada"
    assert window.screens.session is None
    window.key("<Return>", window.join.column.names.name.entry)
    window.online()


def test_a_link_leaves_a_conversation_for_the_join_screen(town: Town, host: Host) -> None:
    """What was being written is a draft then, and the chat that is left is one click away."""
    ada = town.member(host, "Ada")
    ada.type("half a sentence", ada.composer)
    market = town.host("Market")
    open_link(ada, market.link)
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert ada.join.column.link.link.value == market.link
    assert account_of(ada) == ""
    [key] = [key for key in ada.join.list.rows.order() if key != "here"]
    ada.click_row(ada.join.list.rows, key)
    ada.online()
    assert ada.main.composer.draft == "half a sentence"
    assert account_of(ada) == key


def test_a_link_to_the_open_chat_only_raises_it(town: Town, host: Host) -> None:
    """The connection is not even made anew."""
    ada = town.member(host, "Ada")
    session = ada.screens.session
    other = town.window()
    other.turn(Way.LINK)
    other.focus(other.join.column.names.name.entry)
    open_link(ada, host.link)
    ada.wait(lambda: is_in_front(ada), "the window in front")
    ada.settle()
    assert ada.screens.session is session
    assert ada.link is Link.ONLINE


def test_a_link_with_the_new_address_of_a_lost_chat_is_used(town: Town, host: Host) -> None:
    """The server of an open conversation has moved, and its host sent the link anew."""
    ada = town.member(host, "Ada")
    host.stop()
    ada.wait(lambda: ada.link is not Link.ONLINE, "the loss")
    host.start()  # at another port
    open_link(ada, host.link)
    ada.online()
    assert ada.screens.session is not None
    assert ada.screens.session.account.invite == host.invite


@pytest.mark.parametrize("text", [DAMAGED, "", "https://example.org/", "x" * 9000])
def test_a_damaged_link_is_shown_with_its_problem(town: Town, host: Host, text: str) -> None:
    """On the join screen with what was opened; in a conversation as a notice, which it stays."""
    window = town.window()
    screen = window.join
    open_link(window, text)
    window.wait(lambda: window.problem, "the problem")
    assert window.join is screen  # with the name that was typed there
    assert window.join.column.link.link.value == text[:8192]
    ada = town.member(host, "Ada")
    open_link(ada, text)
    ada.wait(lambda: "is no invite" in ada.main.view.toasts.text, "the notice")
    assert ada.link is Link.ONLINE


def test_a_window_is_opened_with_a_damaged_link(town: Town) -> None:
    """A first start: whoever clicked on it sees what is wrong, and can paste another one."""
    options = Options(damaged=DamagedLink(DAMAGED, "the link is damaged"), theme="light")
    window = town.window(options=options)
    assert window.problem == "The link is damaged."
    assert window.join.column.link.link.value == DAMAGED
    window.wait(
        lambda: window.root.focus_get() is window.join.column.link.link.entry, "the keyboard there"
    )


def test_a_link_from_outside_joins_nothing(town: Town, host: Host, tmp_path: Path) -> None:
    """Also where this computer was in a chat of that name before: a web page may say that."""
    folder = tmp_path / "ada"
    ada = town.window(
        data_dir=folder, options=Options(join=host.invite, name=name_of("Ada"), theme="light")
    ).online()
    ada.close()
    fake = replace(host.invite, fingerprint=b"x" * 32)
    window = town.window(
        data_dir=folder, options=Options(join=fake, from_outside=True, theme="light")
    )
    window.settle()
    assert parse_invite(window.join.column.link.link.value) == fake
    assert not window.join._joining
    window.close()


def test_a_link_waits_for_the_answer_to_a_question(town: Town, host: Host) -> None:
    """Whatever was asked is about what is on the screen; of several links, the last one counts."""
    ada = town.member(host, "Ada")
    market = town.host("Market")
    dialog = Dialog(ada.root, ada.screens._theme, "Really?", "It is asked.")

    def answer() -> None:
        assert start(ada, Request(host.link))
        assert start(ada, Request(market.link))
        ada.settle()
        assert ada.is_main
        dialog.choose("ok")

    ada.root.after(50, answer)
    dialog.ask()
    assert ada.is_main
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert ada.join.column.link.link.value == market.link


def test_what_can_not_be_stored_is_not_left(
    town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk, the person is asked before a link takes what was written away."""
    ada = town.member(host, "Ada")
    market = town.host("Market")
    asked: list[str] = []

    def ask(dialog: Dialog) -> Answer:
        asked.append(dialog.window.title())
        dialog.choose("keep")
        return Answer("keep")

    monkeypatch.setattr(Dialog, "ask", ask)
    monkeypatch.setattr(type(ada.main), "would_lose", property(lambda _: True))
    open_link(ada, market.link)
    ada.wait(lambda: asked, "the question")
    assert ada.is_main
    monkeypatch.undo()


def test_only_the_window_with_the_account_is_raised(town: Town, host: Host) -> None:
    """A start asks for an account; one without any is for a window that has none open."""
    ada = town.member(host, "Ada")
    key = account_of(ada)
    assert start(ada, Request(None, key))
    assert not start(ada, Request(None, "bruno@x"))
    assert not start(ada, Request(None))
    ada.main._on_leave()
    ada.settle()
    assert not start(ada, Request(None, key))
    assert start(ada, Request(None))


def test_an_account_opens_in_one_window_only(town: Town, host: Host) -> None:
    """A second window for it raises the first one, and ends."""
    first = town.member(host, "Ada")
    second = town.window(data_dir=first.program.data_dir)
    first.wait(lambda: second.ended, "the end of the second window")
    first.wait(lambda: is_in_front(first), "the first one in front")
    assert first.link is Link.ONLINE


def test_a_further_window_raises_the_one_with_a_chat_or_takes_another_name(
    town: Town, host: Host
) -> None:
    """A click on a chat that is open elsewhere goes there; the further window stays."""
    first = town.member(host, "Ada")
    options = Options(new_window=True, theme="light")
    second = town.window(data_dir=first.program.data_dir, options=options)
    second.focus(second.join.list.rows.canvas)
    second.click_row(second.join.list.rows, account_of_first(first))
    first.wait(lambda: is_in_front(first), "the first one in front")
    assert "is open in another ChatClient window" in second.problem
    assert not second.ended
    second.turn(Way.LINK)
    second.join.column.link.link.value = host.link
    second.join.column.names.name.value = "Bruno"
    second.focus(second.join.column.names.name.entry)
    second.key("<Return>")
    second.online()
    assert first.link is Link.ONLINE
    # A link to the chat goes to the first window's account only when it is that one.
    accounts = {each.account for each in other_windows(first.program.data_dir, None)}
    assert len(accounts) == 2


def account_of_first(window: Window) -> str:
    """The key of the account that a window has open."""
    assert window.screens.session is not None
    return window.screens.session.account.key


def test_a_window_that_can_not_be_asked_is_told_of(
    town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as that of an older version: the account is in use, and this window says so."""
    first = town.member(host, "Ada")
    monkeypatch.setattr("chat_client.window.other_starts.other_windows", lambda *_: [])
    second = town.window(data_dir=first.program.data_dir)
    second.settle()
    assert "is open in another ChatClient window" in second.problem
    assert not second.ended
    assert isinstance(second.screens.screen, JoinScreen)


def test_a_link_to_a_chat_that_another_window_has(town: Town, host: Host) -> None:
    """The window that got it leaves it to that one, and stays where it is."""
    first = town.member(host, "Ada")
    market = town.host("Market")
    second = town.window(
        data_dir=first.program.data_dir,
        options=Options(join=market.invite, name=name_of("Bruno"), theme="light"),
    ).online()
    second.focus(second.composer)
    second.screens.open_link(host.link)
    first.wait(lambda: is_in_front(first), "the first one in front")
    assert second.is_main
    assert second.link is Link.ONLINE


def test_a_link_for_somebodys_device_is_theirs_alone(town: Town, host: Host) -> None:
    """It names the account (`as=`): another account of this computer there is not opened by it."""
    ada = town.member(host, "Ada")
    bound = replace(host.invite, username="bruno")
    open_link(ada, bound.link())
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert ada.screens.session is None
    own = replace(host.invite, username="ada")
    open_link(ada, own.link())
    ada.online()
    assert ada.main.overview.me == "ada"


def test_a_closed_window_leaves_no_entry(town: Town, host: Host) -> None:
    """Whoever starts next has nobody to ask."""
    ada = town.member(host, "Ada")
    folder = ada.program.data_dir
    ada.close()
    assert other_windows(folder, None) == []


def test_an_invite_is_not_handed_to_a_place_it_does_not_name(town: Town, host: Host) -> None:
    """The link of another chat with the same name does not open the account of this one."""
    ada = town.member(host, "Ada")
    other: Invite = replace(host.invite, fingerprint=b"x" * 32)
    open_link(ada, other.link())
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert parse_invite(ada.join.column.link.link.value) == other
    assert not ada.join._joining
