"""What of a text is drawn at once, and where in the original a drawn place is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.cache.search import pattern
from chat_client.window.transcript.wording import (
    FOLDED,
    PORTION,
    WHOLE,
    Drawn,
    match_end,
    portions,
    weight,
)
from common.limits import TEXT_BYTES
from common.ui.look import emoji
from common.ui.widgets.safe_text import worded

FAMILY = "\U0001f469\U0001f3fd\u200d\U0001f4bb"
WORST = [
    "http://a.b " * (TEXT_BYTES // 11),
    "a" * TEXT_BYTES,
    "lorem ipsum " * (TEXT_BYTES // 12),
    "a\n" * (TEXT_BYTES // 2),
    "a" + "\n" * (TEXT_BYTES - 2) + "a",
    "\U0001f600" * (TEXT_BYTES // 4),
    FAMILY * (TEXT_BYTES // len(FAMILY.encode())),
    "\U0001f469\u200d" * (TEXT_BYTES // 7),
    "1\ufe0f\u20e3" * (TEXT_BYTES // 7),
    "a" + "\u0301" * (TEXT_BYTES // 2 - 1),
    "\u202e" * (TEXT_BYTES // 3 - 1) + "a",
    "\u202aa" * (TEXT_BYTES // 4),
    "\u3042" * (TEXT_BYTES // 3),
    "\t" * (TEXT_BYTES - 1) + "a",
]


def drawn_in(text: str) -> tuple[int, int, int]:
    """Characters, lines and pictures in which a stretch is drawn."""
    shown = worded(text).text
    pictures = sum(cell is not None for _, cell in emoji.split(shown))
    return len(shown), shown.count("\n"), pictures


@pytest.mark.parametrize("text", WORST)
def test_no_portion_is_large(text: str) -> None:
    """Whatever the text: in characters, lines and pictures as they are drawn."""
    parts = portions(text)
    assert "".join(text[part.begin : part.end] for part in parts) == text
    assert len(parts) > 1
    for part, limits in zip(parts, [FOLDED, *[PORTION] * len(parts)], strict=False):
        characters, lines, pictures = drawn_in(text[part.begin : part.end])
        assert characters <= limits.characters + 8 * limits.costly
        assert lines <= limits.lines
        assert pictures <= limits.costly
        assert text.count("\t", part.begin, part.end) <= limits.tabs


@pytest.mark.parametrize("text", WORST)
def test_the_weight_of_a_text_bounds_what_is_drawn_of_it(text: str) -> None:
    """It is told without looking for emoji, and never too small by much."""
    assert weight(text) >= drawn_in(text[: portions(text)[0].end])[2]
    assert weight(text) <= 2 + WHOLE.costly + WHOLE.characters // 100


@pytest.mark.parametrize(
    "text", ["hello", "a\nb\nc", "x" * WHOLE.characters, "a\n" * (WHOLE.lines - 1), FAMILY * 20]
)
def test_what_is_not_long_is_not_folded(text: str) -> None:
    """Nor what is only a little longer than what is shown of a long text."""
    assert portions(text) == ((0, len(text), False),)


def test_a_long_text_is_cut_between_words_and_not_inside_of_a_letter() -> None:
    """Behind a space if there is one near; an emoji and an accented letter stay whole."""
    words = "lorem " * 1000
    first, *_ = portions(words)
    assert words[first.end - 1] == " "
    assert first.breaks
    letters = "e\u0301" * 3000
    assert all(part.end % 2 == 0 for part in portions(letters))
    family = FAMILY * 400
    assert all(part.end % len(FAMILY) == 0 for part in portions(family))


def test_a_cut_at_a_line_break_adds_none() -> None:
    """The newline of the text is the one that is seen."""
    text = "line\n" * 1000
    assert not any(part.breaks for part in portions(text))


_ODD = st.sampled_from(
    [
        "a",
        "\n",
        "\t",
        "\u202e",
        "\u200e",
        "\u2028",
        "\r\n",
        "\x85",
        "\ufeff",
        "\U0001f600",
        "e\u0301",
    ]
)


@given(st.lists(_ODD, max_size=30).map("".join))
def test_every_drawn_place_is_one_of_the_original(text: str) -> None:
    """From the first to the last in order; both ends of all are both ends of the text."""
    wording = worded(text)
    places = [wording.original(place) for place in range(len(wording.text) + 1)]
    ends = [wording.original(place, end=True) for place in range(len(wording.text) + 1)]
    assert places == sorted(places)
    assert ends == sorted(ends)
    assert all(place <= end for place, end in zip(places, ends, strict=True))
    assert (places[0], ends[-1]) == (0, len(text))
    for place, character in enumerate(wording.text):
        if character in "a\t\U0001f600e\u0301":
            assert text[ends[place] : places[place + 1]] == character


@pytest.mark.parametrize(
    ("text", "selected", "copied"),
    [
        ("tab\there", "tab\there", "tab\there"),
        ("\u202aC:\\x\u202c", "C:\\x", "\u202aC:\\x\u202c"),
        ("photo\u202egpj.exe", "⟦U+202E⟧", "\u202e"),
        ("photo\u202egpj.exe", "gpj", "\u202egpj"[1:]),
        ("one\u2028two", "one\ntwo", "one\u2028two"),
        ("a\r\nb", "a\nb", "a\r\nb"),
        ("  indented", "  indented", "  indented"),
        ("\u05d0\u200e1", "1", "\u200e1"),
    ],
)
def test_what_is_copied_is_what_was_sent(text: str, selected: str, copied: str) -> None:
    """A stretch of what is drawn, and the stretch of the original that it stands for."""
    drawn = Drawn(text, portions(text))
    begin = worded(text).text.index(selected)
    end = begin + len(selected)
    assert text[drawn.original(begin) : drawn.original(end, end=True)] == copied


def test_places_go_on_behind_the_breaks_between_portions() -> None:
    """And what is behind all that is drawn is the end of the text."""
    text = "\U0001f600" * 200 + "z"
    parts = portions(text)
    assert [part.breaks for part in parts] == [True] * (len(parts) - 1) + [False]
    whole = Drawn(text, parts)
    shown = "".join(text[p.begin : p.end] + "\n" * p.breaks for p in parts)
    assert text[whole.original(shown.index("z"))] == "z"
    folded = Drawn(text, parts[:1])
    assert folded.original(parts[0].end, end=True) == parts[0].end
    assert folded.original(parts[0].end + 2, end=True) == len(text)


@pytest.mark.parametrize(
    ("text", "words", "end"),
    [
        ("one two two", "two", 7),
        ("one TWO", "two", 7),
        ("cafe\u0301 and more", "caf\u00e9", 5),
        ("a\u00a0b c", "a b", 3),
        ("one", "two", None),
    ],
)
def test_where_it_ends_what_somebody_looks_for(text: str, words: str, end: int | None) -> None:
    """In the text as it was sent, though it is compared in another form."""
    assert match_end(text, pattern(words)) == end
