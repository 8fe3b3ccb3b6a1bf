"""The display as a person has it: windows by their titles, keys, clicks, the clipboard, pixels."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tkinter as tk
from collections.abc import Callable
from typing import Final, NamedTuple

import pytest
from PIL import Image, ImageChops, ImageGrab

from tests.frozen.person import PATIENCE, holds_within, wait_for
from tests.window_manager import start_window_manager

_KEEPS: Final = 12
"""Milliseconds between two keys; a person's are further apart."""


_WIDTH: Final = 36
_HEIGHT: Final = 26
"""Pixels: what is smaller is no button."""
_RUN: Final = re.compile(b"\x01{%d,}" % _WIDTH)
_INSET: Final = 5
"""From the side of a button to where nothing is drawn on it, px."""

_OFFER: Final = """
import sys, tkinter
root = tkinter.Tk()
root.withdraw()
root.clipboard_clear()
root.clipboard_append(sys.argv[1])
root.mainloop()
"""


class Screen:
    """The display of $DISPLAY with a window manager on it, until `close`."""

    def __init__(self) -> None:
        self._manager = start_window_manager()
        # A window of this process, never shown: it reads the clipboard.
        self._root = tk.Tk()
        self._root.withdraw()
        self._seen: set[str] = set()
        self.clicks = 0
        """How often a button of the mouse was pressed."""
        self._offering: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Leave the display as it was."""
        self._stop_offering()
        self._root.destroy()
        self._manager.terminate()
        self._manager.wait()

    def ask(self, *arguments: str) -> str:
        """Ask or tell the X server something; what it answers, or "" when it can't."""
        done = subprocess.run(["xdotool", *arguments], capture_output=True, text=True, check=False)
        return "" if done.returncode else done.stdout.strip()

    def window(self, title: str, *, new: bool = False) -> Window:
        """The visible window with a title like this regular expression in ASCII, once there.

        A new one is none that was returned here before.
        """
        found: list[str] = []

        def looked() -> bool:
            # It fails, too, when some other window goes while it looks.
            found[:] = [each for each in self.windows(title) if not new or each not in self._seen]
            return bool(found)

        wait_for(looked, f"a window {title!r}, among {self.titles()}")
        self._seen.add(found[-1])
        return Window(self, found[-1])

    def windows(self, title: str) -> list[str]:
        """The numbers of all visible windows with a title like this."""
        return self.ask("search", "--onlyvisible", "--name", title).split()

    def has_only(self, window: Window, title: str) -> None:
        """Wait until this is the only visible window with a title like this.

        It is looked for again: xdotool fails when some other window goes while it looks.
        """
        wait_for(lambda: self.windows(title) == [window.number], f"no other window {title!r}")

    def _stop_offering(self) -> None:
        if self._offering is not None:
            self._offering.kill()
            self._offering.wait()
            self._offering = None

    def titles(self) -> list[str]:
        """All titles that are to be seen."""
        windows = self.ask("search", "--onlyvisible", "--name", ".").split()
        return [self.ask("getwindowname", window) for window in windows]

    def picture(self) -> Image.Image:
        """All that is to be seen."""
        return ImageGrab.grab(xdisplay=os.environ["DISPLAY"])

    def clipboard(self) -> str:
        """What was copied last."""
        self._root.update()  # it has to hear that it is not the owner any more
        try:
            return str(self._root.clipboard_get())
        except tk.TclError:
            return ""

    def copy(self, text: str) -> None:
        """Put a text on the clipboard. Another process hands it out: this one waits and tests."""
        self._stop_offering()
        self._offering = subprocess.Popen([sys.executable, "-c", _OFFER, text])
        wait_for(lambda: self.clipboard() == text, "the clipboard")

    def forget_clipboard(self) -> None:
        """Take it away from whoever has it, so that what comes next is new."""
        self._stop_offering()
        self._root.clipboard_clear()
        self._root.update()


class Button(NamedTuple):
    """Where a button is in its window, px."""

    left: int
    top: int
    width: int

    @property
    def middle(self) -> tuple[int, int]:
        """Where to click."""
        return self.left + self.width // 2, self.top + _HEIGHT // 2

    def covers(self, other: Button) -> bool:
        """Whether that is a part of this one."""
        return (
            other.top - self.top <= 2 * _HEIGHT
            and self.left - _INSET
            <= other.left + other.width // 2
            <= self.left + self.width + _INSET
        )


class Window:
    """One window. Its places are in pixels from its upper left corner."""

    def __init__(self, screen: Screen, number: str) -> None:
        self._screen, self.number = screen, number

    @property
    def title(self) -> str:
        """What it says in its title bar, or "" when it is gone."""
        return self._screen.ask("getwindowname", self.number)

    @property
    def wm_class(self) -> str:
        """By which the desktop finds the entry that started it."""
        tool = shutil.which("xprop")
        if tool is None:
            pytest.skip("xprop is not installed")
        done = subprocess.run(
            [tool, "-id", self.number, "WM_CLASS"], capture_output=True, text=True, check=True
        )
        return done.stdout

    def titled(self, part: str) -> Window:
        """Wait until its title has this in it."""
        wait_for(lambda: part in self.title, f"{part!r} in the title {self.title!r}")
        return self

    def activate(self) -> None:
        """Bring it to the front, with the keyboard."""
        self._screen.ask("windowactivate", "--sync", self.number)

    def type(self, text: str) -> None:
        """Type a text and nothing else."""
        self.activate()
        self._screen.ask("type", "--delay", str(_KEEPS), text)

    def key(self, *keys: str) -> None:
        """Press keys, one after the other, such as "Return" or "ctrl+v"."""
        self.activate()
        self._screen.ask("key", "--delay", str(_KEEPS), *keys)

    def click(self, place: tuple[int, int]) -> None:
        """Click with the first button."""
        self.activate()
        self._screen.clicks += 1
        x, y = place
        self._screen.ask("mousemove", "--window", self.number, str(x), str(y), "click", "1")

    def click_on(self, colour: str, what: str, *, last: bool = False) -> None:
        """Click on the first, or last, thing that has this colour."""
        places: list[tuple[int, int]] = []

        def found() -> bool:
            places[:] = self.find(colour)
            return bool(places)

        wait_for(found, what)
        self.click(places[-1 if last else 0])

    def click_until(self, done: Callable[[], bool], colour: str, what: str) -> None:
        """Click on the first thing that has this colour until `done()`.

        More than once, as what is drawn may move between the picture and the click.
        """

        def clicked() -> bool:
            places = self.find(colour)
            if places:
                self.click(places[0])
                return holds_within(done, PATIENCE)
            return done()

        wait_for(clicked, what)

    def button(self, colour: str, what: str, *, among: int = 1) -> Button:
        """The first button with this ground, once there are so many and they stand still."""
        found: list[Button] = []

        def stands() -> bool:
            former, found[:] = [*found], self._buttons(colour)
            return len(found) >= among and found == former

        wait_for(stands, what)
        return found[0]

    def _buttons(self, colour: str) -> list[Button]:
        """All buttons with this ground, by lines from the top."""
        picture = self.picture()
        red, green, blue = ImageChops.difference(
            picture, Image.new("RGB", picture.size, colour)
        ).split()
        differs = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        same = differs.point(lambda value: not value)
        rows = [same.crop((0, y, same.width, y + 1)).tobytes() for y in range(same.height)]
        found: list[Button] = []
        for y in range(same.height - _HEIGHT):
            for run in _RUN.finditer(rows[y]):
                left, right = run.span()
                button = Button(left, y, right - left)
                # The edge of a field is as wide, and a selected word is nearly as high.
                high = all(row[left + _INSET] for row in rows[y : y + _HEIGHT])
                if high and not any(each.covers(button) for each in found):
                    found.append(button)
        return found

    @property
    def size(self) -> tuple[int, int]:
        """Width and height; zeros when it is gone."""
        facts = self._facts("getwindowgeometry", "--shell", self.number)
        return facts.get("WIDTH", 0), facts.get("HEIGHT", 0)

    def write_here(self) -> None:
        """Click into the line at the bottom of a client's window."""
        width, height = self.size
        self.click((width * 45 // 100, height - 40))

    def _facts(self, *question: str) -> dict[str, int]:
        answer = self._screen.ask(*question)
        return {name: int(value) for name, value in (line.split("=") for line in answer.split())}

    def picture(self) -> Image.Image:
        """Its pixels, as they are on the screen."""
        self.activate()  # another one may be in front of it
        # Where the mouse can be put is where the window is: xdotool counts frames twice.
        self._screen.ask("mousemove", "--window", self.number, "0", "0")
        corner = self._facts("getmouselocation", "--shell")
        left, top = corner.get("X", 0), corner.get("Y", 0)
        width, height = self.size
        if not width:
            return Image.new("RGB", (1, 1))
        box = (left, top, left + width, top + height)
        return ImageGrab.grab(box, xdisplay=os.environ["DISPLAY"]).convert("RGB")

    def find(self, colour: str) -> list[tuple[int, int]]:
        """Where it has this colour, by lines from the top; at most one place in 20 px each way.

        Nowhere, when it is gone.
        """
        wanted = tuple(bytes.fromhex(colour.removeprefix("#")))
        picture = self.picture()
        width, pixels = picture.width, picture.load()
        assert pixels is not None
        places: list[tuple[int, int]] = []
        for y in range(picture.height):
            for x in range(width):
                if pixels[x, y] == wanted and all(
                    abs(x - other[0]) > 20 or abs(y - other[1]) > 20 for other in places
                ):
                    places.append((x, y))
        return places

    def yellow(self) -> int:
        """How many of its pixels are as yellow as the faces of emoji; nothing else is."""
        colours = self.picture().getcolors(1 << 24) or []
        return sum(
            count
            for count, colour in colours
            if isinstance(colour, tuple)
            and colour[0] > 200
            and 120 < colour[1] < 235
            and colour[2] < 100
        )

    def quit(self) -> None:
        """Close it as its close button does."""
        wait_for(self._closed, f"the end of {self.title!r}")

    def _closed(self) -> bool:
        # A key at the moment in which the keyboard changes hands may be lost, so it is pressed
        # again; but never in a window that came to the front because this one is gone.
        if self.title and self._screen.ask("getactivewindow") != self.number:
            self.activate()
        elif self.title:
            self._screen.ask("key", "alt+F4")
            holds_within(lambda: not self.title, PATIENCE)
        return not self.title
