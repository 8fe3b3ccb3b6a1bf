"""One's own account in ChatClient's window, with a real server: its name, devices and end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pytest

from chat_client.state.news import DeviceAdded
from chat_client.state.status import Link
from chat_client.window.devices_dialog import DevicesDialog
from chat_client.window.own_dialogs import YES
from common.domain.invite import parse_invite
from common.domain.names import direct_room
from common.protocol import messages
from common.protocol.messages import Error, ToClient, ToServer
from common.ui.widgets.dialog import Dialog
from tests.gui.harness import Host, Peer, Town, Window, texts

ADA = "ada.lindqvist"
BRUNO = "bruno.okafor"
DIRECT = direct_room(ADA, BRUNO)


def ask(host: Host, command: Callable[[int], ToServer]) -> ToClient:
    """Have the host do something that it may do."""
    reply = host.ask(command)
    assert not isinstance(reply, Error), reply
    return reply


def answer(window: Window, *acts: Callable[[Dialog], object]) -> list[str]:
    """Call each of `acts` with one dialog after the other, as soon as it can be answered.

    Returns what stood in each of them, once that has happened.
    """
    seen: list[Dialog] = []
    read: list[str] = []
    left = list(acts)

    def look() -> None:
        dialog = window.main.dialog if window.is_main else None
        ready = dialog is not None and dialog not in seen and dialog.window.winfo_exists()
        if ready and window.root.tk.call("grab", "current") and dialog is not None:
            seen.append(dialog)
            read.append(" ".join(texts(dialog.window)))
            left.pop(0)(dialog)
        if left:
            window.root.after(10, look)

    window.root.after(1, look)
    return read


def typed(text: str, *options: str) -> Callable[[Dialog], None]:
    """Answer a dialog with a text, and with these options."""

    def act(dialog: Dialog) -> None:
        assert dialog.field is not None
        dialog.field.value = text
        for row, option in zip(dialog.options, options, strict=True):
            row.choose(option)
        dialog.choose(YES)

    return act


def cancelled(dialog: Dialog) -> None:
    """Close a dialog without an answer."""
    dialog.choose("no")


def has_grab(window: Window, dialog: Dialog) -> bool:
    """Whether a dialog gets all clicks and keys."""
    grabbed = window.root.tk.splitlist(window.root.tk.call("grab", "current"))
    return str(dialog.window) in map(str, grabbed)


def labels(window: Window) -> list[str]:
    """What the menu of one's own account has."""
    return [item.label for item in window.main.own_menu.items() if item.label]


def device_names(dialog: DevicesDialog) -> Sequence[bool]:
    """Of the devices that are shown, in their order, whether each is this one."""
    return [each.current for each in dialog.devices]


def test_the_menu_opens_by_a_click_on_who_one_is(
    ada: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the name, the picture or the button; and by keys on the button."""
    opened: list[tuple[int, int]] = []
    monkeypatch.setattr(ada.main.own_menu, "open", lambda x, y: opened.append((x, y)))
    sidebar = ada.main.sidebar
    for widget in (sidebar._name, sidebar._username, sidebar._avatar):
        widget.event_generate("<Button-1>")
    sidebar.own_button.invoke()
    assert opened == [(sidebar.me.winfo_rootx(), sidebar.me.winfo_rooty())] * 4
    assert labels(ada) == [
        "Change your name…", "Your devices…", "Use as another person…", "Delete your account…",
    ]  # fmt: skip


def test_another_name_is_seen_everywhere(ada: Window, bruno: Peer) -> None:
    """In the sidebar, the messages and the list of members; it is stored, too."""
    read = answer(ada, typed("Ada (you)"), typed("  Countess   Ada "))
    ada.main.own_menu.rename()
    assert "could be taken for" in read[1]
    ada.wait(lambda: ada.main.sidebar._name.cget("text") == "Countess Ada", "the new name")
    assert ada.screens.session is not None
    assert ada.screens.session.account.display_name == "Countess Ada"
    assert ada.main.overview.member(ADA).name == "Countess Ada"
    assert "Countess Ada joined" in ada.said
    ada.wait(lambda: "Your name is Countess Ada now" in ada.main.toasts.text, "the toast")
    assert bruno.link is Link.ONLINE
    (account,) = ada.screens._accounts.all()
    assert account.display_name == "Countess Ada"


def test_a_name_is_refused_where_it_is_typed_or_by_the_server(ada: Window, host: Host) -> None:
    """Nothing is asked for where nothing is to be changed."""
    told: list[object] = []
    order = ada.main.own_menu._order
    ada.main.own_menu._order = told.append
    for act in (cancelled, typed("Ada Lindqvist")):
        answer(ada, act)
        ada.main.own_menu.rename()
    assert told == []
    ada.main.own_menu._order = order
    ask(host, lambda n: messages.MutePerson(id=n, username=ADA, reason="Enough"))
    ada.wait(lambda: ada.main.composer.closed, "the mute")
    answer(ada, typed("Loud Ada"))
    ada.main.own_menu.rename()
    ada.wait(lambda: "Not done" in ada.main.toasts.text, "the refusal")
    assert ada.main.sidebar._name.cget("text") == "Ada Lindqvist"


def test_ones_devices_are_listed_added_and_signed_out(ada: Window, town: Town) -> None:
    """The link adds one that comes in as oneself; who is signed out is gone from the list."""
    added: list[Peer] = []

    def act(dialog: Dialog) -> None:
        assert isinstance(dialog, DevicesDialog)
        try:
            look(dialog)
        finally:
            dialog.choose("close")

    def look(dialog: DevicesDialog) -> None:
        ada.wait(lambda: device_names(dialog) == [True], "the list")
        assert dialog.sign_out == {}
        dialog.add.invoke()
        ada.wait(lambda: dialog.link.link, "a link")
        assert dialog.copy_link.content == dialog.link.link
        assert dialog.window.focus_lastfor() is dialog.copy_link
        assert "works once" in str(dialog.note.cget("text"))
        invite = parse_invite(dialog.link.link)
        assert invite.username == ADA
        added.append(town.peer_of(invite, "Ada Lindqvist"))
        dialog._order(lambda core: core.list_devices())
        ada.wait(lambda: device_names(dialog) == [True, False], "the other device")
        (button,) = dialog.sign_out.values()
        ada.root.after(1, lambda: confirm(dialog))
        button.invoke()
        ada.wait(lambda: device_names(dialog) == [True], "that it is gone")
        assert has_grab(ada, dialog)

    def confirm(dialog: DevicesDialog) -> None:
        if dialog.question is None or not has_grab(ada, dialog.question):
            ada.root.after(10, lambda: confirm(dialog))
        else:
            dialog.question.choose("sign_out")

    answer(ada, act)
    ada.main.own_menu.show_devices()
    (peer,) = added
    peer.until(lambda: peer.link is Link.SIGNED_OUT, "the goodbye")


def in_devices(window: Window, act: Callable[[DevicesDialog], None]) -> None:
    """Open one's devices, do something there, and close them."""

    def begin(dialog: Dialog) -> None:
        assert isinstance(dialog, DevicesDialog)
        try:
            act(dialog)
        finally:
            dialog.choose("close")

    answer(window, begin)
    window.main.own_menu.show_devices()


def offers_link(dialog: DevicesDialog) -> bool:
    """Whether a link is there to be copied."""
    return bool(dialog.link.link and dialog.copy_link.winfo_ismapped())


def test_a_link_that_was_used_is_offered_no_more(ada: Window, town: Town, host: Host) -> None:
    """It says who has joined with it. What joins otherwise leaves it there, until it is revoked."""

    def act(dialog: DevicesDialog) -> None:
        ada.wait(lambda: device_names(dialog) == [True], "the list")
        dialog.add.invoke()
        ada.wait(lambda: offers_link(dialog), "a link")
        invite = parse_invite(dialog.link.link)
        ada.main.own_menu.hear(DeviceAdded("Elsewhere (Linux)"))
        ada.wait(lambda: device_names(dialog) == [True], "the list again")
        assert offers_link(dialog)
        town.peer_of(invite, "Ada Lindqvist")
        ada.wait(lambda: not offers_link(dialog), "that it is gone")
        assert "has joined with the link" in str(dialog.note.cget("text"))
        assert dialog.note.winfo_ismapped()
        assert dialog.copy_link.content == ""
        assert dialog.add.cget("text") == "Add a device…"
        assert device_names(dialog) == [True, False]
        dialog.add.invoke()
        ada.wait(lambda: offers_link(dialog), "another link")
        assert parse_invite(dialog.link.link) != invite
        number = dialog._number
        assert number is not None
        ask(host, lambda n: messages.RevokeInvite(id=n, number=number))
        dialog._look_again()
        ada.wait(lambda: not offers_link(dialog), "that it is gone")
        assert "can’t be used any more" in str(dialog.note.cget("text"))

    in_devices(ada, act)


def test_a_device_that_is_signed_out_says_so_and_keeps_what_it_has(ada: Window, host: Host) -> None:
    """On the join screen; its account is still listed there."""
    devices = ask(host, lambda n: messages.ListDevices(id=n, username=ADA))
    assert isinstance(devices, messages.Devices)
    (device,) = devices.devices
    ask(host, lambda n: messages.RemoveDevice(id=n, username=ADA, device=device.device))
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert "signed out" in ada.problem
    assert [each.username for each in ada.screens._accounts.all()] == [ADA]


@pytest.mark.parametrize("fate", ["keep", "remove"])
def test_deleting_ones_account(
    ada: Window, bruno: Peer, host: Host, fate: Literal["keep", "remove"]
) -> None:
    """Only by typing the username; the copies on this computer go, others keep theirs or not."""
    ada.main._session.ask(lambda core: core.send("general", "message", {"text": "canary"}))
    bruno.until(lambda: "canary" in bruno.texts(), "the message")
    assert ada.screens.session is not None
    folder: Path = ada.screens._accounts.folder(ada.screens.session.account)
    assert (folder / "cache.db").exists()
    read = answer(ada, typed("ada", fate), typed("@Ada.Lindqvist", fate))
    ada.main.own_menu.delete()
    assert "that is not your username" in read[1]
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert "was deleted" in ada.problem
    assert not folder.exists()
    assert ada.screens._accounts.all() == []
    bruno.until(lambda: bruno.events[-1].kind == "account_deleted", "the event")
    people = ask(host, lambda n: messages.ListPeople(id=n))
    assert isinstance(people, messages.People)
    (gone,) = [each for each in people.people if each.username == ADA]
    assert (gone.former, gone.erased) == (True, fate == "remove")


def test_a_deletion_that_is_not_confirmed_deletes_nothing(ada: Window) -> None:
    """However often it is typed wrong before it is cancelled."""
    answer(ada, typed("bruno", "remove"), typed("", "remove"), cancelled)
    ada.main.own_menu.delete()
    ada.settle()
    assert ada.is_main
    assert ada.link is Link.ONLINE


def test_whoever_is_deleted_by_the_host_sees_why(ada: Window, host: Host) -> None:
    """What this computer has can be read, until it is removed from there."""
    ask(host, lambda n: messages.DeleteAccount(id=n, username=ADA, messages="keep"))
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert ada.problem == "This account was deleted."
    (account,) = ada.screens._accounts.all()
    ada.screens.open(account)
    ada.wait(lambda: ada.is_main and ada.link is Link.REFUSED, "the refusal")
    assert "This account was deleted." in ada.banner
    assert "joined" in ada.said
    assert labels(ada) == ["Use as another person…", "Remove from this computer…"]
    folder = ada.screens._accounts.folder(account)
    answer(ada, lambda dialog: dialog.choose(YES))
    ada.main.own_menu.remove()
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert not folder.exists()


@pytest.mark.parametrize("fate", ["keep", "remove"])
def test_a_former_member_is_one_everywhere(
    ada: Window, bruno: Peer, host: Host, fate: Literal["keep", "remove"]
) -> None:
    """Sidebar, messages, members, completion, notifications; nobody can be written to any more."""
    bruno.say("canary one", "canary two")
    bruno.say("psst, canary", room=DIRECT)
    ada.wait(lambda: "canary two" in ada.said, "the messages")
    ada.main.open(DIRECT)
    ada.wait(lambda: "psst" in ada.said, "the direct message")
    ask(host, lambda n: messages.DeleteAccount(id=n, username=BRUNO, messages=fate))
    ada.wait(lambda: "left: the account was deleted" in ada.said, "the event")
    ada.wait(lambda: ada.main.composer.closed, "that nobody can write")
    assert "Former member" in texts(ada.main.header)
    assert "No longer here" in ada.state
    assert ("canary" in ada.said) == (fate == "keep")
    assert "Bruno" not in ada.said
    ada.main.open("general")
    ada.settle()
    assert not ada.main.composer.closed
    assert ("canary" in ada.said) == (fate == "keep")
    assert "Bruno" not in " ".join(texts(ada.root))
    assert [item.username for item in ada.main.overview.members("general")] == [ADA]
    assert not ada.main.overview.mentions_in("hello @Bruno Okafor")
    (direct,) = ada.main.overview.direct()
    assert (direct.label, direct.handle) == ("Former member", "")
