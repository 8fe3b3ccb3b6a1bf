"""Mentions: whole words, without case, the longest name; never in addresses or links."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.mentions import MOST_MENTIONS, Mentionable

PEOPLE = Mentionable(
    [
        ("ada", "Ada Lovelace"),
        ("ada.lovelace", "Countess"),
        ("bob-2", "Bob"),
        ("bobby", "Bob"),
        ("jose", "José Müller"),
        ("yamada", "山田"),
        ("weiss", "Weiß"),
        ("dot.", "Dot"),
    ]
)


def found(text: str) -> list[tuple[str, list[str]]]:
    """What is marked, and who may be meant."""
    return [(text[m.begin : m.end], sorted(m.usernames)) for m in PEOPLE.mentions(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ada", [("@ada", ["ada"])]),
        ("hello @ADA!", [("@ADA", ["ada"])]),
        ("@ada.", [("@ada", ["ada"])]),
        ("(@ada)", [("@ada", ["ada"])]),
        ("ask @ada's brother", [("@ada", ["ada"])]),
        ("@ada, @bobby: look", [("@ada", ["ada"]), ("@bobby", ["bobby"])]),
        ("@ada...", [("@ada", ["ada"])]),
        ("@ada.lovelace.", [("@ada.lovelace", ["ada.lovelace"])]),
        ("@Ada Lovelace said", [("@Ada Lovelace", ["ada"])]),
        ("@ada lovelace", [("@ada lovelace", ["ada"])]),
        ("@ada Love", [("@ada", ["ada"])]),
        ("@ada\nLovelace", [("@ada", ["ada"])]),
        ("@Bob?", [("@Bob", ["bob-2", "bobby"])]),
        ("@bob-2-", [("@bob-2", ["bob-2"])]),
        ("@José Müller", [("@José Müller", ["jose"])]),
        (unicodedata.normalize("NFD", "@José Müller"), None),
        ("@weiss and @WEISS and @Weiß", [
            ("@weiss", ["weiss"]), ("@WEISS", ["weiss"]), ("@Weiß", ["weiss"]),
        ]),
        ("你好@ada你好", [("@ada", ["ada"])]),
        ("@山田さん", [("@山田", ["yamada"])]),
        ("\uff20ada", [("\uff20ada", ["ada"])]),
        ("_@ada_", []),
        ("*@ada*", [("@ada", ["ada"])]),
        ("@dot.", [("@dot.", ["dot."])]),
        ("😀@ada😀", [("@ada", ["ada"])]),
        ("\u201c@ada\u201d", [("@ada", ["ada"])]),
    ],
)  # fmt: skip
def test_who_is_mentioned(text: str, expected: list[tuple[str, list[str]]] | None) -> None:
    """Also where punctuation or another script stands around it."""
    assert found(text) == (expected if expected is not None else [(text, ["jose"])])


@pytest.mark.parametrize(
    "text",
    [
        "ada",
        "@",
        "@ ada",
        "@adam",
        "@ada2",
        "@ada_b",
        "@ada.com",
        "@ada-marie",
        "mail me@ada",
        "mail ME.@ada",
        "https://chat.example/@ada",
        "@@ada",
        "x@ada.lovelace",
        "\u00e9@ada",
        "@ada\u0301",
        "@lovelace",
        "Ada Lovelace",
        "@Jose Müllerin",
        "אב@ada",
    ],
)
def test_what_is_no_mention(text: str) -> None:
    """A longer word, an address or a link."""
    assert [name for name, _ in found(text) if name != "@Jose"] == []


def test_a_display_name_that_changed() -> None:
    """The former one means nobody any more; a username always does."""
    people = Mentionable([("ada", "Ada")])
    people.put("ada", "Countess")
    assert people.is_mentioned("@Countess")
    assert people.is_mentioned("@ada")
    people.put("ada", "Lady")
    assert not people.is_mentioned("@Countess")
    people.discard("ada")
    people.discard("ada")
    assert not people.is_mentioned("@Lady @ada")


def test_a_name_of_two_keeps_the_other() -> None:
    """Who leaves takes only their own meaning along."""
    people = Mentionable([("a", "Bob"), ("b", "Bob")])
    people.discard("a")
    assert [m.usernames for m in people.mentions("@bob")] == [frozenset({"b"})]


def test_no_more_than_so_many() -> None:
    """A text of mentions alone does not hold up who draws it."""
    assert len(PEOPLE.mentions("@ada " * 3000)) == MOST_MENTIONS


@given(st.text("@adA .-_\u0301é山\n", max_size=60))
def test_each_mention_is_a_name_and_none_overlap(text: str) -> None:
    """For any text."""
    end = 0
    for mention in PEOPLE.mentions(text):
        assert mention.begin >= end
        assert text[mention.begin] == "@"
        assert mention.usernames
        end = mention.end
