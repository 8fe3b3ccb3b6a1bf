"""Requests to join, in the host's window, with guests that ask."""

from __future__ import annotations

import tkinter as tk

import pytest

from chat_server.window import questions, requests
from chat_server.window.model import Page, ServerState
from chat_server.window.requests import GUARD
from common.protocol import messages
from common.ui.widgets.dialog import Dialog
from tests.gui.host.conftest import Host
from tests.gui.host.joining import asks, command_line, go, ready, strip_of
from tests.gui.host.test_moderation import activity
from tests.gui.layout import faults


def test_a_request_is_let_in_after_the_digits_were_compared(host: Host) -> None:
    """Both see the same; a click, and the guest joins."""
    newcomer, digits = asks(host, "ada", "Ada Lindqvist")
    strip = ready(host)
    assert strip.digits.cget("text").replace(" ", "") == digits
    assert strip.name.cget("text") == "Ada Lindqvist"
    assert "127.0.0.1" in strip.about.cget("text")
    assert not faults(host.root)
    host.click(strip.admit)
    answer = newcomer.answer()
    assert answer.code == "admitted"
    assert isinstance(newcomer.join(answer.secret), messages.SignedIn)
    host.wait(lambda: "ada" in host.names(), "the row")
    host.wait(lambda: not strip.winfo_ismapped(), "the strip to go")
    host.wait(lambda: "You let Ada Lindqvist in" in activity(host), "the line")


def test_a_request_is_refused(host: Host) -> None:
    """They are told, and may not ask again at once."""
    newcomer, _ = asks(host, "eve")
    host.click(ready(host).refuse)
    assert newcomer.answer().code == "refused"
    host.wait(lambda: not strip_of(host).winfo_ismapped(), "the strip to go")
    host.wait(lambda: "You refused Eve" in activity(host), "the line")


def test_whoever_is_blocked_is_in_the_list_of_bans(host: Host) -> None:
    """After a question, which changes nothing when it is cancelled."""
    newcomer, _ = asks(host, "eve", "Eve")
    strip = ready(host)
    asked: list[str] = []

    def cancel(dialog: Dialog) -> None:
        asked.append(dialog.window.title())
        host.click(dialog.buttons[questions.CANCEL])

    host.answer(cancel)
    host.click(strip.block)
    host.wait(lambda: asked, "the question")
    assert "Eve" in asked[0]
    assert strip.shown is not None
    host.answer(lambda dialog: host.click(dialog.buttons[questions.YES]))
    host.click(strip.block)
    assert newcomer.answer().code == "blocked"
    host.wait(lambda: len(host.app.presenter.view(0).sanctions) == 1, "the ban")
    host.wait(lambda: "You blocked Eve from asking to join" in activity(host), "the line")


def test_several_requests_wait_in_a_queue(host: Host) -> None:
    """The oldest first; one can look at the others, and answer each."""
    newcomers = {name: asks(host, name) for name in ("ada", "ben", "cleo")}
    strip = ready(host)
    host.wait(lambda: strip.count.cget("text") == "1 of 3", "the count")
    assert host.root.title() == "(3) Harbour Team — ChatServer"
    host.settle()
    assert not faults(host.root)
    assert not strip.former.enabled
    host.click(strip.following)
    assert strip.shown is not None
    assert (strip.shown.username, strip.count.cget("text")) == ("ben", "2 of 3")
    assert strip.digits.cget("text").replace(" ", "") == newcomers["ben"][1]
    host.click(strip.admit)  # what the host chose to see can be answered at once
    assert newcomers["ben"][0].answer().code == "admitted"
    host.wait(lambda: strip.count.cget("text") == "1 of 2", "the others")
    for username in ("ada", "cleo"):
        host.wait(lambda: strip.shown and strip.shown.username == username, username)  # noqa: B023
        host.click(ready(host).refuse)
        assert newcomers[username][0].answer().code == "refused"


def test_a_request_with_a_members_name_says_so(host: Host) -> None:
    """In words of its own, whole at every width; also when the member comes after the request."""
    host.connect("ada", "Ada Lindqvist").close()
    newcomer, _ = asks(host, "ada2", "Ada  Lindqvist")
    strip = ready(host)
    said = "A member has this name or one like it: @ada."
    assert strip.alike.cget("text") == said
    assert strip.alike.winfo_viewable()
    asked: list[str] = []

    def cancel(dialog: Dialog) -> None:
        asked.append(dialog.window.title())
        host.click(dialog.buttons[questions.CANCEL])

    host.answer(cancel)
    host.click(strip.block)
    assert asked == ["Block Ada Lindqvist (@ada2)?"]
    host.wait(lambda: not faults(host.root), lambda: str(faults(host.root)))
    newcomer.withdraw()
    eve, _ = asks(host, "eve", "Ben Okafor")
    host.wait(lambda: strip.shown and strip.shown.username == "eve", "the other one")
    assert not strip.alike.winfo_ismapped()
    host.connect("ben", "Ben Okafor").close()
    host.wait(strip.alike.winfo_ismapped, "the warning")
    assert "@ben" in strip.alike.cget("text")
    eve.withdraw()


def test_two_requests_with_one_name_say_so(host: Host) -> None:
    """Which of them has called the host on the phone is told by the digits alone."""
    asks(host, "ada", "Ada")
    other, digits = asks(host, "eve", "Ada")
    strip = ready(host)
    host.wait(strip.alike.winfo_ismapped, "the warning")
    assert strip.alike.cget("text") == "Somebody else asks with such a name, too."
    host.click(strip.following)
    assert strip.digits.cget("text").replace(" ", "") == digits
    assert strip.alike.winfo_ismapped()
    other.withdraw()
    host.wait(lambda: not strip.alike.winfo_ismapped(), "it to go")


def test_a_click_never_answers_a_request_that_has_just_come_up(host: Host) -> None:
    """The one before was withdrawn as the host was about to click."""
    first, _ = asks(host, "ada")
    asks(host, "eve")
    strip = ready(host)
    first.withdraw()
    host.wait(lambda: strip.shown is not None and strip.shown.username == "eve", "the other one")
    assert not any(button.enabled for button in (strip.admit, strip.refuse, strip.block))
    host.click(strip.admit)
    assert GUARD >= 500
    ready(host)
    assert strip.shown is not None
    assert strip.shown.username == "eve"


@pytest.mark.parametrize("held", [False, True], ids=["before", "during"])
def test_a_press_that_is_held_answers_nobody_else(host: Host, held: bool) -> None:
    """The button goes down on one person, who goes, and comes up on the next one."""
    first, _ = asks(host, "ada")
    eve, _ = asks(host, "eve")
    strip = ready(host)
    strip.admit.event_generate("<Enter>")
    strip.admit.event_generate("<ButtonPress-1>", x=5, y=5)
    first.withdraw()
    host.wait(lambda: strip.shown is not None and strip.shown.username == "eve", "the other one")
    if held:
        ready(host)
    strip.admit.event_generate("<ButtonRelease-1>", x=5, y=5)
    host.settle()
    ready(host)
    assert strip.shown is not None
    assert strip.shown.username == "eve"
    host.click(strip.refuse)
    assert eve.answer().code == "refused"


@pytest.mark.parametrize("event", ["<Return>", "<space>", "<Button-1>"])
def test_a_key_that_is_held_answers_one_request(
    host: Host, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """It repeats itself, and so may a finger on a button: each time the answers rest anew."""
    first, _ = asks(host, "ada")
    asks(host, "eve")
    strip = ready(host)
    strip.admit.focus_force()
    host.settle()
    monkeypatch.setattr(requests, "GUARD", 3_600_000)

    def press() -> None:
        strip.admit.event_generate(event, x=5, y=5)
        if event == "<Button-1>":
            strip.admit.event_generate("<ButtonRelease-1>", x=5, y=5)

    press()
    assert first.answer().code == "admitted"
    host.wait(lambda: strip.shown is not None and strip.shown.username == "eve", "the other one")
    for _ in range(3):
        timer = strip._timer
        press()
        assert strip._timer not in {timer, None}
        assert not strip.admit.enabled
    strip._rested()
    strip._stop()
    assert strip.shown is not None
    assert strip.shown.username == "eve"


def test_a_click_answers_nothing_right_after_the_buttons_have_moved(host: Host) -> None:
    """In a narrow window, when a second request brings the arrows that go through the queue."""
    first, _ = asks(host, "ada", "Ada Lindqvist of the Second Floor")
    strip = ready(host)
    moved = False
    for width in range(strip.winfo_width(), 300, -10):
        strip._requests = strip._requests[:1]
        strip._arrange(width)
        before = strip._folded, strip.block.cget("text")
        strip._rested()
        strip._requests = strip._requests * 2
        strip._arrange(width)
        if (strip._folded, strip.block.cget("text")) != before:
            moved = True
            assert not strip.admit.enabled
        else:
            assert strip.admit.enabled
    assert moved
    first.withdraw()


def test_requests_end_with_the_server(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is still asked about one of them does nothing to those of the next run."""
    newcomer, _ = asks(host, "ada")
    strip = ready(host)
    former, asked = strip.shown, list[str]()
    assert former is not None
    host.app.controller.actions.switch(False)
    assert newcomer.expect_goodbye().code == "server_closing"
    newcomer.close()  # as a client does: the server waits for it
    host.wait(lambda: host.app.presenter.phase is ServerState.STOPPED, "the end")
    assert not strip.winfo_ismapped()
    # As unlikely as it is that one has the same number.
    monkeypatch.setattr("chat_server.service.first_numbers", lambda: former.number)
    host.app.controller.actions.switch(True)
    host.wait(lambda: host.app.presenter.phase is ServerState.RUNNING, "the start")
    eve, _ = asks(host, "eve")

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.window.title())
        host.click(dialog.buttons[questions.YES])

    host.answer(agree)
    host.app.controller.joining.actions.block(former)
    host.wait(lambda: "nobody is asking" in host.app.frame.toasts.text.lower(), "the refusal")
    assert asked == ["Block Ada?"]
    host.click(ready(host).admit)
    assert eve.answer().code == "admitted"


def test_what_a_question_is_about_may_have_changed(host: Host) -> None:
    """The guest withdraws while the host thinks about blocking; that is said, and no more."""
    newcomer, _ = asks(host, "ada")
    eve, _ = asks(host, "eve")
    strip = ready(host)

    def late(dialog: Dialog) -> None:
        newcomer.withdraw()
        host.wait(lambda: strip.shown is not None and strip.shown.username == "eve", "eve")
        host.click(dialog.buttons[questions.YES])

    host.answer(late)
    host.click(strip.block)
    host.wait(lambda: "nobody is asking" in host.app.frame.toasts.text.lower(), "the refusal")
    assert host.app.presenter.view(0).sanctions == ()
    host.click(ready(host).admit)
    assert eve.answer().code == "admitted"


def test_a_request_is_on_every_page_and_stays_when_the_text_grows(host: Host) -> None:
    """The host may be anywhere when somebody asks."""
    newcomer, digits = asks(host, "ada")
    for page in Page:
        host.app.controller.actions.go(page)
        host.settle()
        assert strip_of(host).winfo_viewable()
    host.app.settings.set("looks", "text_size", value=125)
    host.wait(lambda: strip_of(host).winfo_viewable(), "the strip")
    strip = ready(host)
    assert strip.digits.cget("text").replace(" ", "") == digits
    newcomer.withdraw()
    host.wait(lambda: not strip.winfo_ismapped(), "the strip to go")


def test_a_request_can_be_answered_by_keys(host: Host) -> None:
    """Tab reaches the answers, in the order in which they stand."""
    newcomer, _ = asks(host, "ada")
    strip = ready(host)
    after = strip.admit.tk_focusNext()
    assert after is strip.refuse
    assert strip.refuse.tk_focusNext() is strip.block
    host.key(strip.admit, "<Return>")
    assert newcomer.answer().code == "admitted"


def test_a_command_line_answers_as_well(host: Host) -> None:
    """What it did is shown in the window."""
    newcomer, _ = asks(host, "ada")
    ready(host)
    (request,) = host.app.presenter.view(0).joining.requests
    command_line(host, "admit", str(request.number))
    assert newcomer.answer().code == "admitted"
    host.wait(lambda: not strip_of(host).winfo_ismapped(), "the strip to go")


def test_a_click_on_the_notification_leaves_the_page_as_it_is(host: Host) -> None:
    """The request is above every page; the window comes to the front."""
    other = tk.Tk()
    try:
        go(host)
        other.update()
        other.focus_force()
        host.wait(lambda: not host.app.notifications.attention.has_keyboard, "the keyboard to go")
        newcomer, digits = asks(host, "ada", "Ada")
        host.wait(lambda: "requests" in host.desktop.shown, "the notification")
        assert digits in host.desktop.shown["requests"].body
        host.desktop.click("Ada asks to join")
        host.wait(lambda: host.app.notifications.attention.has_keyboard, "the window to come")
        assert host.app.frame.invites.winfo_viewable()
        assert ready(host).digits.cget("text").replace(" ", "") == digits
        newcomer.withdraw()
    finally:
        other.destroy()
