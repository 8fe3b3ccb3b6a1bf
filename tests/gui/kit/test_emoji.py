"""Emoji: found whole, shown as pictures, given back as characters."""

import io
import tkinter as tk

import pytest
from PIL.Image import open as open_image

from common.ui.look import emoji
from common.ui.look.theme import Theme
from common.ui.widgets.richtext import RichText
from common.ui.widgets.safe_text import safe, worded
from tests.gui.kit.conftest import Pump

FAMILY = "\U0001f469\U0001f3fd\u200d\U0001f4bb"  # woman, skin tone, joiner, laptop
FLAG = "\U0001f1e9\U0001f1ea"
HEART = "\u2764\ufe0f"
SAMPLE = f"Looks \U0001f600 great{FAMILY}{FLAG} {HEART}!\nsecond 1\ufe0f\u20e3 line"


@pytest.mark.parametrize("sequence", [FAMILY, FLAG, HEART, "\U0001f600", "1\ufe0f\u20e3", "\u231a"])
def test_a_sequence_is_one_emoji(sequence: str) -> None:
    """Joined, coloured, paired and selected characters are one picture each."""
    pieces = list(emoji.split(f"a{sequence}b"))
    assert [piece for piece, _ in pieces] == ["a", sequence, "b"]
    assert [cell is not None for _, cell in pieces] == [False, True, False]


@pytest.mark.parametrize(
    "text", ["", "plain", "1 # * © ™", "\u2764 without a selector", "żółw 漢字"]
)
def test_text_stays_text(text: str) -> None:
    """What Unicode shows as text by default is no emoji (UTS #51, ED-7)."""
    assert all(cell is None for _, cell in emoji.split(text))
    assert "".join(piece for piece, _ in emoji.split(text)) == text


def test_ordinary_text_needs_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window's own words are shown without it: it takes a moment to load, and may be lost."""

    def fail() -> None:
        raise AssertionError

    monkeypatch.setattr(emoji, "_table", fail)
    for text in ("Ada joined · 14:02", "“Übung” – прощай, שלום …", safe("New → old, 3 × 4")):
        assert list(emoji.split(text)) == [(text, None)]


def test_every_spelling_has_its_own_picture() -> None:
    """Each is found whole, as the cell of its line in the index, which is not empty."""
    lines = (emoji._FOLDER / "index.txt").read_text("utf-8").splitlines()
    for cell, line in enumerate(lines):
        for spelling in line.split():
            assert list(emoji.split(f"a{spelling}")) == [("a", None), (spelling, cell)]
    for cell in range(len(lines)):
        picture = emoji.draw(cell, 20)
        assert picture.size == (20, 20)
        assert picture.getbbox() is not None


def test_the_first_emoji_needs_little() -> None:
    """One strip of pictures is read for it, not all: the window would stand still meanwhile."""
    emoji._strip.cache_clear()
    [(_, cell)] = emoji.split("\U0001f600")
    assert cell is not None
    emoji.draw(cell, 20)
    assert emoji._strip.cache_info().currsize == 1
    assert emoji._strip(cell // emoji._COLUMNS).size == (emoji._COLUMNS * emoji._CELL, emoji._CELL)


def test_rich_text_gives_back_what_was_put_in(root: tk.Tk) -> None:
    """Emoji are pictures in the widget and characters outside of it."""
    text = tk.Text(root)
    text.pack()
    rich = RichText(text, Theme(root, "light"))
    rich.insert("end", SAMPLE)
    assert len(text.image_names()) == 5
    assert rich.get("1.0", "end-1c") == SAMPLE
    text.tag_add("sel", "1.0", "end-1c")
    rich.copy_selection()
    assert root.clipboard_get(type="UTF8_STRING") == SAMPLE


def test_a_picture_has_nothing_translucent(root: tk.Tk) -> None:
    """Tk on X11 would ask the X server what is behind it, each time it draws it."""
    text = tk.Text(root, background="#102030")
    rich = RichText(text, Theme(root, "light"))
    rich.insert("end", "\U0001f600")
    picture = text.image_names()[0]
    pixels = _pixels(root, picture)
    assert {alpha for *_, alpha in pixels} == {0, 255}
    # Its edge is mixed with what it lies on.
    assert any(max(colour) < 0x80 for *colour, alpha in pixels if alpha)


def test_pictures_follow_the_background(root: tk.Tk, wait_until: Pump) -> None:
    """All of them are drawn for another one, those in view at once; none is made anew."""
    theme = Theme(root, "light")
    text = tk.Text(root, background="#ffffff", height=4)
    text.pack()
    rich = RichText(text, theme)
    faces = [chr(code) for code in range(0x1F600, 0x1F640)]
    rich.insert("end", "".join(f"{face}\n" for face in faces))
    text.see("end")
    root.update()
    names = [text.image_cget(f"{line}.0", "image") for line in range(1, len(faces) + 1)]
    before = [_pixels(root, name) for name in names]
    text.configure(background="#000000")
    rich.repaint()
    assert _pixels(root, names[-1]) != before[-1]
    wait_until(lambda: _pixels(root, names[0]) != before[0])
    fresh = RichText(other := tk.Text(root, background="#000000"), theme)
    fresh.insert("end", "".join(faces))
    shown = [other.image_cget(f"1.{column}", "image") for column in range(len(faces))]
    drawn = [_pixels(root, name) for name in shown]
    wait_until(lambda: [_pixels(root, name) for name in names] == drawn)
    assert [text.image_cget(f"{line}.0", "image") for line in range(1, len(faces) + 1)] == names
    text.configure(background="#ffffff")
    rich.repaint()
    text.destroy()  # No timer is left that would draw in it.
    wait_until.settle()


def _pixels(root: tk.Tk, name: str) -> list[tuple[int, ...]]:
    """Red, green, blue and alpha of each pixel of a picture in a Text, row by row."""
    picture = name.partition("#")[0]
    data = root.tk.call(picture, "data", "-format", "png")
    with open_image(io.BytesIO(data)) as image:
        pixels = image.convert("RGBA").tobytes()
    return [tuple(pixels[at : at + 4]) for at in range(0, len(pixels), 4)]


def test_typed_emoji_become_pictures(root: tk.Tk) -> None:
    """What was typed or pasted raw is replaced in place; the rest is not touched."""
    text = tk.Text(root)
    text.pack()
    rich = RichText(text, Theme(root, "light"))
    text.insert("1.0", SAMPLE)
    rich.replace_typed("1.0", "end-1c")
    assert rich.get("1.0", "end-1c") == SAMPLE
    assert not any(ord(char) > 0xFFFF for char in text.get("1.0", "end"))
    rich.replace_typed("1.0", "end-1c")
    assert rich.get("1.0", "end-1c") == SAMPLE


def test_labels_have_boxes_on_x11(monkeypatch: pytest.MonkeyPatch) -> None:
    """A label has no pictures, so no raw emoji reaches Tk on X11; messages keep theirs."""
    monkeypatch.setattr("sys.platform", "linux")
    assert safe(f"Ada {FAMILY}{FLAG}") == "Ada □□"
    assert worded(f"Ada {FAMILY}\ny").text == f"Ada {FAMILY}\ny"
    assert worded("if x:\n\treturn").text == "if x:\n\treturn"
    monkeypatch.setattr("sys.platform", "darwin")
    assert safe(f"Ada {FLAG}") == f"Ada {FLAG}"
