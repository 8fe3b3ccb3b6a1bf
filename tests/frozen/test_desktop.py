"""The frozen programs and the desktop: a notification server, and a player for sounds."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.frozen.conftest import Bundle
from tests.frozen.person import Person, wait_for
from tests.process.session_bus import write_configuration

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="these are Linux's notification servers"
)


@pytest.mark.parametrize("form", ["folder", "file"])
@pytest.mark.parametrize("name", ["ChatServer", "ChatClient"])
def test_it_finds_what_is_there(bundle: Bundle, person: Person, name: str, form: str) -> None:
    """By the bundle's own library, on a real bus."""
    for tool in ("dbus-daemon", "dunst"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    person.write(person.tools / "paplay", "#!/bin/sh\n", executable=True)
    configuration = write_configuration(person.home)
    person.own(person.home)
    bus = person.start(
        _found("dbus-daemon"), f"--config-file={configuration}", "--nofork", "--print-address"
    )
    wait_for(lambda: "unix:" in bus.said, "the bus")
    address = next(line for line in bus.said.splitlines() if line.startswith("unix:"))
    known = {**person.environment, "DBUS_SESSION_BUS_ADDRESS": address}
    person.start(_found("dunst"), environment=known)
    said: list[str] = []

    def finds_it() -> bool:
        look = person.start(bundle.program(name, form), "--smoke-test", environment=known)
        assert look.ended() == 0, look.said
        said.append(look.said)
        return "notifications: by dunst" in look.said

    wait_for(finds_it, "the notification server")
    assert "4 sounds by paplay" in said[-1]


def _found(tool: str) -> Path:
    return Path(shutil.which(tool) or tool)
