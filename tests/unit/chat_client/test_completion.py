"""Who is offered while a mention is typed."""

from __future__ import annotations

import pytest

from chat_client.window.completion import MOST, Candidate, Typed, matching, typed_mention

PEOPLE = [
    Candidate("zoe", "Zoë Adams", "online"),
    Candidate("ada", "Ada Lovelace", "offline"),
    Candidate("adam", "Adam", "online"),
    Candidate("bo", "Bo"),
]


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("@|", Typed(0, "")),
        ("hi @ad|", Typed(3, "ad")),
        ("hi @ad| there", Typed(3, "ad")),
        ("(@ada.l|", Typed(1, "ada.l")),
        ("@Ada Lo|", Typed(0, "Ada Lo")),
        ("@ada and @b|", Typed(9, "b")),
        ("你好@a|", Typed(2, "a")),
        ("|@ada", None),
        ("@a|da", None),
        ("mail me@ad|", None),
        ("@ |", None),
        ("@ada\nx|", None),
        ("no sign|", None),
        ("https://x/@a|", None),
    ],
)
def test_what_is_being_typed(text: str, typed: Typed | None) -> None:
    """The bar is the cursor."""
    cursor = text.index("|")
    assert typed_mention(text.replace("|", ""), cursor) == typed


def test_a_sign_far_behind_is_passed_over() -> None:
    """No name is that long."""
    text = "@" + "a" * 500
    assert typed_mention(text, len(text)) is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("", ["adam", "zoe", "bo", "ada"]),
        ("ad", ["adam", "ada", "zoe"]),
        ("ADA", ["adam", "ada", "zoe"]),
        ("ada ", ["ada"]),
        ("love", ["ada"]),
        ("zo\u00eb", ["zoe"]),
        ("zoe\u0308", ["zoe"]),
        ("x", []),
    ],
)
def test_who_is_offered(name: str, found: list[str]) -> None:
    """Whose name begins so, before those with such a word in it; who is online first."""
    assert [person.username for person in matching(PEOPLE, name)] == found


def test_no_more_than_fit() -> None:
    """The best of them."""
    people = [Candidate(f"u{number}", f"U{number}") for number in range(100)]
    assert len(matching(people, "u")) == MOST
