"""A window that begins small and grows when its contents do."""

from __future__ import annotations

import tkinter as tk
from pathlib import Path

import pytest

from common.ui.program.window_placement import SIZE, WindowPlacement
from common.ui.program.window_state import WindowState, load_window_state, save_window_state
from tests.gui.kit.conftest import Pump

FIRST = (500, 400)


def place(
    root: tk.Tk, folder: Path, pump: Pump, kept: WindowState | None = None
) -> WindowPlacement:
    """A window on the screen, which is larger than its usual size."""
    made = WindowPlacement(root, folder, kept or WindowState(), (200, 200), FIRST)
    made._screen, made._size = (1600, 1200), SIZE
    made.show()
    wanted = (kept.geometry[:2] if kept and kept.geometry else None) or FIRST
    pump(lambda: (root.winfo_width(), root.winfo_height()) == wanted, "the first size")
    return made


def size(root: tk.Tk) -> tuple[int, int]:
    """The window's width and height."""
    return root.winfo_width(), root.winfo_height()


def test_it_grows_around_its_middle(root: tk.Tk, tmp_path: Path, wait_until: Pump) -> None:
    """Once, and on the screen; the usual size is then remembered."""
    made = place(root, tmp_path, wait_until)
    root.geometry("+400+300")
    wait_until(lambda: (root.winfo_x(), root.winfo_y()) == (400, 300), "the place")
    made.grow()
    wait_until(lambda: size(root) == SIZE, "the usual size")
    middle = 400 + FIRST[0] // 2, 300 + FIRST[1] // 2
    assert abs(root.winfo_x() + SIZE[0] // 2 - middle[0]) <= 1
    assert abs(root.winfo_y() + SIZE[1] // 2 - middle[1]) <= 1
    made.save()
    assert (load_window_state(tmp_path).geometry or ())[:2] == SIZE


def test_a_first_size_is_not_remembered(root: tk.Tk, tmp_path: Path, wait_until: Pump) -> None:
    """Nobody chose it; the next window would have it for contents that need more."""
    place(root, tmp_path, wait_until).save()
    assert load_window_state(tmp_path).geometry is None


@pytest.mark.parametrize("chosen", ["by hand", "the last time"])
def test_a_chosen_size_stays(root: tk.Tk, tmp_path: Path, wait_until: Pump, chosen: str) -> None:
    """Whether it was now or then."""
    kept = WindowState(geometry=(640, 480, 10, 10)) if chosen == "the last time" else None
    made = place(root, tmp_path, wait_until, kept)
    root.geometry("640x480")
    wait_until(lambda: size(root) == (640, 480), "the chosen size")
    made.grow()
    wait_until.settle()
    assert size(root) == (640, 480)
    made.save()
    assert (load_window_state(tmp_path).geometry or ())[:2] == (640, 480)


def test_all_that_is_kept_is_recalled(tmp_path: Path) -> None:
    """Whoever adds a field has it written and read, too."""
    kept = WindowState((640, 480, 30, 40), "dark", 1.5, (1600, 1200), maximized=True, text_size=150)
    assert all(chosen != never for chosen, never in zip(kept, WindowState(), strict=True))
    save_window_state(tmp_path, kept)
    assert load_window_state(tmp_path) == kept


def test_it_follows_the_size_of_text(root: tk.Tk, tmp_path: Path, wait_until: Pump) -> None:
    """The first size does while nobody chose another one; and it still grows afterwards."""
    made = place(root, tmp_path, wait_until)
    made.zoom(150)
    assert root.minsize() == (300, 300)
    wait_until(lambda: size(root) == (750, 600), "the first size at 150 %")
    made.zoom(110)
    wait_until(lambda: size(root) == (550, 440), "the first size at 110 %")
    made.zoom(100)
    wait_until(lambda: size(root) == FIRST, "the first size")
    made._size = SIZE
    made.grow()
    wait_until(lambda: size(root) == SIZE, "the usual size")
    made.zoom(200)
    wait_until.settle()
    assert size(root) == SIZE


def test_a_chosen_size_grows_only_where_it_must(
    root: tk.Tk, tmp_path: Path, wait_until: Pump
) -> None:
    """To the least size for the text; it stays on the screen, and large enough later."""
    made = place(root, tmp_path, wait_until)
    root.geometry("220x640+1300+10")
    wait_until(lambda: size(root) == (220, 640), "the chosen size")
    made.zoom(200)
    assert root.minsize() == (400, 400)
    wait_until(lambda: size(root) == (400, 640), "the least width")
    assert root.winfo_x() + 400 <= 1600
    made.zoom(80)
    wait_until.settle()
    assert root.minsize() == (160, 160)
    assert size(root) == (400, 640)
    made.save()
    assert (load_window_state(tmp_path).geometry or ())[:2] == (400, 640)
