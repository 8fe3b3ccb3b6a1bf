"""An evening with the frozen programs: a host and two guests, by real keys, clicks and pixels."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import pytest

from common.ui.look.palette import LIGHT
from tests.frozen.conftest import Bundle
from tests.frozen.person import Person, Program, wait_for
from tests.frozen.screen import Screen, Window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried on Linux only")

_SMILE: Final = "\N{SMILING FACE WITH SUNGLASSES}"


def host_a_chat(bundle: Bundle, person: Person, screen: Screen, form: str) -> tuple[Program, str]:
    """Start ChatServer and copy its invite with the button."""
    program = person.start(
        bundle.program("ChatServer", form),
        *("--host", "127.0.0.1", "--port", "0", "--name", "Harbour", "--theme", "light"),
    )
    window = screen.window("^Harbour.*ChatServer$")
    screen.forget_clipboard()

    def copied() -> bool:
        places = window.find(LIGHT.primary)
        if places:
            window.click((places[0][0] + 10, places[0][1] + 10))
        return screen.clipboard().startswith("chat://")

    wait_for(copied, "the invite")
    return program, screen.clipboard()


def join(
    bundle: Bundle, person: Person, screen: Screen, form: str, invite: str, name: str
) -> tuple[Program, Window]:
    """Start ChatClient, paste the invite wherever the keyboard is, type a name, press Return."""
    program = person.start(
        bundle.program("ChatClient", form), "--theme", "light", "--profile", name
    )
    window = screen.window("ChatClient$", new=True)
    screen.copy(invite)
    # Until the join screen is there, keys go nowhere.
    wait_for(lambda: window.find(LIGHT.primary), "the join screen")
    window.key("ctrl+v")
    window.type(name)
    window.key("Return")
    return program, window.titled("general")


def read(screen: Screen, window: Window) -> str:
    """All of the conversation that is shown, copied as a person does."""
    width, height = window.size
    screen.forget_clipboard()
    window.click((width // 2, height // 2))
    window.key("ctrl+a", "ctrl+c")
    wait_for(screen.clipboard, "the copied text")
    return screen.clipboard()


@pytest.mark.parametrize("form", ["folder", "file"])
def test_an_evening(bundle: Bundle, person: Person, screen: Screen, form: str) -> None:
    """Host, join, talk, draw an emoji, terminate one, close all: nothing stays behind."""
    server, invite = host_a_chat(bundle, person, screen, form)
    ada, ada_window = join(bundle, person, screen, form, invite, "Ada")
    bruno, bruno_window = join(bundle, person, screen, form, invite, "Bruno")
    host_window = screen.window("^Harbour.*ChatServer$")

    # Ada's window has not the keyboard, so what comes is counted in its title.
    bruno_window.type("hello Ada, can you read this?")
    bruno_window.key("Return")
    ada_window.titled("(")
    assert "hello Ada, can you read this?" in read(screen, ada_window)
    assert not ada_window.yellow()
    screen.copy(f"every word {_SMILE}")
    ada_window.write_here()
    ada_window.key("ctrl+v", "Return")
    wait_for(lambda: ada_window.yellow() > 40, "an emoji of one's own")
    wait_for(lambda: bruno_window.yellow() > 40, "an emoji in the other window")
    assert f"every word {_SMILE}" in read(screen, bruno_window)

    # The host finds Bruno, chooses him and ends his connection.
    host_window.key("ctrl+f")
    host_window.type("bruno")
    wait_for(lambda: len(host_window.find(LIGHT.pill_active.fill)) > 0, "Bruno's row")
    host_window.click_on(LIGHT.pill_active.fill, "Bruno's row")
    host_window.key("Delete")
    dialog = screen.window("^Terminate ")
    dialog.key("Return")
    wait_for(lambda: bruno_window.find(LIGHT.pill_slow.fill), "the news at Bruno's")
    ada_window.write_here()
    ada_window.type("where did he go?")
    ada_window.key("Return")
    wait_for(lambda: "where did he go?" in read(screen, ada_window), "the next message")
    assert "where did he go?" not in read(screen, bruno_window)

    for window in (bruno_window, ada_window, host_window):
        window.quit()
    assert [program.ended() for program in (bruno, ada, server)] == [0, 0, 0]
    wait_for(lambda: not person.processes(), "the end of every process")
    assert not list(person.temporary.iterdir())
    for program in (server, ada, bruno):
        assert "ERROR" not in program.said, program.said


def test_a_link_opens_with_a_clean_environment(
    bundle: Bundle, person: Person, screen: Screen
) -> None:
    """The browser gets the environment that the program was given, and nothing of the bundle's."""
    told = person.home / "environment.json"
    person.write(
        person.tools / "xdg-open",
        f'#!/bin/sh\n{{ echo "$1"; /usr/bin/env; }} > {told}.part\n/bin/mv {told}.part {told}\n',
        executable=True,
    )
    server, invite = host_a_chat(bundle, person, screen, "folder")
    client, window = join(bundle, person, screen, "file", invite, "Ada")
    window.type("look at https://example.org/page")
    window.key("Return")
    window.click_until(told.exists, LIGHT.link, "the browser that a click on the link opens")
    lines = told.read_text().splitlines()
    assert lines[0] == "https://example.org/page"
    got = dict(line.split("=", 1) for line in lines[1:] if "=" in line)
    for added_by_the_shell in ("PWD", "OLDPWD", "SHLVL", "_"):
        got.pop(added_by_the_shell, None)
    assert got == person.environment
    window.quit()
    screen.window("^Harbour.*ChatServer$").quit()
    assert (client.ended(), server.ended()) == (0, 0)


def test_two_profiles_are_two_people(bundle: Bundle, person: Person, screen: Screen) -> None:
    """Each profile has its own folder, account and messages, private to their user."""
    server, invite = host_a_chat(bundle, person, screen, "folder")
    people = [join(bundle, person, screen, "folder", invite, name) for name in ("Ada", "Bruno")]
    profiles = person.home / ".local/share/ChatClient/profiles"
    assert sorted(path.name for path in profiles.iterdir()) == ["ada", "bruno"]
    for name in ("ada", "bruno"):
        [account] = profiles.glob(f"{name}/accounts/{name}@*/account.json")
        assert json.loads(account.read_text())["username"] == name
        assert account.stat().st_mode & 0o077 == 0
    for program, window in people:
        window.quit()
        assert program.ended() == 0
    # The next start needs nothing but the profile's name.
    program = person.start(bundle.program("ChatClient", "folder"), "--profile", "bruno")
    screen.window("^general.*ChatClient").quit()
    assert program.ended() == 0
    screen.window("^Harbour.*ChatServer$").quit()
    assert server.ended() == 0
    assert not list(Path(person.temporary).iterdir())
