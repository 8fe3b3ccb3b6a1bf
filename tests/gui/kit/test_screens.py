"""Where the window comes up: where it was, as far as that can be seen."""

from __future__ import annotations

import tkinter as tk
from pathlib import Path

import pytest

from common.ui.program.window_placement import WindowPlacement
from common.ui.program.window_state import WindowState, load_window_state

_LEAST = 200, 200


@pytest.fixture(name="screen")
def _screen(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    monkeypatch.setattr(root, "winfo_screenwidth", lambda: 1000)
    monkeypatch.setattr(root, "winfo_screenheight", lambda: 800)
    monkeypatch.setattr("common.ui.program.window_placement.scale_of", lambda _: 1.0)
    return 1000, 800


def _shown(root: tk.Tk, folder: Path, kept: WindowState) -> str:
    WindowPlacement(root, folder, kept, _LEAST).show()
    root.update()
    return str(root.geometry())


@pytest.mark.parametrize(
    ("former", "shown"),
    [
        ((2300, 1300, 200, 60), "950x736+50+0"),  # as large as a screen that is gone
        ((600, 400, 500, 500), "600x400+400+336"),  # would hang over two edges
        ((600, 400, 900, 790), "600x400+400+336"),  # would be out of sight but for a corner
        ((600, 780, 10, 10), "600x736+10+0"),
        ((600, 400, 30, 40), "600x400+30+40"),
        ((600, 400, -300, 50), "600x400+0+50"),
        ((600, 400, 1900, 0), "600x400+400+0"),
    ],
)
def test_all_of_it_is_seen_on_another_screen(
    root: tk.Tk,
    screen: tuple[int, int],
    tmp_path: Path,
    former: tuple[int, int, int, int],
    shown: str,
) -> None:
    """After a larger screen, and after a smaller one, no edge of the window is out of sight."""
    assert _shown(root, tmp_path, WindowState(former, scale=1.0, screen=(2560, 1440))) == shown
    assert screen == (1000, 800)


def test_all_of_it_is_seen_at_another_scale(
    root: tk.Tk, screen: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grown with the scale, the window would hang over the edges."""
    monkeypatch.setattr("common.ui.program.window_placement.scale_of", lambda _: 1.5)
    kept = WindowState((600, 440, 200, 200), scale=1.0, screen=screen)
    assert _shown(root, tmp_path, kept) == "900x660+100+76"


def test_on_the_same_screen_it_may_hang_over(
    root: tk.Tk, screen: tuple[int, int], tmp_path: Path
) -> None:
    """Somebody has put it there."""
    kept = WindowState((600, 400, 700, 300), scale=1.0, screen=screen)
    assert _shown(root, tmp_path, kept) == "600x400+700+300"


def test_a_maximized_window_comes_back_as_one(
    root: tk.Tk, screen: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the size it had before kept behind it; and not maximized once it is not any more."""
    asked: list[str] = []
    monkeypatch.setattr(WindowPlacement, "_maximize", lambda _: asked.append("maximize"))
    zoomed = [False]
    monkeypatch.setattr(WindowPlacement, "_maximized", lambda _: zoomed[0])
    place = WindowPlacement(root, tmp_path, WindowState(), _LEAST)
    place.show()
    root.geometry("500x400+30+40")
    root.update()
    zoomed[0] = True
    root.geometry("1000x800+0+0")
    root.update()
    place.save()
    kept = load_window_state(tmp_path)
    assert kept == WindowState((500, 400, 30, 40), None, 1.0, screen, maximized=True)
    assert asked == []
    place = WindowPlacement(root, tmp_path, kept, _LEAST)
    place.show()
    assert asked == ["maximize"]
    zoomed[0] = False
    root.geometry("510x400+30+40")
    root.update()
    place.save()
    assert not load_window_state(tmp_path).maximized
