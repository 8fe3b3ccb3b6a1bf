"""Links that open the frozen client, and a second start of both programs, as users have them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from common.domain.invite import parse_invite
from tests.frozen.conftest import Bundle
from tests.frozen.person import PATIENCE, Person, Program, holds_within, wait_for
from tests.frozen.screen import Screen, Window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried on Linux only")
_LINKS_PAGE: Final = 75, 107
_OPEN_THEM: Final = 248, 177
"""Places in the settings window, px at 96 dpi."""
FORMS: Final = pytest.mark.parametrize("form", ["folder", "file"])
_NO_MEMORY: Final = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
/* As a kernel with Yama does: no process may look into another one's memory. */
int open64(const char *path, int flags, ...) {
    int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    size_t length = strlen(path);
    if (length > 4 && !strcmp(path + length - 4, "/mem") && strcmp(path, "/proc/self/mem")) {
        errno = EACCES;
        return -1;
    }
    return next(path, flags, mode);
}
"""


def host(bundle: Bundle, person: Person) -> str:
    """The invite of a server without a window."""
    ready = person.home / "ready.json"
    person.start(
        bundle.program("ChatServer", "folder"),
        *("--headless", "--host", "127.0.0.1", "--port", "0", "--ready-file", ready),
    )
    wait_for(ready.exists, "the server")
    return str(json.loads(ready.read_bytes())["invite"])


def that_show(person: Person, invite: str, *but: int) -> list[str]:
    """The processes of somebody of which lists show the secret of an invite."""
    secret = parse_invite(invite).secret.encode()
    found = []
    for pid in set(person.processes()) - {*but}:
        for name in ("cmdline", "environ"):
            try:
                shown = (Path("/proc") / str(pid) / name).read_bytes()
            except OSError:
                continue
            if secret in shown:
                found.append(f"{name} of {pid}: {shown[:200]!r}")
    return found


def has_joined(bundle: Bundle, person: Person, invite: str) -> bool:
    """Whether Ada is in the chat; the first letters may have come before the field was focused."""
    program = bundle.program("ChatClient", "folder")
    status, said = person.run(
        program, "people", "--join", invite, "--name", "Bruno", "--profile", "bruno"
    )
    assert status == 0, said
    usernames = [line.split("\t")[0] for line in said.splitlines() if "\t" in line]
    return any("ada".endswith(username) for username in usernames)


def iconify(screen: Screen, window: Window) -> None:
    """Put a window away; it is not in front any more."""
    screen.ask("windowminimize", "--sync", window.number)
    wait_for(lambda: screen.ask("getactivewindow") != window.number, "the window to be put away")


def join(window: Window) -> None:
    """Type a name where the keyboard is, and join with it."""

    def joined() -> bool:
        # Tk focuses a field of a window that was iconified when it sees that it is visible: keys
        # that come a moment before that go nowhere, so they are typed again.
        window.key("ctrl+a")
        window.type("Ada")
        window.key("Return")
        return holds_within(lambda: "general" in window.title, PATIENCE)

    wait_for(joined, "the conversation")


@FORMS
def test_a_second_host_raises_the_first(
    bundle: Bundle, person: Person, screen: Screen, form: str
) -> None:
    """Double-clicked again, as by somebody who has lost sight of the window."""
    program = bundle.program("ChatServer", form)
    first = person.start(program, "--port", "0", "--host", "127.0.0.1")
    window = screen.window("^.+ ChatServer$")
    iconify(screen, window)
    second = person.start(program, console=False)
    assert second.ended() == 0
    wait_for(lambda: screen.ask("getactivewindow") == window.number, "the window in front")
    screen.has_only(window, "ChatServer$")
    window.quit()
    assert first.ended() == 0


@FORMS
def test_a_link_fills_one_window(bundle: Bundle, person: Person, screen: Screen, form: str) -> None:
    """With the program closed, and open; nothing shows the link among its processes."""
    invite = host(bundle, person)
    program = bundle.program("ChatClient", form)
    person.start(program, "--theme", "light", "--open-link", invite)
    window = screen.window("^ChatClient$")
    wait_for(lambda: not that_show(person, invite), "the link to be gone")
    for _ in range(2):
        iconify(screen, window)
        second = person.start(program, "--open-link", invite)
        assert second.ended() == 0, second.said
        # It comes to the front when it shows the link.
        wait_for(lambda: screen.ask("getactivewindow") == window.number, "the window in front")
    screen.has_only(window, "ChatClient$")
    join(window)
    assert has_joined(bundle, person, invite)
    again = person.start(program, console=False)
    assert again.ended() == 0
    screen.has_only(window, "ChatClient$")
    assert that_show(person, invite) == []
    window.quit()
    wait_for(lambda: not windows_of(person), "the end")


def windows_of(person: Person) -> list[Path]:
    """The entries of the windows that are open."""
    return [*(person.home / ".local/share/ChatClient/windows").glob("*")]


@FORMS
def test_a_damaged_link_opens_a_window(
    bundle: Bundle, person: Person, screen: Screen, form: str
) -> None:
    """Without a terminal, on which an error would be seen by nobody."""
    program = person.start(
        bundle.program("ChatClient", form), "--open-link", "chat://x", console=False
    )
    window = screen.window("^ChatClient$")
    wait_for(lambda: windows_of(person), "its entry")
    window.quit()
    assert program.ended() == 0


def test_a_loader_that_may_not_be_changed(
    bundle: Bundle, person: Person, screen: Screen, public: Path
) -> None:
    """A single file is two processes, and the first one shows its arguments: it starts anew."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("cc is not installed")
    source, library = public / "no_memory.c", public / "no_memory.so"
    source.write_text(_NO_MEMORY)
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    invite = host(bundle, person)
    known = {**person.environment, "LD_PRELOAD": str(library)}
    program = bundle.program("ChatClient", "file")
    first = person.start(
        program, "--theme", "light", "--join", invite, "--name", "Ada", environment=known
    )
    assert first.ended() == 0, first.said
    window = screen.window("ChatClient$").titled("general")
    assert that_show(person, invite) == []
    assert has_joined(bundle, person, invite)
    window.quit()
    wait_for(lambda: not windows_of(person), "the end")


@FORMS
@pytest.mark.parametrize("opener", [("xdg-open",), ("gio", "open")], ids=["xdg-open", "gio"])
def test_the_desktop_opens_a_link(
    bundle: Bundle, person: Person, screen: Screen, form: str, opener: tuple[str, ...]
) -> None:
    """After a click in the settings: by what the desktop knows, from a folder with a space."""
    tool = shutil.which(opener[0])
    if tool is None:
        pytest.skip(f"{opener[0]} is not installed")
    invite = host(bundle, person)
    first = person.start(bundle.program("ChatClient", form), "--theme", "light")
    window = screen.window("^ChatClient$")
    wait_for(lambda: windows_of(person), "its entry")
    choose_this_copy(person, screen, window)
    known = {**person.environment, "PATH": os.environ["PATH"]}
    iconify(screen, window)
    opened = person.start(tool, *opener[1:], invite, environment=known)
    assert opened.ended() == 0, opened.said
    wait_for(lambda: screen.ask("getactivewindow") == window.number, "the window in front")
    join(window)
    assert has_joined(bundle, person, invite)
    window.quit()
    assert first.ended() == 0
    # And with the program closed.
    opened = person.start(tool, *opener[1:], invite, environment=known)
    window = screen.window("ChatClient$").titled("general")
    assert that_show(person, invite, opened.pid) == []
    window.quit()
    wait_for(lambda: not windows_of(person), "the end")


def choose_this_copy(person: Person, screen: Screen, window: Window) -> None:
    """Click, in the settings, that links are to be opened with this copy."""
    entry = person.home / ".local/share/applications/lan.chat.ChatClient.desktop"

    def opened() -> bool:
        window.key("ctrl+comma")
        return holds_within(lambda: screen.windows("^Settings"), PATIENCE)

    wait_for(opened, "the settings")
    settings = screen.window("^Settings")

    def pressed() -> bool:
        before = settings.picture().tobytes()
        settings.click(_LINKS_PAGE)
        holds_within(lambda: settings.picture().tobytes() != before, PATIENCE)
        settings.click(_OPEN_THEM)
        return holds_within(entry.exists, PATIENCE)

    wait_for(pressed, "the desktop entry")
    settings.key("Escape")
    wait_for(lambda: not screen.windows("^Settings"), "the settings to be closed")


def ended(program: Program) -> bool:
    """Whether a program has ended."""
    return program.process.poll() is not None


def test_two_starts_at_once_are_one_window(bundle: Bundle, person: Person, screen: Screen) -> None:
    """A double click on a link makes two."""
    invite = host(bundle, person)
    program = bundle.program("ChatClient", "folder")
    started = [person.start(program, "--open-link", invite) for _ in range(3)]
    wait_for(lambda: sum(map(ended, started)) == 2, "two of three to end")
    window = screen.window("^ChatClient$")
    wait_for(lambda: len(windows_of(person)) == 1, "one entry")
    screen.has_only(window, "ChatClient$")
    for each in started:
        if not ended(each):
            each.signal(signal.SIGTERM)
        assert each.ended() == 0, each.said
