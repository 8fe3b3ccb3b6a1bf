"""ChatClient's window: on the screen first, everything else loaded behind it."""

from __future__ import annotations

import logging
import sys
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from chat_client.options import Options
from common.datafolder import make_private_folder
from window.memory import recall
from window.root import Place, make_root, mode
from window.signals import Signals
from window.theme import Theme

if TYPE_CHECKING:
    from chat_client.window.screens import Screens

log = logging.getLogger(__name__)

_LEAST: Final = 640, 560
_NO_DISPLAY: Final = 1


def run(options: Options, data_dir: Path) -> int:
    """Show the window until it is closed. The exit status: 0, or 1 without a display.

    SIGTERM and Ctrl+C close it as its close button does.
    """
    signals = Signals()
    try:
        app = App(options, data_dir)
    except tk.TclError as error:
        signals.close()
        sys.stderr.write(
            f"ChatClient: can't open a window ({error}); for scripts there are the verbs "
            "send, listen, rooms and people\n"
        )
        return _NO_DISPLAY
    signals.watch(app.root, app.close)
    app.on_end = signals.close
    app.root.mainloop()
    return 0


class App:
    """The window and its end. `on_end` is called just before the window is destroyed."""

    def __init__(self, options: Options, data_dir: Path) -> None:
        self._options, self._data_dir = options, data_dir
        remembered = recall(data_dir)
        self.root = make_root("ChatClient", "chat-client")
        self.root.report_callback_exception = _report
        self.root.title("ChatClient")
        self.theme = Theme(self.root, mode(options.theme, remembered))
        self._place = Place(self.root, self.theme, data_dir, remembered, _LEAST)
        self.screens: Screens | None = None
        self.on_end: Callable[[], object] = lambda: None
        self._closed = False
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        self._place.show()
        # Once around the loop, so that the window is painted before imports take the CPU.
        self._begin_timer = self.root.after(1, self._begin)

    def _begin(self) -> None:
        from chat_client.window.screens import Screens

        self.screens = Screens(self.root, self.theme, self._options, self._data_dir)
        self.screens.begin()

    def close(self) -> None:
        """Hang up, keep what was written, and end the window; harmless when called again."""
        if self._closed:
            return
        self._closed = True
        self.root.after_cancel(self._begin_timer)
        # Gone from the screen at once; storing the last words takes a moment more.
        self.root.withdraw()
        if self.screens is not None:
            self.screens.close()
        with suppress(OSError):  # `keep` says what hinders it
            make_private_folder(self._data_dir)
        self._place.keep()
        self.on_end()
        self.root.destroy()


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A Tk callback raised: the window lives on, and the log tells."""
    log.error("a callback failed", exc_info=(kind, error, trace))
