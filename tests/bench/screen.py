"""A screen of the benchmark's own: an X server without hardware, a window manager, real keys.

Nothing is asked again and again to learn when a window comes up: the X server tells it. A window
counts as mapped when the MapNotify of its frame has been read, which the window manager causes;
without a window manager it is the window's own. The X server also knows which process made it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench.pictures import Picture
from tests.bench.xwire import (
    MAP_NOTIFY,
    REPARENT_NOTIFY,
    SUBSTRUCTURE_NOTIFY,
    Connection,
    XError,
)

SIZE: Final = 2600, 1700
"""Of the screen, px: a server's and two clients' windows have room without covering each other."""
LETTER: Final = ord("m")
RETURN: Final = 0xFF0D
DEADLINE: Final = 60.0
"""Seconds for anything that a program does at its start; a loaded machine may take a while."""
LOOK_EVERY: Final = 0.002
"""Seconds between two looks at the screen: so exact is a time that was found by looking."""
KEY_EVERY: Final = 0.01
"""Seconds between two keys while the first letter is waited for: faster than anybody types."""


class BenchError(Exception):
    """A program or the screen did not do what can be measured; the text says what."""


class NotSeenError(BenchError):
    """What was looked for did not come on the screen."""


@dataclass(frozen=True, slots=True)
class Window:
    """A program's window; `mapped` is a time of `time.perf_counter`."""

    number: int
    mapped: float


class Box(NamedTuple):
    """A part of a window, px."""

    x: int
    y: int
    width: int
    height: int


@dataclass
class Screen:
    """What is on it, and what can be done to it. Used by one thread."""

    name: str
    managed: bool
    _x: Connection
    _frames: dict[int, int] = field(default_factory=dict)
    _windows: dict[int, Window] = field(default_factory=dict)
    _drawn: float | None = None
    """When the last drawing in a watched window was told of, since the last key."""

    def window(self, pids: Callable[[], set[int]]) -> Window | None:
        """Wait for the first window of any of the processes; None when there are none any more.

        `pids` is asked again while there is no window: a program may start another.
        """
        end = time.monotonic() + DEADLINE
        while (wanted := pids()) and time.monotonic() < end:
            for pid, window in self._windows.items():
                if pid in wanted:
                    return window
            self._take_events(0.25)
        return None

    def picture(self, window: Window) -> Picture:
        """All of a window, as it is on the screen."""
        width, height = self._x.size(window.number)
        return Picture(width, height, self._x.pixels(window.number, 0, 0, width, height))

    def strip(self, window: Window, x: int, width: int) -> Picture:
        """A part of the window from top to bottom."""
        _, height = self._x.size(window.number)
        return Picture(width, height, self._x.pixels(window.number, x, 0, width, height))

    def area(self, window: Window, box: Box) -> Picture:
        """A part of the window."""
        pixels = self._x.pixels(window.number, box.x, box.y, box.width, box.height)
        return Picture(box.width, box.height, pixels)

    def watch(self, window: Window) -> None:
        """From now on `until_drawn` hears of what is drawn in the window."""
        self._x.watch(window.number)

    def key(self, key: int) -> float:
        """Press a key wherever the keyboard is; the time just before."""
        self._take_events(0)  # what was drawn until now was not because of it
        self._drawn = None
        pressed = time.perf_counter()
        self._x.press(key)
        return pressed

    def until_drawn(self, seen: Callable[[], bool], what: str) -> float:
        """Wait until a drawing after the last `key` has brought it; when that was told.

        It is looked for after each drawing in the windows that are watched, and not in between:
        nothing is taken from the programs by looking. Raises NotSeenError.
        """
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            at = self._drawn
            if at is not None and seen():
                return at
            self._take_events(0.5)
        raise NotSeenError(f"waited {DEADLINE:.0f} s for {what}")

    def press(self, window: Window, key: int) -> bool:
        """Press a key if the window has the keyboard. If not, ask for it and say False."""
        if self._x.focus() == window.number:
            self._x.press(key)
            return True
        if self.managed:
            from_a_pager = 2  # as a click on it in a task bar: it is not refused
            self._x.tell_manager(window.number, "_NET_ACTIVE_WINDOW", from_a_pager)
        else:
            self._x.set_focus(window.number)
        return False

    def until(
        self, seen: Callable[[], bool], what: str, meanwhile: Callable[[], object] = lambda: None
    ) -> float:
        """Look until it is seen; the time of the picture that showed it. Raises NotSeenError.

        `meanwhile` is called every `KEY_EVERY` seconds, at first at once.
        """
        end = time.monotonic() + DEADLINE
        key_at = time.monotonic()
        while time.monotonic() < end:
            if time.monotonic() >= key_at:
                meanwhile()
                key_at = time.monotonic() + KEY_EVERY
            if seen():
                return time.perf_counter()
            self._take_events(LOOK_EVERY)
        raise NotSeenError(f"waited {DEADLINE:.0f} s for {what}")

    def rest(self, seconds: float) -> None:
        """Let time pass, and forget nothing that happens in it."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._take_events(left)

    def begin(self) -> None:
        """Listen for windows; the mouse goes where it points at none of them."""
        self._x.listen(self._x.root, SUBSTRUCTURE_NOTIFY)
        self._x.move_pointer(SIZE[0] - 1, SIZE[1] - 1)

    def has_manager(self) -> bool:
        """Whether a window manager says that it is there."""
        return bool(self._x.numbers(self._x.root, "_NET_SUPPORTING_WM_CHECK"))

    def _take_events(self, within: float) -> None:
        for event in self._x.events(within):
            if event.kind == REPARENT_NOTIFY:
                window, parent = event.number(8), event.number(12)
                self._frames[parent] = window
            elif event.kind == self._x.drawing:
                self._drawn = event.at
            elif event.kind == MAP_NOTIFY:
                shown = event.number(8)
                self._came(self._frames.get(shown, shown), event.at)

    def _came(self, number: int, at: float) -> None:
        # Not a window that went as fast as it came.
        with suppress(XError):
            self._windows.setdefault(self._x.process(number), Window(number, at))


@contextmanager
def a_screen(environment: Mapping[str, str], log: Path) -> Iterator[Screen]:
    """An X server and, if installed, openbox, until the block is left. Raises BenchError."""
    with log.open("ab") as said, _ending([]) as children:
        number = _start_server(environment, said.fileno(), children)
        connection = Connection(number)
        try:
            screen = Screen(f":{number}", False, connection)
            screen.begin()
            manager = shutil.which("openbox")
            if manager is not None:
                _start_manager(manager, screen, environment, said.fileno(), children)
            yield screen
        finally:
            connection.close()


def _start_server(
    environment: Mapping[str, str],
    said: int,
    children: list[subprocess.Popen[bytes]],
) -> int:
    """Start the X server on a free display; its number."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as told:
        children.append(
            subprocess.Popen(
                [
                    *(
                        shutil.which("Xvfb") or "Xvfb",
                        "-displayfd",
                        str(writer),
                        "-nolisten",
                        "tcp",
                        "-noreset",
                    ),
                    *("-dpi", "96", "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"),
                ],
                pass_fds=[writer],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        )
        os.close(writer)
        line = told.readline()
    if not line.strip().isdigit():
        raise BenchError("Xvfb did not start")
    return int(line)


def _start_manager(
    program: str,
    screen: Screen,
    environment: Mapping[str, str],
    said: int,
    children: list[subprocess.Popen[bytes]],
) -> None:
    children.append(
        subprocess.Popen(
            [program, "--sm-disable"],
            env={**environment, "DISPLAY": screen.name},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    )
    screen.until(screen.has_manager, "the window manager")
    screen.managed = True


@contextmanager
def _ending(
    children: list[subprocess.Popen[bytes]],
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """End what was started in the block, the last first."""
    try:
        yield children
    finally:
        for child in reversed(children):
            child.terminate()
            child.wait()
