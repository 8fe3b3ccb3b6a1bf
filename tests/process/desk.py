"""A display and a bus on which the notification servers that people have show what they get."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.process.harness import wait_until


@dataclass(frozen=True)
class Kind:
    """A notification server, and what people do with it."""

    command: str
    name: str
    open: str
    """The mouse button that opens what is shown."""
    in_corner: bool = False
    """Whether that is done on a button at the bottom."""
    dismiss: str = ""
    """The mouse button that takes it away, where there is one."""


DUNST: Final = Kind("dunst", "dunst", "2", dismiss="1")
GNOME: Final = Kind("/usr/lib/notification-daemon/notification-daemon", "Notification Daemon", "1")
XFCE: Final = Kind("xfce4-notifyd", "Xfce Notify Daemon", "1", in_corner=True)
"""The bus starts it, and what it needs."""
_NOTIFICATION: Final = re.compile(r'\("(dunst|notification-daemon|xfce4-notifyd)"', re.IGNORECASE)
"""How their windows are listed, by their class."""
OF_XFCE: Final = ("org.xfce.xfce4-notifyd.Notifications.service", "org.xfce.Xfconf.service")
THAT_CLOSE: Final = (DUNST, XFCE)
"""The other one says that it has closed a notification, and shows it until it expires."""
NO_SCREEN_READER: Final = {"NO_AT_BRIDGE": "1", "GTK_A11Y": "none"}
"""GTK would start another bus for it."""


@dataclass
class Desk:
    """A display, a bus, and a program that shows notifications."""

    environment: dict[str, str]
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, kind: Kind) -> subprocess.Popen[bytes]:
        """Start a notification server."""
        server = subprocess.Popen(
            [kind.command],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.servers.append(server)
        return server

    def ask(self, *command: str) -> str:
        """What a program says on this display and bus."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout if done.returncode == 0 else ""

    def notifications(self) -> list[tuple[int, int, int, int]]:
        """Where on the screen notifications are to be seen: left, top, width, height."""
        found = []
        for line in self.ask("xwininfo", "-root", "-tree").splitlines():
            if not _NOTIFICATION.search(line):
                continue
            place = re.search(r"(\d+)x(\d+)[+-]-?\d+[+-]-?\d+ +\+(-?\d+)\+(-?\d+)$", line)
            number = re.match(r" +(0x[0-9a-f]+) ", line)
            if place is None or number is None or min(int(place[1]), int(place[2])) < 20:
                continue
            if "IsViewable" in self.ask("xwininfo", "-id", number[1]):
                width, height, left, top = map(int, place.groups())
                found.append((left, top, width, height))
        return found

    def click(self, button: str, *, in_corner: bool = False) -> None:
        """Click, with a real mouse, into what is shown."""
        wait_until(lambda: bool(self.notifications()), "a notification on the screen")
        left, top, width, height = self.notifications()[0]
        x, y = (left + width - 60, top + height - 35) if in_corner else (left + 40, top + 20)
        self.ask("xdotool", "mousemove", str(x), str(y))
        wait_until(lambda: self._pointer() == (str(x), str(y)), "the pointer to be there")
        self.ask("xdotool", "click", button)

    def _pointer(self) -> tuple[str, str]:
        told = dict(
            line.split("=") for line in self.ask("xdotool", "getmouselocation", "--shell").split()
        )
        return told.get("X", ""), told.get("Y", "")

    def end(self) -> None:
        """End all that was started."""
        for server in self.servers:
            server.send_signal(signal.SIGCONT)
            server.kill()
            server.wait()

    def history(self) -> list[dict[str, Any]]:
        """What dunst has shown and put away, the newest first."""
        return [
            {key: value["data"] for key, value in each.items()}
            for each in json.loads(self.ask("dunstctl", "history") or '{"data": [[]]}')["data"][0]
        ]

    def displayed(self) -> int:
        """How many dunst shows."""
        return int(self.ask("dunstctl", "count", "displayed") or 0)


def environment_of(display: str, address: str, home: Path) -> dict[str, str]:
    """All that a program knows of a desk on which nothing is configured."""
    return {
        "PATH": os.environ["PATH"],
        "DISPLAY": display,
        "DBUS_SESSION_BUS_ADDRESS": address,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "LANG": "C.UTF-8",
        **NO_SCREEN_READER,
    }
