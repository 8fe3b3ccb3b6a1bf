"""The real window of ChatClient, run in this process, with a clock inside its loop.

It is the program's own window on its own core, cache and connection, under Tk's own `mainloop`.
A timer that is due every millisecond notes when it comes: two that are far apart are a time in
which the window answered nobody. Beside it stands how much of that this thread computed itself, as
on a busy machine it waits for a processor, too. The timer also leads through a scenario, which is a
generator: it goes on whenever the condition that it gave last has come true.
"""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Final

from chat_client.open_account import OpenAccount
from chat_client.options import Options
from chat_client.state.status import Link
from chat_client.window.app import make
from chat_client.window.main_screen import MainScreen
from chat_client.window.screens import Screens
from tests.bench.screen import BenchError

DEADLINE: Final = 60.0
"""Seconds for each condition of a scenario."""
Scenario = Callable[["Probe"], Iterator[Callable[[], object]]]


class Probe:
    """A window, its heartbeat, and what a scenario does and looks at. Used on the Tk thread."""

    def __init__(self, data_dir: Path, options: Options) -> None:
        self.program = make(options, data_dir)
        self.root: tk.Tk = self.program.root
        self.root.report_callback_exception = self._failed
        self._turns: list[tuple[float, float, float]] = []
        self._last = (time.perf_counter(), time.thread_time())
        self._failure: BaseException | None = None

    def run(self, scenario: Scenario) -> None:
        """Lead through the scenario, then close the window. Raises what went wrong in either."""
        steps = scenario(self)
        self.root.after(1, self._beat, steps, lambda: True, time.monotonic() + DEADLINE)
        self.program.run()
        if self._failure is not None:
            raise self._failure

    def gaps(self, since: float) -> list[float]:
        """Seconds between two turns of the loop, of all that ended after a `perf_counter` time."""
        return [gap for at, gap, _ in self._turns if at >= since]

    def work(self, since: float) -> list[float]:
        """Seconds of a processor that this thread took between the turns, as `gaps`."""
        return [work for at, _, work in self._turns if at >= since]

    # What is in the window

    @property
    def screens(self) -> Screens:
        """What switches between the screens."""
        return self.program.filled

    @property
    def main(self) -> MainScreen:
        """The conversations, which must be shown."""
        screen = self.screens.screen
        if not isinstance(screen, MainScreen):
            raise BenchError("the window does not show the conversations")
        return screen

    @property
    def session(self) -> OpenAccount:
        """The open account."""
        session = self.screens.session
        if session is None:
            raise BenchError("no account is open")
        return session

    def online(self) -> bool:
        """Whether the conversations are shown, and the server is there."""
        contents = self.program.contents
        return (
            contents is not None
            and isinstance(contents.screen, MainScreen)
            and self.main.connection.status.link is Link.ONLINE
        )

    def shows(self, seq: int) -> bool:
        """Whether this event of the room is the last one in the message list, and in view."""
        transcript = self.main.transcript
        return (
            transcript._reading.events.last >= seq
            and transcript.text.dlineinfo("end-2c") is not None
        )

    def drawn(self) -> None:
        """Return when all that is due is drawn, by the X server too."""
        self.root.update_idletasks()
        self.root.winfo_pointerxy()  # a round trip: what was sent before it has been done

    def timed(self, action: Callable[[], object]) -> float:
        """Seconds that an action takes until what it changed is on the screen."""
        began = time.perf_counter()
        action()
        self.drawn()
        return time.perf_counter() - began

    # The heartbeat

    def _beat(
        self, steps: Iterator[Callable[[], object]], until: Callable[[], object], end: float
    ) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self._turns.append((now, now - self._last[0], worked - self._last[1]))
        try:
            if until():
                until, end = next(steps), time.monotonic() + DEADLINE
            elif time.monotonic() > end:
                self._failure = BenchError(f"waited {DEADLINE:.0f} s for a step of the scenario")
                self.program.close()
                return
        except StopIteration:
            self.program.close()
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, `run` raises it
            self._failure = error
            self.program.close()
            return
        self._last = (time.perf_counter(), time.thread_time())
        self.root.after(1, self._beat, steps, until, end)

    def _failed(self, _kind: object, error: BaseException, _trace: object) -> None:
        self._failure = self._failure or error


def worst_and_p99(gaps: list[float]) -> tuple[float, float]:
    """The longest of them, and what 99 of 100 stay within."""
    return max(gaps), quantiles(gaps, n=100)[98] if len(gaps) > 1 else gaps[0]
