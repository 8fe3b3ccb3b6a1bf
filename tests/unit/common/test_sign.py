"""The two words and the colour of a server."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from common.domain.sign import ADJECTIVES, COLOURS, NOUNS, sign_of
from common.ui.look.palette import contrast


@pytest.mark.parametrize("words", [ADJECTIVES, NOUNS])
def test_words_are_told_apart_when_spoken(words: tuple[str, ...]) -> None:
    """64 short words, each with another beginning, so that half a word heard is enough."""
    assert len(words) == 64
    assert list(words) == sorted(words)
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
    assert all(3 <= len(word) <= 8 for word in words)
    pairs = [(one, other) for one, other in combinations(words, 2) if one[:3] == other[:3]]
    assert not pairs
    assert not set(ADJECTIVES) & set(NOUNS)


def test_white_letters_can_be_read_on_every_colour() -> None:
    """As on avatars: WCAG's 4.5:1."""
    assert len(set(COLOURS)) == len(COLOURS) == 8
    assert all(contrast("#ffffff", colour) >= 4.5 for colour in COLOURS)


def test_the_sign_is_the_same_in_every_program_and_version() -> None:
    """Both ends work it out by themselves: these are fixed."""
    assert sign_of(bytes(32)) == ("famous spruce", "#be525b")
    assert sign_of(b"\xff" * 32) == ("upbeat walnut", "#a6662c")


def test_signs_are_spread_evenly() -> None:
    """Of many servers no word and no colour comes up much more often than the others."""
    signs = [sign_of(number.to_bytes(32, "big")) for number in range(6400)]
    for place, most in ((0, 160), (1, 160)):
        counts = Counter(sign.words.split()[place] for sign in signs)
        assert len(counts) == 64
        assert max(counts.values()) < most
    colours = Counter(sign.colour for sign in signs)
    assert len(colours) == len(COLOURS)
    assert max(colours.values()) < 1000
