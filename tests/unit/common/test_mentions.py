"""Mentions: whole words, without case, the longest name; never in addresses or links."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
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


PEOPLE_NAMES = [
    *(
        "Ada",
        "e\u0301",
        "\xdf",
        "\u017fa",
        "\u0130",
        "\u0131 d",
        "\u01c6",
        "\u5c71",
        "\u03b1\u0345",
    ),
    "a-d",
]


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
    assert people.mentions_person("@Countess", "ada")
    assert people.mentions_person("@ada", "ada")
    people.put("ada", "Lady")
    assert not people.mentions_person("@Countess", "ada")
    people.discard("ada")
    people.discard("ada")
    assert not people.mentions("@Lady @ada")


def test_a_name_of_two_keeps_the_other() -> None:
    """Who leaves takes only their own meaning along."""
    people = Mentionable([("a", "Bob"), ("b", "Bob")])
    people.discard("a")
    assert [m.usernames for m in people.mentions("@bob")] == [frozenset({"b"})]


def test_no_more_than_so_many() -> None:
    """A text of mentions alone does not hold up who draws it."""
    assert len(PEOPLE.mentions("@ada " * 3000)) == MOST_MENTIONS


def test_whoever_is_meant_is_told_behind_any_number() -> None:
    """Others' names before one's own do not hide it; who draws gets one more, and no more."""
    text = "@bobby " * 3000 + "@ada @ada"
    assert PEOPLE.mentions_person(text, "ada")
    assert not PEOPLE.mentions_person(text, "jose")
    drawn = PEOPLE.mentions(text, "ada")
    assert len(drawn) == MOST_MENTIONS + 1
    assert (drawn[-1].begin, drawn[-1].usernames) == (len(text) - 9, frozenset({"ada"}))
    assert len(PEOPLE.mentions(text, "bobby")) == MOST_MENTIONS


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("@Ada Lovelace", {"lovelace"}),
        ("@Ada", {"first"}),
        ("@Ada Love", {"first"}),
        ("@bruno ok, look", {"bruno", "mallory"}),
        ("@bruno okay", {"bruno"}),
        ("@bruno", {"bruno"}),
        ("@yo mama!", {"second", "yo"}),
    ],
)
def test_names_that_begin_others(text: str, meant: set[str]) -> None:
    """The longest is meant; yet nobody takes mentions away from somebody's username."""
    people = Mentionable(
        [
            *(("first", "Ada"), ("lovelace", "Ada Lovelace"), ("bruno", "Bruno Okafor")),
            *(("mallory", "bruno ok"), ("yo", "Zoe"), ("second", "Yo Mama")),
        ]
    )
    (mention,) = people.mentions(text)
    assert mention.usernames == meant
    assert {name for name in ("first", "lovelace", "bruno", "mallory", "yo", "second")
            if people.mentions_person(text, name)} == meant  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a @" * 21 + "z", "a @" * 5400),
        ("@ " * 31 + "z", "@ " * 8000),
        (" @" * 31 + "z", " @" * 8000),
        ("a" * 63 + "z", "@" + "a" * 16000),
        ("a" * 64, "@" + "a" * 63 + "@a" * 8000),
        ("a\u0301" * 32, "@a\u0301" * 5000),
        ("bob", "@bob" * 4000),
    ],
)
def test_no_name_makes_a_text_costly(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No character is looked at more than once, although a server may tell of any name."""
    steps = 0
    looks = Mentionable._is_beginning

    def counted(people: Mentionable, folded: str) -> bool:
        nonlocal steps
        steps += 1
        return looks(people, folded)

    monkeypatch.setattr(Mentionable, "_is_beginning", counted)
    Mentionable([("mallory", name)]).mentions_person(text, "nobody")
    assert steps <= len(text) + text.count("@")


@pytest.mark.parametrize("name", ["bob @ home", "50 % @night", "Zoë", "x" * 64])
def test_a_name_with_a_sign_is_found(name: str) -> None:
    """As far as such names are allowed."""
    assert Mentionable([("m", name)]).mentions_person(f"ask @{name}, now", "m") == (
        "@n" not in name
    )


@settings(max_examples=500)
@given(
    st.text("@\uff20adA .-_\u0301\u0345\xe9\xdf\u017f\u0131\u0130\u01c6\u5c71", max_size=40),
    st.sampled_from(PEOPLE_NAMES),
)
def test_what_has_no_name_mentions_nobody(text: str, name: str) -> None:
    """The quick look and the thorough one agree, whatever the form and the case of letters."""
    people = Mentionable([("ada", name), ("d", "ada" + name)])
    thorough = any("ada" in mention.usernames for mention in people.mentions(text, "ada"))
    assert people.mentions_person(text, "ada") == thorough


@given(st.text("@adA .-_\u0301é山\n", max_size=60))
def test_each_mention_is_a_name_and_none_overlap(text: str) -> None:
    """For any text."""
    end = 0
    for mention in PEOPLE.mentions(text):
        assert mention.begin >= end
        assert text[mention.begin] == "@"
        assert mention.usernames
        end = mention.end


def test_what_is_kept_of_texts_follows_the_names() -> None:
    """The same text asked of again, after people came, left or were called otherwise."""
    people = Mentionable([("ada", "Ada")])
    text = "hello @ada.lovelace and @Countess"
    assert not people.mentions_person(text, "ada")
    people.put("ada", "Countess")
    assert people.mentions_person(text, "ada")
    assert not people.mentions_person(text, "bruno")
    people.discard("ada")
    assert not people.mentions_person(text, "ada")
    people.put("ada.lovelace", "Ada Lovelace")
    assert people.mentions_person(text, "ada.lovelace")


def test_little_is_kept_of_texts() -> None:
    """Not every text that ever came, and no long one."""
    people = Mentionable([("ada", "Ada")])
    for number in range(5000):
        assert people.mentions_person(f"@ada {number}", "ada")
        assert people.mentions_person(f"@ada {number}", "ada")
    assert people.mentions_person("@ada " + 10_000 * "x", "ada")
    assert len(people._known) <= 1000
    assert max(len(text) for text, _ in people._known) <= 1000
