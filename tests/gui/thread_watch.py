"""What the threads of a window still refer to once it is closed."""

from __future__ import annotations

import _tkinter
import gc
import threading
import tkinter as tk
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Final

_TK: Final = (tk.Misc, _tkinter.TkappType, tk.Variable, tk.Image)
_SHARED: Final = (ModuleType, type, threading.Thread)


class ThreadWatch:
    """The threads that were started, each with what it calls, even when it has ended."""

    def __init__(self) -> None:
        self._started: list[tuple[str, object]] = []

    def add(self, thread: threading.Thread) -> None:
        """Remember a thread that is about to start."""
        called = [getattr(thread, f"_{part}", None) for part in ("target", "args", "kwargs")]
        self._started.append((thread.name, called if called[0] is not None else vars(thread)))

    def holding(self) -> list[str]:
        """Threads by which a Tk object can be reached, each with the way to it."""
        ways = [(name, _way(called)) for name, called in self._started]
        return [f"thread {name!r}: {way}" for name, way in ways if way]

    def clear(self) -> None:
        """Forget them."""
        self._started.clear()


def _way(start: object) -> str:
    """How a Tk object is reached from `start`, or empty."""
    came: dict[int, tuple[object, object]] = {id(start): (start, None)}
    ahead = [start]
    for each in ahead:
        if isinstance(each, _TK):
            return _told(each, came)
        if isinstance(each, FunctionType):
            found: list[object] = [each.__closure__, each.__defaults__, each.__kwdefaults__]
        else:
            found = gc.get_referents(each)
        for one in found:
            if one is None or isinstance(one, (*_SHARED, BuiltinFunctionType)) or id(one) in came:
                continue
            came[id(one)] = (one, each)
            ahead.append(one)
    return ""


def _told(end: object, came: dict[int, tuple[object, object]]) -> str:
    way: list[str] = []
    at: object | None = end
    while at is not None:
        one, before = came[id(at)]
        way.append(getattr(one, "__qualname__", type(one).__name__))
        at = before
    return " > ".join(reversed(way))
