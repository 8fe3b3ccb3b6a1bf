"""One scale for fonts and everything else, from what the desktop says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tkinter as tk
from pathlib import Path

import pytest

from common.ui.look import fonts
from common.ui.look.theme import Theme
from common.ui.program.window_placement import WindowPlacement
from common.ui.program.window_state import WindowState
from tests.x_server import x_server

# Prints the scale, the height of a line of the body's font, and the window's least size.
_ASK = """
import json, sys
sys.path.insert(0, sys.argv.pop())
from pathlib import Path
from common.ui.look import fonts
fonts.register()
from common.ui.program.window_state import WindowState
from common.ui.program.window_placement import WindowPlacement
from common.ui.program.root import make_root
from common.ui.look.theme import Theme
root = make_root("Chat", "chat-client", "light")
WindowPlacement(root, Path(), WindowState(), (640, 560)).show()
theme = Theme(root, "light")
json.dump([theme.scale, theme.fonts.line("body"), theme.px(16), root.minsize(),
           [root.winfo_width(), root.winfo_height()]], sys.stdout)
"""
_LINE = 1.2102
"""Height of a line of Inter for a font of one pixel; Tk rounds what is above and below up."""


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="X resources")
@pytest.mark.parametrize(
    ("resources", "environment", "server", "scale"),
    [
        ("", {}, 96, 1.0),
        ("", {}, 100, 1.0),
        ("", {}, 192, 2.0),
        ("Xft.dpi: 96", {}, 96, 1.0),
        ("Xft.dpi:\t120", {}, 96, 1.25),
        ("Xft.dpi: 144", {}, 96, 1.5),
        ("Xft.dpi: 192", {}, 96, 2.0),
        ("Xft.dpi: 192", {}, 192, 2.0),
        ("Xft*dpi: 96", {}, 192, 1.0),
        ("Xft.dpi: 120", {"GDK_SCALE": "2"}, 96, 1.25),
        ("", {"GDK_SCALE": "2"}, 96, 2.0),
        ("", {"GDK_SCALE": "two"}, 96, 1.0),
        ("Xft.dpi: large", {}, 144, 1.5),
        ("Xft.antialias: 1", {}, 96, 1.0),
    ],
)
def test_one_scale(resources: str, environment: dict[str, str], server: int, scale: float) -> None:
    """Fonts and shapes both follow Xft.dpi, else GDK_SCALE, else the server."""
    clean = {name: value for name, value in os.environ.items() if name != "GDK_SCALE"}
    with x_server(resources, dpi=server) as display:
        done = subprocess.run(
            [sys.executable, "-c", _ASK, str(Path(__file__).parents[3])],
            env={**clean, **environment, "DISPLAY": display},
            capture_output=True,
            check=True,
        )
    found, line, icon, least, size = json.loads(done.stdout)
    assert found == scale
    assert icon == 16 * scale
    assert 0 <= line - _LINE * round(10 * 96 / 72 * scale) < 2
    # The screen has 1280 × 800 pixels: the window can be seen whole, and be moved about.
    assert least == [min(640 * scale, 1088), min(560 * scale, 680)]
    assert size[0] <= 1280 * 0.95
    assert size[1] <= 800 * 0.92


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0, 3.0])
def test_fonts_are_in_pixels(root: tk.Tk, scale: float) -> None:
    """Every role is as high as the scale says, whatever resolution the server tells."""
    theme = Theme(root, "light", scale=scale)
    for role, (points, _) in fonts._SIZES.items():
        wanted = round(points * 96 / 72 * scale)
        assert theme.fonts.pixels(role) == wanted
        # Tk keeps the resolution as whole millimetres of the screen.
        spare = 2 + wanted / 100
        assert abs(theme.fonts.line(role) - _LINE * wanted) < spare


def test_a_window_keeps_its_size_to_the_eye(
    root: tk.Tk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept at one scale and shown at another it is as large, as far as the screen goes."""
    monkeypatch.setattr("common.ui.program.window_placement.scale_of", lambda _: 1.5)
    root.geometry("")
    for kept, wanted in (
        (WindowState((600, 400, 10, 20), scale=1.0), "900x600+10+20"),
        (WindowState((600, 500, 10, 20), scale=2.0), "450x375+10+20"),
        (WindowState((600, 400, 10, 20), scale=1.5), "600x400+10+20"),
        (WindowState((600, 400, 10, 20)), "600x400+10+20"),
        (
            WindowState((9000, 9000, 10, 20), scale=1.0),
            f"{round(root.winfo_screenwidth() * 0.95)}x",
        ),
    ):
        WindowPlacement(root, tmp_path, kept, (200, 200)).show()
        root.update()
        assert root.geometry().startswith(wanted)
