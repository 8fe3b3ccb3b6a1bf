"""What is measured: a program that starts alone, and two people who start and talk at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.bench.pictures import NothingLearnedError, Picture, Sign, last_line, middle, typed_letter
from tests.bench.programs import Build, Order, Program
from tests.bench.screen import LETTER, RETURN, BenchError, Window
from tests.bench.stage import Stage

Kind = Literal["bare", "server", "client"]


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in seconds from the fork, and the memory once the program had come to rest.

    `mapped`: the window is on the screen. `ready`: one can type, or the server is said to run;
    None for a window with nothing in it. `memory` is in MiB.
    """

    mapped: float
    ready: float | None
    memory: float


@dataclass
class Alone:
    """A program that is started by itself, again and again.

    When is a client ready? The key m is pressed again and again from the moment in which the
    window is mapped; the client is ready when the first m is on the screen, in the line that
    messages are written in. Keys that come too early may wait or be lost: it must draw one of
    them. When is a server ready? When the middle of its window looks as it does
    once the server runs: there is the invite, which is not known before.
    """

    title: str
    kind: Kind
    command: tuple[str | Path, ...]
    folder: Path
    stage: Stage
    sign: Sign | None = None
    idle: float | None = None
    starts: list[Start] = field(default_factory=list)

    def learn(self, idle: float) -> None:
        """A start that warms up: learn the sign, and how much of a processor (%) idling takes.

        Idling is measured over so many seconds, with the keyboard in the window.
        """
        with self._data() as order, self.stage.start(order) as [program]:
            screen = self.stage.screen
            window = self.stage.window(program)
            early = screen.picture(window)
            self.stage.settle(program)
            if idle:
                before = program.processor_time()
                screen.rest(idle)
                self.idle = round((program.processor_time() - before) / idle * 100, 3)
            try:
                self._learn_sign(program, window, early)
            except NothingLearnedError as error:
                raise BenchError(f"{self.title} can't be watched: {error}") from error
            program.end(by_signal=self.kind == "bare")

    def run(self) -> None:
        """One start that counts."""
        with self._data() as order, self.stage.start(order) as [program]:
            window = self.stage.window(program)
            ready = self._ready(window)
            self.stage.settle(program)
            self.starts.append(
                Start(
                    window.mapped - program.started,
                    None if ready is None else ready - program.started,
                    program.memory(),
                )
            )
            program.end(by_signal=self.kind == "bare")

    def _learn_sign(self, program: Program, window: Window, early: Picture) -> None:
        screen = self.stage.screen
        if self.kind == "server":
            self.sign = middle(early, screen.picture(window))
        elif self.kind == "client":
            pictures = [screen.picture(window)]
            for _ in range(2):
                press_once(self.stage, window, LETTER)
                self.stage.settle(program)
                pictures.append(screen.picture(window))
            self.sign = typed_letter(*pictures)

    def _ready(self, window: Window) -> float | None:
        if self.kind == "bare":
            return None
        assert self.sign is not None, "learned before"
        if self.kind == "client":
            return type_until_seen(self.stage, window, self.sign)
        return wait_for_sign(self.stage, window, self.sign, f"the running state of {self.title}")

    @contextmanager
    def _data(self) -> Iterator[Order]:
        """What to start, on fresh copies of its data."""
        stage = self.stage
        if self.kind == "bare":
            yield Order(self.title, self.command, self.folder)
            return
        with stage.copy("server" if self.kind == "server" else "ada") as [data]:
            flags: tuple[str | Path, ...] = ("--data-dir", data)
            if self.kind == "server":
                flags = (*flags, "--host", "127.0.0.1", "--port", str(stage.other_port))
            yield Order(self.title, (*self.command, *flags), self.folder)


@dataclass(frozen=True, slots=True)
class Talk:
    """One message between two that have just started, in seconds from the first fork.

    `typed`: its first letter is on the screen of the one who writes. `seen`: it is on the screen
    of the other.
    """

    typed: float
    seen: float


@dataclass
class Together:
    """A server with its window and two clients, all started at the same time.

    Ada types as in `Alone` and presses Return as soon as her letter is there. The message has
    come when Bruno's window shows it as the last line of the conversation: what counts is the
    picture, not the number of unread messages in the title.
    """

    build: Build
    stage: Stage
    typed_sign: Sign
    seen_sign: Sign | None = None
    talks: list[Talk] = field(default_factory=list)

    @property
    def title(self) -> str:
        """For people."""
        return f"server and two clients, {self.build.title}"

    def learn(self) -> None:
        """A start that warms up: learn what the message looks like at the other one."""
        with self._programs() as programs:
            screen = self.stage.screen
            ada, bruno = map(self.stage.window, programs[1:])
            self.stage.settle(*programs)
            # The keyboard changes hands before the first picture: a cursor is drawn there, too.
            type_until_seen(self.stage, ada, self.typed_sign)
            self.stage.settle(*programs)
            before = screen.picture(bruno)
            press_once(self.stage, ada, RETURN)
            screen.until(lambda: screen.picture(bruno) != before, f"the message in {self.title}")
            self.stage.settle(*programs)
            try:
                self.seen_sign = last_line(before, screen.picture(bruno))
            except NothingLearnedError as error:
                raise BenchError(f"{self.title} can't be watched: {error}") from error
            _end(programs)

    def run(self) -> None:
        """One message that counts."""
        assert self.seen_sign is not None, "learned before"
        with self._programs() as programs:
            began = programs[0].started
            ada = self.stage.window(programs[1])
            typed = type_until_seen(self.stage, ada, self.typed_sign)
            press_once(self.stage, ada, RETURN)
            bruno = self.stage.window(programs[2])
            seen = wait_for_sign(self.stage, bruno, self.seen_sign, f"the message in {self.title}")
            self.talks.append(Talk(typed - began, seen - began))
            _end(programs)

    @contextmanager
    def _programs(self) -> Iterator[list[Program]]:
        """The server, Ada and Bruno, started."""
        build, folder, port = self.build, self.build.folder, str(self.stage.port)
        with self.stage.copy("server", "ada", "bruno") as [server, ada, bruno]:
            host: tuple[str | Path, ...] = (
                *build.server,
                "--host",
                "127.0.0.1",
                "--port",
                port,
                "--data-dir",
                server,
            )
            orders = [
                Order(f"the server of {self.title}", host, folder),
                *(
                    Order(f"{who} of {self.title}", (*build.client, "--data-dir", data), folder)
                    for who, data in (("Ada", ada), ("Bruno", bruno))
                ),
            ]
            with self.stage.start(*orders) as programs:
                yield programs


def press_once(stage: Stage, window: Window, key: int) -> None:
    """Press a key as soon as the window has the keyboard."""
    stage.screen.until(lambda: stage.screen.press(window, key), "the keyboard")


def type_until_seen(stage: Stage, window: Window, sign: Sign) -> float:
    """Type the letter again and again until it is to be seen; the time of that."""
    return wait_for_sign(
        stage, window, sign, "a letter that was typed", lambda: stage.screen.press(window, LETTER)
    )


def wait_for_sign(
    stage: Stage,
    window: Window,
    sign: Sign,
    what: str,
    meanwhile: Callable[[], object] = lambda: None,
) -> float:
    """Look at the window until the sign is in it; the time of that."""
    screen, width = stage.screen, sign.picture.width
    return screen.until(
        lambda: screen.strip(window, sign.x, width).shows(sign.picture), what, meanwhile
    )


def _end(programs: list[Program]) -> None:
    """The clients first, as people go home."""
    for program in reversed(programs):
        program.end()
