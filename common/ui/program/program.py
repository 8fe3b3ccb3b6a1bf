"""A program with one window, which is shown first and filled when everything else is loaded.

Every import at the top of this module, and of the modules it imports, delays the first window;
tests/gui/test_first_window.py counts them. The window's contents are imported on a thread
meanwhile, so that the window can be moved and closed, and are built on the Tk thread.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from common.ui.look.desktop_mode import desktop_mode
from common.ui.look.palette import Mode
from common.ui.program.background_import import Loading
from common.ui.program.root import end_root, make_root
from common.ui.program.window_placement import WindowPlacement
from common.ui.program.window_state import load_window_state
from common.ui.widgets.typeahead import TypeAhead

if TYPE_CHECKING:
    from common.ui.look.theme import Theme

LOOK = 5
"""Polling interval in milliseconds while the contents are loaded."""
TYPED = 1000
"""Milliseconds after the contents are there for which earlier keystrokes are still delivered."""


class Contents(Protocol):
    """The contents of the window, which also do the program's work."""

    status: int
    """The program's exit status."""
    owns_folder: bool
    """Whether this process holds the data folder, so that the window's state may be saved there."""

    def begin(self) -> object:
        """Start the work; called when all widgets are built."""

    def may_close(self) -> bool:
        """Whether the close button may close it; the person may be asked. Signals don't ask."""

    def close(self, ended: Callable[[], object]) -> object:
        """Stop the work, then call `ended`, on the Tk thread. Called once."""


C = TypeVar("C", bound=Contents)


class Program(Generic[C]):
    """The window and its contents, which are None until they are loaded. Raises TclError.

    `load` is called on a thread: it imports, and returns a function that makes the contents, which
    is then called on the Tk thread. `least` is the minimum size of the contents, px at 96 dpi, and
    `first` the size until `grow` of a window that was never resized. `on_load` is called when
    everything is loaded, `on_end` just before the window is destroyed.
    """

    theme: Theme
    mode: Mode
    """The initial mode: the one given, else the one chosen last time, else the desktop's."""

    def __init__(
        self,
        name: str,
        icon: str,
        data_dir: Path,
        least: tuple[int, int],
        mode: Mode | None,
        load: Callable[[], Callable[[Program[C]], C]],
        first: tuple[int, int] | None = None,
    ) -> None:
        self.name, self.icon, self.data_dir = name, icon, data_dir
        self.contents: C | None = None
        self.on_load: Callable[[], object] = lambda: None
        self.on_end: Callable[[], object] = lambda: None
        remembered = load_window_state(data_dir)
        self.mode = mode or remembered.theme or desktop_mode()
        self._text_size = remembered.text_size
        self.root = make_root(name, icon, self.mode)
        self.root.protocol("WM_DELETE_WINDOW", self._close_button)
        self._place = WindowPlacement(self.root, data_dir, remembered, least, first)
        self._place.show()
        self._typed = TypeAhead(self.root)
        self._closing = False
        self._failure: BaseException | None = None
        self._loading = Loading(load)
        # Once around the loop, so that the window is painted before imports take the CPU.
        self._timer = self.root.after(1, self._load)

    @property
    def shown_mode(self) -> Mode:
        """The mode that is shown now."""
        return self.theme.mode if hasattr(self, "theme") else self.mode

    @property
    def filled(self) -> C:
        """The contents. Raises RuntimeError before they are loaded."""
        if self.contents is None:
            raise RuntimeError("the window is empty as yet")
        return self.contents

    def run(self) -> int:
        """Show the window until it is closed; the exit status. Raises what `load` raised."""
        self.root.mainloop()
        self._loading.join()
        if self._failure is not None:
            raise self._failure
        return self.contents.status if self.contents is not None else 0

    def grow(self) -> None:
        """Resize the window to its default size, for contents that need it."""
        self._place.grow()

    @property
    def remembered_mode(self) -> Mode | None:
        """The stored mode; None if none was chosen."""
        return self._place.remembered_mode

    def remember_look(self, mode: Mode | None, text_size: int) -> None:
        """Store mode and text size (per cent) for the next start; None is the desktop's mode."""
        self._place.remember_look(mode, text_size)

    def zoom(self, text_size: int) -> None:
        """Change the text size, in per cent of the default, and the window's minimum size with it.

        Existing widgets keep the lengths that they were created with, so rebuild them.
        """
        self.theme.zoom(text_size)
        self._place.zoom(text_size)

    def close(self) -> None:
        """Stop the work and then destroy the window. Idempotent."""
        if self._closing:
            return
        self._closing = True
        self.root.after_cancel(self._timer)
        if self.contents is not None:
            self.contents.close(self._end)
        else:
            self._end()

    def _close_button(self) -> None:
        if self.contents is None or self._closing or self.contents.may_close():
            self.close()

    def _load(self) -> None:
        self._loading.start()
        self._look()

    def _look(self) -> None:
        if not self._loading.done:
            self._timer = self.root.after(LOOK, self._look)
            return
        try:
            self._fill()
        except Exception as error:  # noqa: BLE001  # `run` raises it: nothing works without
            self._failure = error
            self.root.quit()

    def _fill(self) -> None:
        from common.ui.look.theme import Theme

        make = self._loading.result()
        self.on_load()
        self.theme = Theme(self.root, self.mode, text_size=self._text_size)
        self._place.follow(self.theme)
        self.contents = make(self)
        self.contents.begin()
        # By then the widget that gets the keyboard focus has it.
        self._timer = self.root.after(TYPED, self._typed.stop)

    def _end(self) -> None:
        if self.contents is None or self.contents.owns_folder:
            self._place.save()
        self.on_end()
        end_root(self.root)
