"""How the launcher and the driver get into the programs: by wrapping, never by editing."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

LINE: Final = 4096


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Have `around(original, *arguments)` called wherever `owner.name(*arguments)` was."""
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        return around(original, *arguments, **named)

    setattr(owner, name, wrapped)


def wrap_context(
    owner: Any, name: str, around: Callable[..., AbstractContextManager[None]]
) -> None:
    """Have the context manager `around(original, self)` stand in for `owner.name(self)`."""
    original = getattr(owner, name)

    def wrapped(self: Any) -> AbstractContextManager[None]:
        return around(original, self)

    setattr(owner, name, wrapped)


class Points:
    """Named places in a program, at which it can be made to die as of `kill -9`."""

    def __init__(self) -> None:
        self._armed: dict[str, int] = {}

    def arm(self, name: str, count: int) -> None:
        """Die when the point is reached for the `count`-th time from now."""
        self._armed[name] = count

    def due(self, name: str) -> bool:
        """Whether the next time at this point is the last."""
        return self._armed.get(name) == 1

    def reach(self, name: str) -> None:
        """The program is at the point."""
        if name in self._armed:
            self._armed[name] -= 1
            if not self._armed[name]:
                os.kill(os.getpid(), signal.SIGKILL)


class Orders:
    """The lines that come on standard input, without its buffer: a kill at exit is a clean one."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self) -> list[list[str]] | None:
        """Wait for input; the words of each line that is whole. None at the end."""
        data = os.read(0, LINE)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode().split(" ") for line in lines]
