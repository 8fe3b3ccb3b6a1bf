"""From a key to what is seen: in the window that has the keyboard, and in somebody else's.

Two clients and a server without a window, as processes; keys by XTest, as from a keyboard. The X
server tells of each drawing, and only then is looked at the pixels: what is timed is the moment
in which the drawing was told that brought what was looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tests.bench.pictures import Picture
from tests.bench.programs import Build, Order, Program
from tests.bench.screen import LETTER, RETURN, BenchError, Box, Window
from tests.bench.stage import Stage
from tests.bench.trials import press_once

OTHER_LETTER: Final = ord("w")
MESSAGES: Final = 12
LETTERS: Final = 4
"""Letters of a message, each of which is timed."""
PAUSE: Final = 0.15
"""Seconds between two things that a person does."""
_LINE: Final = 12
"""Rows that hold the body of a line's letters, px at 96 dpi."""
_WIDE: Final = 6
"""Columns that a letter has more than a cursor, which may blink meanwhile."""


@dataclass
class Talking:
    """Ada writes to Bruno. Times are in seconds."""

    build: Build
    stage: Stage
    echoes: list[float] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)

    def run(self) -> None:
        """One conversation. What is said first is not counted: it shows where to look."""
        stage, build = self.stage, self.build
        with stage.copy("server", "ada", "bruno") as [server, *data], stage.server(build, server):
            orders = [
                Order(f"{who}, {build.title}", (*build.client, "--data-dir", folder), build.folder)
                for who, folder in zip(("Ada", "Bruno"), data, strict=True)
            ]
            with stage.start(*orders) as programs:
                self._talk(*programs)
                for program in programs:
                    program.end()

    def _talk(self, *programs: Program) -> None:
        screen = self.stage.screen
        ada, bruno = map(self.stage.window, programs)
        for window in (ada, bruno):
            screen.watch(window)
        self.stage.settle(*programs)
        composer = self._learn_composer(ada, programs)
        # A name comes with the first message; from then on lines just move up by one.
        self._say_unwatched(ada, bruno, LETTER, programs)
        before = screen.picture(bruno)
        self._say_unwatched(ada, bruno, OTHER_LETTER, programs)
        after = screen.picture(bruno)
        place = _last_line(before, after)
        signs = {LETTER: _cut(before, place), OTHER_LETTER: _cut(after, place)}
        for number in range(MESSAGES):
            letter = (LETTER, OTHER_LETTER)[number % 2]
            for _ in range(LETTERS):
                self.echoes.append(self._echo(ada, composer, letter))
            self.seen.append(self._seen(bruno, place, signs[letter]))

    def _echo(self, ada: Window, composer: Box, letter: int) -> float:
        """Press a letter; how long until it stands in the line that is written in."""
        screen = self.stage.screen
        screen.rest(PAUSE)
        before = screen.area(ada, composer)

        def there() -> bool:
            now = screen.area(ada, composer)
            return len(before.columns_unlike(now, 0, composer.height)) >= _WIDE

        pressed = screen.key(letter)
        return screen.until_drawn(there, "a letter that was typed") - pressed

    def _seen(self, bruno: Window, place: Box, sign: Picture) -> float:
        """Press Return; how long until the other one has it as the last line."""
        screen = self.stage.screen
        screen.rest(PAUSE)
        pressed = screen.key(RETURN)
        return screen.until_drawn(lambda: screen.area(bruno, place) == sign, "a message") - pressed

    def _say_unwatched(
        self, ada: Window, bruno: Window, letter: int, programs: tuple[Program, ...]
    ) -> None:
        screen = self.stage.screen
        for _ in range(LETTERS):
            press_once(self.stage, ada, letter)
        before = screen.picture(bruno)
        press_once(self.stage, ada, RETURN)
        # A disk that is slow for a moment looks like rest.
        screen.until(lambda: screen.picture(bruno) != before, "a message")
        self.stage.settle(*programs)

    def _learn_composer(self, ada: Window, programs: tuple[Program, ...]) -> Box:
        """Where the letters of a line come, found with two of them."""
        screen = self.stage.screen
        pictures = []
        for _ in range(2):
            press_once(self.stage, ada, LETTER)
            self.stage.settle(*programs)
            pictures.append(screen.picture(ada))
        rows = pictures[0].rows_unlike(pictures[1])
        if not rows:
            raise BenchError("a letter that was typed is not to be seen")
        columns = pictures[0].columns_unlike(pictures[1], rows[0], rows[-1] + 1)
        press_once(self.stage, ada, RETURN)
        self.stage.settle(*programs)
        left = max(0, columns[0] - 40)
        return Box(left, rows[0], 160, rows[-1] + 1 - rows[0])


def _last_line(before: Picture, after: Picture) -> Box:
    """Where the beginning of the newest line is in a list that is full."""
    rows = before.rows_unlike(after)
    if not rows:
        raise BenchError("a new line is not to be seen")
    top, bottom = rows[-1] + 1 - _LINE, rows[-1] + 1
    columns = before.columns_unlike(after, top, bottom)
    return Box(columns[0], top, 2 * _LINE, _LINE)


def _cut(picture: Picture, box: Box) -> Picture:
    return picture.part(box.x, box.width, box.y, box.y + box.height)
