"""What a mute, a ban and a role mean in ChatClient's window, with a real server."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from chat_client.core import Core
from chat_client.state.moderation import Moderation
from chat_client.state.news import (
    Moderated,
    MuteChanged,
    PersonSeen,
    RoleChanged,
    RoomRefused,
    RoomSeen,
    SanctionsListed,
    StatusChanged,
    Welcomed,
)
from chat_client.state.status import Link, Status
from chat_client.window import person_menu
from chat_client.window.moderation_dialogs import YES
from common.domain.reasons import Reason
from common.domain.times import until_text
from common.protocol import messages
from common.protocol.messages import Person, ToClient, ToServer
from common.ui.lists.row_list import ListRow
from common.ui.widgets.dialog import Dialog
from tests.gui.harness import Host, Peer, Window

USERNAME = "ada.lindqvist"
HOUR = 3_600_000


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def stopped_clock(ada: Window) -> list[float]:
    """The seconds of the window's clock of the server, which stand still until they are changed."""
    clock = ada.main.connection.clock
    seconds = [clock._passed()]
    clock._passed = lambda: seconds[0]
    return seconds


def ask(host: Host, command: Callable[[int], ToServer]) -> ToClient:
    """Have the host do something that it may do."""
    reply = host.ask(command)
    assert not isinstance(reply, messages.Error), reply
    return reply


def answer(window: Window, act: Callable[[Dialog], object]) -> None:
    """Call `act` with the next dialog as soon as it can be answered."""

    def look() -> None:
        dialog = window.main.dialog
        if (
            dialog is None
            or not dialog.window.winfo_exists()
            or not window.root.tk.call("grab", "current")
        ):
            window.root.after(10, look)
        else:
            act(dialog)

    window.root.after(1, look)


def menus_shown(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The labels of each menu about a person that is opened from now on; none is drawn."""
    shown: list[list[str]] = []
    monkeypatch.setattr(
        person_menu,
        "popup",
        lambda _parent, _theme, items, _x, _y: shown.append([item.label for item in items]),
    )
    return shown


def why(window: Window) -> str:
    """What the composer says about being closed; "" when it does not."""
    label = window.main.composer._closed
    return str(label.cget("text")) if label.winfo_manager() else ""


def test_bans_and_mutes_go_by_the_servers_clock(ada: Window) -> None:
    """Where this computer's is an hour behind or ahead, a mute ends when the server says so."""
    for offset in (HOUR, -HOUR):
        ada.main.apply([Welcomed(now() + offset, time.monotonic())])
        told = now() + offset
        ada.main.apply([MuteChanged(Reason("muted", {"reason": "", "until": told + 60_000}))])
        assert ada.main.composer.closed
        ada.main.apply([MuteChanged(Reason("muted", {"reason": "", "until": told - 60_000}))])
        assert not ada.main.composer.closed
    # What was told a while ago has gone on since.
    ada.main.apply([Welcomed(now() - HOUR, time.monotonic() - HOUR / 1000)])
    assert abs(ada.main.connection.clock.now() - now()) < 60_000


@pytest.mark.parametrize("jump", [3 * HOUR, -3 * HOUR])
def test_a_clock_that_is_set_changes_no_ban_or_mute(
    ada: Window, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    """As after a start without network, when the time comes a minute later.

    Neither what one is told nor what a moderator asks for moves with it.
    """
    told: list[Moderation] = []
    monkeypatch.setattr(Core, "moderate", lambda _, wanted: told.append(wanted))
    began = now()
    mute = Reason("muted", {"reason": "", "until": began + HOUR})
    ada.main.apply([Welcomed(began, time.monotonic()), MuteChanged(mute)])
    wall, wall_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: wall() + jump / 1000)
    monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + jump * 1_000_000)
    ada.main.connection._look_at_ends()
    assert ada.main.composer.closed
    answer(ada, lambda dialog: dialog.choose(YES))
    ada.main.person_menu.moderate("zoe", "mute")
    ada.wait(lambda: told, "the order")
    assert told[0].until is not None
    assert abs(told[0].until - (began + HOUR)) < 60_000


def test_what_is_for_some_time_is_counted_from_the_servers_time(
    ada: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mute for an hour is one there, too, if this computer's clock is a day behind."""
    told: list[Moderation] = []
    monkeypatch.setattr(Core, "moderate", lambda _, wanted: told.append(wanted))
    ada.main.apply([Welcomed(now() + 24 * HOUR, time.monotonic()), RoleChanged("moderator")])
    ada.main.apply(
        [PersonSeen(Person(username="zoe", display_name="Zoe", role="member", change=9))]
    )
    assert ada.main.overview.may_moderate("zoe")
    answer(ada, lambda dialog: dialog.choose(YES))
    ada.main.person_menu.moderate("zoe", "mute")
    ada.wait(lambda: told, "the order")
    assert told[0].until is not None
    assert abs(told[0].until - (now() + 25 * HOUR)) < 60_000
    ada.main.apply([RoleChanged("member")])
    assert not ada.main.overview.may_moderate("zoe")


def test_who_is_muted_reads_and_can_not_write(host: Host, ada: Window, bruno: Peer) -> None:
    """The composer says why and until when, keeps what is written, and opens again."""
    ada.type("half a thought", ada.composer)
    until = now() + HOUR
    ask(
        host,
        lambda re: messages.MutePerson(id=re, username=USERNAME, until=until, reason="Too loud"),
    )
    ada.wait(lambda: ada.main.composer.closed, "the mute")
    moment = until_text(until, time.time_ns() // 1_000_000)
    assert why(ada) == f"You are muted until {moment}: Too loud."
    assert not ada.main.composer.send_button.enabled
    ada.type("more", ada.composer)
    ada.composer.event_generate("<<Undo>>")
    ada.main.composer.editing.insert("and more")
    ada.main.composer.submit()
    assert ada.main.composer.draft == "half a thought"
    bruno.say("still here?")
    ada.wait(lambda: "still here?" in ada.lines, "what others say")
    # Another room's draft comes and goes as ever.
    ada.main.open(f"dm:{USERNAME}:{bruno.username}")
    assert (ada.main.composer.draft, ada.main.composer.closed) == ("", True)
    ada.main.open("general")
    assert ada.main.composer.draft == "half a thought"
    ask(host, lambda re: messages.Unmute(id=re, username=USERNAME))
    ada.wait(lambda: not ada.main.composer.closed, "the end of it")
    assert why(ada) == ""
    ada.main.composer.editing.insert("!")
    ada.composer.event_generate("<<Undo>>")
    ada.wait(lambda: ada.main.composer.draft == "half a thought", "what was before")
    ada.main.composer.submit()
    bruno.until(lambda: "half a thought" in bruno.texts(), "the message")


def test_what_was_refused_by_a_mute_is_sent_again_when_it_is_over(
    host: Host, ada: Window, bruno: Peer
) -> None:
    """Written without a connection, and muted meanwhile: it is kept, with the reason beside it."""
    host.terminate(USERNAME, "")
    ada.wait(lambda: ada.link is Link.SIGNED_OUT, "the end")
    ada.type("anybody there?\n", ada.composer)
    ask(host, lambda re: messages.MutePerson(id=re, username=USERNAME, reason="Too loud"))
    ada.click(ada.main.banner._action)
    ada.online()
    ada.wait(lambda: "Not sent: you are muted: Too loud" in ada.said, "the refusal")
    ada.click_text("Send again")
    ada.wait(lambda: toast(ada) == "You are muted: Too loud.", "why not")
    ask(host, lambda re: messages.Unmute(id=re, username=USERNAME))
    ada.wait(lambda: not ada.main.composer.closed, "the end of it")
    ada.click(ada.messages, 3, 3)  # elsewhere: two clicks on one place select a word
    ada.click_text("Send again")
    bruno.until(lambda: "anybody there?" in bruno.texts(), "the message")
    ada.wait(lambda: "Not sent: " not in ada.said, "its place")
    ada.wait(lambda: ada.main.connection.waiting == 0, "nothing to wait any more")


def test_a_room_that_the_server_does_not_bring_is_told_so(ada: Window, bruno: Peer) -> None:
    """When it is open, and each time it is opened; until it is asked for anew."""
    room = f"dm:{USERNAME}:{bruno.username}"
    ada.main.apply([RoomSeen(room), RoomRefused(room, Reason("closed_for_now", {"room": room}))])
    assert toast(ada) == ""
    ada.main.open(room)
    told = "Nothing new comes here: the server says “closed for now”"
    assert toast(ada) == told
    ada.main.toasts.hide()
    ada.main.open("general")
    ada.main.apply([RoomSeen(room)])
    ada.main.open(room)
    assert toast(ada) == ""
    ada.main.apply([RoomRefused(room, Reason("closed_for_now", {"room": room}))])
    assert toast(ada) == told
    ada.main.apply([StatusChanged(Status(Link.PAUSED, Reason("lost"), retry_at=1e9), 0)])
    ada.main.toasts.hide()
    ada.main.open("general")
    ada.main.open(room)
    assert toast(ada) == ""


def test_a_mute_ends_by_itself(ada: Window) -> None:
    """At its time, which nobody tells; without one it stays."""
    ada.main.apply([MuteChanged(Reason("muted", {"reason": ""}))])
    assert why(ada) == "You are muted."
    time_there = stopped_clock(ada)
    until = ada.main.connection.clock.now() + 100
    ada.main.apply([MuteChanged(Reason("muted", {"reason": "", "until": until}))])
    assert ada.main.composer.closed
    time_there[0] += 1
    ada.wait(lambda: not ada.main.composer.closed, "its end")
    ada.main.apply([MuteChanged(Reason("muted", {"reason": "", "until": now() - 60_000}))])
    assert not ada.main.composer.closed


@pytest.mark.parametrize("until", ["soon", -(2**53) + 1, 2**53 - 1])
def test_a_time_that_is_none_is_borne(ada: Window, until: str | int) -> None:
    """A foreign server may say anything; and no timer is as long as that."""
    reason = Reason("banned", {"reason": "", "until": until})
    ada.main.apply([MuteChanged(reason), StatusChanged(Status(Link.SIGNED_OUT, reason), 0)])
    assert ada.banner.startswith("You are banned from this chat")
    over = isinstance(until, int) and until < 0
    assert ada.main.composer.closed is not over
    ada.root.update()
    assert bool(ada.main.banner._action.winfo_ismapped()) is over


def test_a_mute_is_told_at_sign_in(host: Host, ada: Window) -> None:
    """Also of who was away when it was made."""
    host.terminate(USERNAME, "")
    ada.wait(lambda: ada.link is Link.SIGNED_OUT, "the end")
    ask(host, lambda re: messages.MutePerson(id=re, username=USERNAME))
    ada.click(ada.main.banner._action)
    ada.online()
    ada.wait(lambda: why(ada) == "You are muted.", "the mute")


def test_who_is_banned_is_told_and_offered_nothing_that_can_not_help(
    host: Host, ada: Window
) -> None:
    """Why and until when; a way back only when it is over."""
    until = now() + HOUR
    ask(host, lambda re: messages.Ban(id=re, username=USERNAME, until=until, reason="Enough"))
    ada.wait(lambda: ada.link is Link.SIGNED_OUT, "the end")
    moment = until_text(until, time.time_ns() // 1_000_000)
    assert ada.banner == f"You are banned from this chat until {moment}: Enough."
    assert not ada.main.banner._action.winfo_ismapped()
    assert not ada.main._session.core._controller.wants_connection
    ada.main.view.connect()
    ada.wait(lambda: ada.link is Link.REFUSED, "the refusal")
    assert ada.banner == f"You are banned from this chat until {moment}: Enough."
    assert not ada.main.banner._action.winfo_ismapped()
    ask(host, lambda re: messages.Unban(id=re, username=USERNAME))
    time_there = stopped_clock(ada)
    over = Reason("banned", {"reason": "", "until": ada.main.connection.clock.now() + 100})
    ada.main.apply([StatusChanged(Status(Link.REFUSED, over), 0)])
    assert not ada.main.banner._action.winfo_ismapped()
    time_there[0] += 1
    ada.wait(ada.main.banner._action.winfo_ismapped, "the end of it")
    assert ada.main.banner._action.cget("text") == "Sign in again"
    ada.click(ada.main.banner._action)
    ada.online()
    assert ada.banner == ""


def test_moderators_are_marked_and_may_do_more(
    host: Host, ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the list of members, also of the next start; the menu has what they may do."""
    shown = menus_shown(monkeypatch)
    ada.main.person_menu.open(bruno.username, 0, 0)
    assert shown.pop() == ["Message", "Copy username"]
    ask(host, lambda re: messages.SetRole(id=re, username=USERNAME, role="moderator"))
    ada.wait(lambda: ada.main.overview.may_moderate(bruno.username), "the role")
    assert toast(ada) == "You are a moderator now: right-click a member"
    rows = ada.main.members.people.items()
    marks = {row.key: row.mark for row in rows if isinstance(row, ListRow)}
    assert (marks[USERNAME], marks[bruno.username]) == ("shield", None)
    assert ada.main._session.reader.moderators() == {USERNAME}
    for username, hint in ((USERNAME, "Moderator"), (bruno.username, "")):
        top, bottom = ada.main.members.people.bounds(username)
        canvas = ada.main.members.people.canvas
        canvas.event_generate("<Motion>", x=30, y=(top + bottom) // 2)
        ada.wait(lambda hint=hint: ada.main.members.hint.text == hint, "the hint")  # type: ignore[misc]
    start, end = ("Message", "Copy username", ""), ("", "Terminate…", "Ban…")
    for muted, items in ((False, ["Mute…"]), (True, ["Unmute"]), (False, ["Mute…"])):
        # What the host did a moment ago: nobody else is told of it.
        if muted:
            ask(host, lambda re: messages.MutePerson(id=re, username=bruno.username))
        ada.main.person_menu.open(bruno.username, 0, 0)
        ada.wait(lambda: shown, "the menu")
        assert shown.pop() == [*start, *items, *end]
        if muted:
            ask(host, lambda re: messages.Unmute(id=re, username=bruno.username))
    # Who gets no answer in time is offered both; a late answer brings no second menu.
    with monkeypatch.context() as silent:
        silent.setattr(Core, "list_sanctions", lambda _: None)
        ada.main.person_menu.open(bruno.username, 0, 0)
        ada.wait(lambda: shown, "the menu")
        assert shown.pop() == [*start, "Mute…", "Unmute", *end, "Unban"]
        ada.main.apply([SanctionsListed(frozenset(), frozenset())])
        assert shown == []
    ada.main.person_menu.open(USERNAME, 0, 0)
    assert shown.pop() == ["Copy username"]
    ask(host, lambda re: messages.SetRole(id=re, username=USERNAME, role="member"))
    ada.wait(lambda: not ada.main.overview.may_moderate(bruno.username), "the role to go")
    assert toast(ada) == "You are no longer a moderator"
    assert ada.main._session.reader.moderators() == set()


def test_a_moderator_mutes_bans_and_is_told_what_came_of_it(
    host: Host, ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a dialog with a reason and a time; a refusal is said, too."""
    ada.main.person_menu.moderate(bruno.username, "unmute")
    ada.wait(lambda: toast(ada) == "Not done: you may not do that", "the refusal")
    ask(host, lambda re: messages.SetRole(id=re, username=USERNAME, role="moderator"))
    ada.main.person_menu.moderate(bruno.username, "unmute")
    ada.wait(lambda: toast(ada) == "Not done: there is no such ban or mute", "the refusal")

    def act(dialog: Dialog) -> None:
        assert dialog.field is not None
        dialog.field.value = "Quiet please"
        dialog.options[0].choose("10")
        dialog.choose(YES)

    answer(ada, act)
    before = now()
    ada.main.person_menu.moderate(bruno.username, "mute")
    ada.wait(lambda: toast(ada) == "Bruno Okafor is muted", "the toast")
    listed = host.ask(lambda re: messages.ListSanctions(id=re))
    assert isinstance(listed, messages.Sanctions)
    (mute,) = listed.sanctions
    assert (mute.username, mute.reason, mute.by) == (bruno.username, "Quiet please", USERNAME)
    assert mute.until is not None
    assert 0 <= mute.until - before - 600_000 < 60_000
    answer(ada, lambda dialog: dialog.choose("no"))
    ada.main.person_menu.moderate(bruno.username, "ban")
    assert bruno.link is Link.ONLINE
    answer(ada, lambda dialog: dialog.choose(YES))
    ada.main.person_menu.moderate(bruno.username, "ban")
    ada.wait(lambda: toast(ada) == "Bruno Okafor is banned", "the toast")
    bruno.until(lambda: bruno.link is Link.SIGNED_OUT, "the end")
    # What one did by mistake one can take back; and nobody disconnects who is not there.
    ada.wait(lambda: ada.main.overview.presence(bruno.username) == "offline", "his absence")
    shown = menus_shown(monkeypatch)
    ada.main.person_menu.open(bruno.username, 0, 0)
    ada.wait(lambda: shown, "the menu")
    assert shown == [["Message", "Copy username", "", "Unmute", "", "Unban"]]
    ada.main.person_menu.moderate(bruno.username, "unban")
    ada.wait(lambda: toast(ada) == "Bruno Okafor may come in again", "the toast")
    bruno.core.connect_now()
    bruno.until(lambda: bruno.link is Link.ONLINE, "his return")


def test_what_got_no_answer_is_not_said_to_be_undone(ada: Window) -> None:
    """It may have reached the server; what was asked for without a connection did not."""
    asked = Moderation("ban", "zoe")
    for code, said in (
        ("lost", "Not done: the connection was lost"),
        (
            "unanswered",
            "The connection was lost before the server answered; it may have been done.",
        ),
    ):
        ada.main.apply([Moderated(asked, Reason(code))])
        assert toast(ada) == said


def toast(window: Window) -> str:
    """What is said in passing."""
    return window.main.toasts.text
