"""Shapes, icons, avatars and fonts: the drawn pieces."""

from __future__ import annotations

import io
import subprocess
import sys
import tkinter as tk
from collections import Counter

import pytest
from PIL import Image

from common.ui.look import avatars, fonts, icons, shapes
from common.ui.look.palette import AVATARS
from common.ui.look.shapes import OVER
from common.ui.look.theme import Theme


def _colours(image: Image.Image) -> set[tuple[int, ...]]:
    return {colour[:3] for _, colour in image.getcolors(100_000) or () if colour[3]}  # type: ignore[index]


def test_a_shape_has_no_fringe() -> None:
    """Edge pixels differ in alpha alone, so they fit any ground."""
    assert _colours(shapes.rounded(40, 30, 8, "#3366ee")) == {(0x33, 0x66, 0xEE)}


def test_a_shape_is_symmetrical_and_clear_at_its_corners() -> None:
    """All four corners are alike, and what is outside is see-through."""
    image = shapes.rounded(41, 31, 9, "#000000", "#ff0000")
    assert image.getpixel((0, 0))[3] == 0  # type: ignore[index]
    mirrored = image.transpose(Image.Transpose.ROTATE_180)
    assert image.tobytes() == mirrored.tobytes()
    assert image.getpixel((20, 0)) == (255, 0, 0, 255)
    assert image.getpixel((20, 15)) == (0, 0, 0, 255)


@pytest.mark.parametrize("size", [16, 18, 32])
@pytest.mark.parametrize("name", icons._DRAW)
def test_every_icon_draws(name: icons.IconName, size: int) -> None:
    """An icon has its size and its one colour, and is neither empty nor a block."""
    image = icons.picture(name, "#1d1f25", size, gap=4)
    assert image.size == (size + 4, size)
    assert _colours(image) == {(0x1D, 0x1F, 0x25)}
    covered = sum(image.getchannel("A").histogram()[128:])
    assert 0.02 < covered / size**2 < 0.8


def test_images_are_kept(theme: Theme) -> None:
    """The same picture is drawn once."""
    assert theme.icon("gear", "#000000") is theme.icon("gear", "#000000")
    assert theme.icon("gear", "#000000") is not theme.icon("gear", "#ffffff")


@pytest.mark.parametrize(
    ("name", "username", "expected"),
    [
        ("Ada Lindqvist", "ada", "AL"),
        ("chen", "chen.w", "C"),
        ("Jean-Luc van der Berg", "jl", "JB"),
        ("Ωmega Дом", "o", "ΩД"),
        ("陳大文", "wei", "W"),
        ("", "", "?"),
        ("👍", "", "?"),
        ("4 you", "", "4Y"),
    ],
)
def test_initials(name: str, username: str, expected: str) -> None:
    """One or two letters that the bundled font has."""
    assert avatars.initials(name, username) == expected


def test_the_colour_of_a_stranger_is_fixed() -> None:
    """It depends on the username alone, not its case, and is the same in every run."""
    colours = avatars.Colours()
    assert colours.of("ada") == colours.of("ADA") == "#7c4a2d"
    assert len({colours.of(f"user{n}") for n in range(200)}) == len(AVATARS)


@pytest.mark.parametrize("name", ["user{}", "{}", "anna.{}", "{0}{0}{0}", "Łukasz {}"])
@pytest.mark.parametrize("count", [2, 7, 12, 25, 100])
def test_people_have_different_colours(name: str, count: int) -> None:
    """All differ while there are colours; of more people, no colour has two more than another."""
    people = [name.format(number) for number in range(count)]
    colours = avatars.Colours()
    colours.meet(people)
    uses = Counter(map(colours.of, people))
    assert len(uses) == min(count, len(AVATARS))
    assert max(uses.values()) - min(uses.values()) <= 1
    if count == 2:
        one, two = map(AVATARS.index, uses)
        assert abs(one - two) not in {1, len(AVATARS) - 1}, "two that are alike"
    # Whoever knows of the same people sees the same, in whatever order they were told.
    other = avatars.Colours()
    other.meet(reversed(people))
    assert [*map(other.of, people)] == [*map(colours.of, people)]


def test_who_comes_later_takes_no_colour_away() -> None:
    """Not within the life of a window, and with others in another chat."""
    colours = avatars.Colours()
    colours.meet(["mira", "zoe"])
    before = colours.of("mira"), colours.of("Zoe")
    colours.meet(f"aa{number}" for number in range(50))
    assert (colours.of("Mira"), colours.of("zoe")) == before
    colours.forget()
    colours.meet([f"aa{number}" for number in range(11)])
    assert len({colours.of(f"aa{number}") for number in range(11)}) == 11


@pytest.mark.parametrize("size", [26, 32, 33, 40, 48, 52, 64])
@pytest.mark.parametrize("text", ["AL", "MW", "ВЩ", "Q", "W", "ΩД"])
def test_the_presence_dot_covers_no_letter(size: int, text: str) -> None:
    """The initials stand clear of the dot and its ring, at every size there is."""
    plain = avatars._draw(text, "#000000", size, size / 2, "")
    with_dot = avatars._draw(text, "#000000", size, size / 2, "#2a9658")
    ring = avatars._dot_mask(size, ring=True).reduce(OVER)
    pixels = [(x, y) for x in range(size) for y in range(size)]
    white = {at for at in pixels if with_dot.getpixel(at)[:3] == (255, 255, 255)}  # type: ignore[index]
    assert not any(ring.getpixel(at) for at in white)
    # They are not moved out of the face for it.
    assert white
    assert plain.getpixel((size // 2, 1)) == with_dot.getpixel((size // 2, 1)) == (0, 0, 0, 255)


def test_a_presence_dot_has_a_gap_around_it(theme: Theme) -> None:
    """The ring is see-through: it fits a selected row as well as a plain one."""
    image = avatars._draw("A", "#be525b", 32, 16, "#2da15f")
    alphas = [image.getpixel((at, at))[3] for at in range(16, 32)]  # type: ignore[index]
    assert alphas[0] == 255
    assert min(alphas[3:8]) < 64
    assert alphas[10] == 255
    assert theme.avatar("Ada", "ada", 32, "online") is not theme.avatar("Ada", "ada", 32)


def test_an_avatar_on_one_colour_has_no_translucent_pixel(theme: Theme) -> None:
    """On X11 Tk asks the X server what is behind such pixels, at every drawing."""

    def alphas(image: tk.PhotoImage) -> set[int]:
        data = image.tk.call(str(image), "data", "-format", "png")
        channel = Image.open(io.BytesIO(data)).convert("RGBA").getchannel("A")
        return {value for _, value in channel.getcolors() or ()}  # type: ignore[misc]

    dark, light = (
        theme.avatar("Ada", "ada", 32, "online", behind=colour) for colour in ("#101010", "#ffffff")
    )
    assert alphas(theme.avatar("Ada", "ada", 32, "online")) - {0, 255}
    assert alphas(dark) == alphas(light) == {0, 255}
    assert dark is not light


def test_inter_is_lent_to_this_process(theme: Theme) -> None:
    """The bundled font is there without being installed."""
    assert fonts.register()
    assert theme.fonts["body"].actual("family").startswith("Inter")
    assert theme.fonts["hero"].actual("weight") == "bold"


def test_a_missing_font_file_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the font the program starts all the same."""
    monkeypatch.setattr(fonts, "NORMAL", fonts.FOLDER / "gone.otf")
    assert not fonts.register()


def test_fit_shortens(theme: Theme) -> None:
    """A text too wide gets the longest start that fits, with an ellipsis."""
    text = "A rather long name for a computer"
    short = theme.fonts.fit("body", text, 100)
    assert short.endswith("…")
    assert theme.fonts.width("body", short) <= 100
    assert theme.fonts.fit("body", text, 1000) == text
    assert theme.fonts.fit("body", text, 3) == ""


def test_importing_the_kit_does_not_load_pillow() -> None:
    """Pillow waits until something is drawn; start-up pays for every import."""
    code = (
        "import sys\n"
        "from common.ui.lists import row_list, table\n"
        "from common.ui.widgets import dialog, gauges, notices\n"
        "sys.exit('PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_text_is_never_tcl(root: tk.Tk, theme: Theme) -> None:
    """What a person writes goes into options, where Tcl does not look at it."""
    from common.ui.widgets.basics import Label

    label = Label(root, theme, "[exit] $env(HOME) \\n {")
    assert label.cget("text") == "[exit] $env(HOME) \\n {"
