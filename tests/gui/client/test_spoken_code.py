"""Joining by a code that the host reads out, through the window and to a real server."""

from __future__ import annotations

from chat_client.window.join.attempt import Phase
from chat_client.window.join.ways import Way
from tests.gui.client.guest import code_of
from tests.gui.harness import Host, Town, Window


def test_a_code_lets_in(guest: Window, host: Host) -> None:
    """Typed as it is heard: small letters, a space, the letter O for a zero."""
    code = code_of(host)
    guest.turn(Way.CODE)
    slots = guest.join.column.code.slots
    guest.type(code.lower().replace("0", "o"), slots)
    assert slots.value == code
    guest.key("<Return>")
    guest.online()
    assert guest.main.overview.me == "mira.novak"


def test_a_wrong_code_is_told_and_typed_anew(guest: Window, host: Host) -> None:
    """It is marked and selected, so that the next character replaces it."""
    code = code_of(host)
    guest.turn(Way.CODE)
    slots = guest.join.column.code.slots
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    guest.type(wrong, slots)
    guest.key("<Return>")
    guest.wait(lambda: guest.problem, "the refusal")
    assert slots.invalid
    assert guest.root.focus_get() is slots
    guest.type(code)
    assert not guest.problem
    guest.key("<Return>")
    guest.online()


def test_half_a_code_is_not_sent(guest: Window, host: Host) -> None:
    """It would count as a wrong one."""
    code_of(host)
    guest.turn(Way.CODE)
    guest.type("K7Q", guest.join.column.code.slots)
    guest.key("<Return>")
    assert "all eight" in guest.problem
    assert guest.join.model.attempt.phase is Phase.IDLE


def test_without_a_code_at_the_host_that_is_told(guest: Window) -> None:
    """Nobody looks for the mistake in what was heard."""
    guest.turn(Way.CODE)
    guest.type("K7Q2AAAA", guest.join.column.code.slots)
    guest.key("<Return>")
    guest.wait(lambda: guest.problem, "the refusal")
    assert "not valid here" in guest.problem


def test_full_width_letters_of_an_input_method_are_taken(guest: Window) -> None:
    """They look like those of the code."""
    guest.turn(Way.CODE)
    guest.paste("\uff2b\uff17\uff51\uff12\uff0d\uff19", guest.join.column.code.slots)
    assert guest.join.column.code.slots.value == "K7Q29"


def test_a_letter_of_no_code_is_told(guest: Window) -> None:
    """U is in none of them."""
    guest.turn(Way.CODE)
    guest.type("u", guest.join.column.code.slots)
    assert "letter U" in str(guest.join.column.code.title._note.cget("text"))
    guest.type("a")
    assert "letter" not in str(guest.join.column.code.title._note.cget("text")).partition("8")[0]


def test_a_code_for_a_device_signs_in_as_its_person(town: Town, guest: Window, host: Host) -> None:
    """Whatever name stands there."""
    town.peer(host, "Bruno Okafor")
    code = code_of(host, "bruno.okafor")
    guest.turn(Way.CODE)
    guest.type(code, guest.join.column.code.slots)
    guest.key("<Return>")
    guest.online()
    assert guest.main.overview.me == "bruno.okafor"
