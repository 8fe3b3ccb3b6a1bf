"""A real Tk root and a pump with a deadline, for the tests of the kit."""

from __future__ import annotations

import gc
import time
import tkinter as tk
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType

import pytest

from common.ui.look import fonts
from common.ui.look.theme import Theme
from tests.gui.tk_scripts import watch_scripts

DEADLINE = 20.0


class Pump:
    """Runs the Tk loop until something is so."""

    def __init__(self, root: tk.Tk) -> None:
        self.root = root

    def __call__(self, condition: Callable[[], object], what: str = "") -> None:
        """Pump until `condition()` holds; fail after `DEADLINE` seconds."""
        end = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"waited {DEADLINE} s for {what or condition}")
            self.root.update()
            if not condition():
                self.root.after(2, lambda: None)
                self.root.tk.dooneevent(0)

    def settle(self) -> None:
        """Handle everything that is due now."""
        self.root.update()


@pytest.fixture(scope="session", autouse=True)
def _inter() -> None:
    fonts.register()


@pytest.fixture
def root() -> Iterator[tk.Tk]:
    """A root that fails the test when a Tk callback raised."""
    raised: list[str] = []

    def report(kind: type[BaseException], value: BaseException, tb: TracebackType | None) -> None:
        raised.append("".join(traceback.format_exception(kind, value, tb)))

    # A Tk interpreter that is collected on another thread ends the process, so within the
    # life of a root nothing is collected by chance, and what is left goes here and now.
    gc.collect()
    gc.disable()
    made = tk.Tk()
    made.report_callback_exception = report
    watch_scripts(made, raised.append)
    made.geometry("800x600+0+0")
    yield made
    with suppress(tk.TclError):  # the test may have destroyed it itself
        made.update()
        # Tk keeps it with the connection to the X server, which all roots here have in common.
        made.tk.call("tk", "scaling", 96 / 72)
        made.destroy()
    del made
    gc.collect()
    gc.enable()
    assert not raised, "".join(raised)


@pytest.fixture
def wait_until(root: tk.Tk) -> Pump:
    """`wait_until(condition)` pumps the loop; `wait_until.settle()` once."""
    return Pump(root)


@pytest.fixture
def theme(root: tk.Tk) -> Theme:
    """The light look at one screen pixel a pixel."""
    return Theme(root, "light", scale=1.0)
