"""Display names: what is cleaned, what is refused and why, and who looks like somebody else."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from common.domain.display_names import Namesakes, clean_display_name, describe, imitates
from common.domain.names import NameRefusedError
from common.limits import DISPLAY_NAME_LENGTH
from common.protocol.messages import DisplayName
from tests import strategies as our

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        # RFC 8266, table 1, with case preserved.
        ("Foo", "Foo"),
        ("foo", "foo"),
        ("Foo Bar", "Foo Bar"),
        ("foo bar", "foo bar"),
        ("Σ", "Σ"),
        ("\u03c3", "\u03c3"),
        ("ς", "ς"),
        ("♚", "♚"),
        ("Richard Ⅳ", "Richard IV"),
        # And its mapping of spaces (§2.1).
        ("  Ada \u3000 Lindqvist ", "Ada Lindqvist"),
        ("e\u0301", "é"),
        ("\uff21da", "Ada"),
        ("🎉", "🎉"),
        ("שלום", "שלום"),
        # What joins letters stays where their script needs it (RFC 5892, A.1 and A.2).
        ("شمس\u200cالدین", "شمس\u200cالدین"),
        ("ශ්\u200dරී", "ශ්\u200dරී"),
    ],
)
def test_display_names_are_cleaned(name: str, cleaned: str) -> None:
    """The Nickname profile: compatibility characters are made plain, spaces single."""
    assert clean_display_name(name) == cleaned


@pytest.mark.parametrize(
    "sequence",
    [
        "❤\ufe0f",
        "❤\ufe0e",
        "👍🏽",
        "👩\u200d👩\u200d👧\u200d👦",
        "🏳\ufe0f\u200d🌈",
        "🕵🏻\u200d♂\ufe0f",
        "🇸🇪",
        "1\ufe0f\u20e3",
        "©\ufe0f",
        ENGLAND,
        "\U0001faea",  # of Unicode 17, which Python's own tables need not know
    ],
)
@pytest.mark.parametrize("form", ["{}", "Ada {}", "{} Ada", "A{}a {} b", "{}{}"])
def test_emoji_sequences_are_whole(sequence: str, form: str) -> None:
    """What emoji consist of is kept, in its place, alone and among letters."""
    name = form.format(sequence, sequence)
    assert clean_display_name(name) == name


def test_an_emoji_that_stands_for_itself_is_not_taken_for_another() -> None:
    """A name may have every symbol that cleaning uses in place of an emoji."""
    name = "\u2801\u2802\u2803 ❤\ufe0f \u2801 👍🏽 \u2804"
    assert clean_display_name(name) == name


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("a\nb", "U+000A LINE FEED"),
        ("a\x00b", "U+0000 NULL"),
        ("\x1b[31m", "U+001B (a control character)"),
        ("ada\u202egnp.exe", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2066ada\u2069", "U+2066 LEFT-TO-RIGHT ISOLATE"),
        ("a\u200bda", "U+200B ZERO WIDTH SPACE"),
        ("\ufeffada", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("a\u2028b", "U+2028 LINE SEPARATOR"),
        ("\ue000", "U+E000 (for private use)"),
        ("\ud800", "U+D800 (half a character)"),
        ("\ufdd0", "U+FDD0 (not a character yet)"),
        # Nothing is drawn for these.
        ("\u2800", "U+2800 BRAILLE PATTERN BLANK"),
        ("Ada\u2800", "U+2800 BRAILLE PATTERN BLANK"),
        ("\u3164", "U+3164 HANGUL FILLER"),
        ("\uffa0", "U+FFA0 HALFWIDTH HANGUL FILLER"),
        ("\U0001d159", "U+1D159 MUSICAL SYMBOL NULL NOTEHEAD"),
        # Marks with nothing to stand on, and more than a line has room for.
        ("\u0301", "U+0301 COMBINING ACUTE ACCENT"),
        ("\u0301\u0302", "U+0301 COMBINING ACUTE ACCENT"),
        ("Ada \u0308", "U+0308 COMBINING DIAERESIS"),
        ("O´Brien", "U+00B4 ACUTE ACCENT"),
        ("Z\u0335\u0336\u0337\u0338\u0334go", "4 marks"),
        # Pieces of emoji.
        ("x\u200dy", "U+200D ZERO WIDTH JOINER"),
        ("❤\ufe0f\u200d", "U+200D ZERO WIDTH JOINER"),
        ("a\ufe0f", "U+FE0F VARIATION SELECTOR-16"),
        ("1\ufe0f", "U+FE0F VARIATION SELECTOR-16"),
        ("🏽", "U+1F3FD EMOJI MODIFIER FITZPATRICK TYPE-4"),
        ("x🏽", "U+1F3FD EMOJI MODIFIER FITZPATRICK TYPE-4"),
        ("🇸", "U+1F1F8 REGIONAL INDICATOR SYMBOL LETTER S"),
        ("🇸🇪🇸", "U+1F1F8 REGIONAL INDICATOR SYMBOL LETTER S"),
        ("Ada\U000e0067\U000e007f", "U+E0067 TAG LATIN SMALL LETTER G"),
        ("", "empty"),
        (" ", "empty"),
        ("\u3000", "empty"),
        ("x" * (DISPLAY_NAME_LENGTH + 1), "64 characters"),
        ("x" * 100_000, "64 characters"),
        ("\ufdfa" * 4, "64 characters"),  # one character that normalises to eighteen
        ("👩\u200d" * 33 + "👩", "64 characters"),
    ],
)
def test_display_names_that_are_refused(name: str, named: str) -> None:
    """Nothing unseen, nothing half, not too long; and what is at fault is named, in plain text."""
    with pytest.raises(NameRefusedError, match=re.escape(named)) as refused:
        clean_display_name(name)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Host",
            "HOST",
            "host!",
            "  The Host ",
            "H.o.s.t",
            "★ Host ★",
            "Нost",
            "H\u043est",
            "H0st",
        ),
        *(
            "ChatServer",
            "Chat Server",
            "Chat-Client",
            "System",
            "Ad Min",
            "Adm1n",
            "You",
            "Everyone",
        ),
        *(
            "Victor (you)",
            "Victor (YOU)",
            "Victor [you]",
            "Victor （you）",
            "Victor (уou)",
            "(you) V",
        ),
        *("Ada (host)", "Ada «Admin»", "Ada – Host", "Ada - Moderator", "System | Ada", "Ada/Host"),
        *("—Host", "Host—", "‖you‖", "× Chat ×", "%Host", "⋃you", "∣Admin∣", "— Home & Garden —"),
        *("Ada —you", "Ada— you", "Ada—you", "Ada -Host", "Ada- Host", "Ada ⸺ Host", "Ada − Host"),
        *("Ada 〜 Host", "Ada ‖ you", "Ada ǀ you", "Ada ¦ Host", "Ada │ Host", "Ada∕Host"),
        *("@ada", "Ada @bruno", "Ada (@bruno)", "Ada ＠bruno"),
        *("Home & Garden", "home garden", "Hоme & Gаrden"),
    ],
)
def test_names_that_imitate_the_chat_are_refused(name: str) -> None:
    """What the windows write themselves, and the chat's own name, is nobody's, in any spelling."""
    with pytest.raises(NameRefusedError, match="could be taken for"):
        clean_display_name(name, "Home & Garden")


@pytest.mark.parametrize(
    "name",
    [
        *("Ali", "ALI", "Anna Host", "Hosta", "Allan", "Gene Rally", "Ada (Lindqvist)", "Ada-Host"),
        *("ada@work", "Jean-Luc", "Young", "Ada & Bruno", "Home", "Modesta", "O'Brien"),
        *("Ada–Host", "Jean—Luc", "Ann -Marie", "- Ada -", "Ho×st×er"),
    ],
)
def test_names_of_people_are_let_in(name: str) -> None:
    """Even if a word in them is one of the chat's."""
    assert clean_display_name(name, "Home & Garden") == name


def _pieces() -> st.SearchStrategy[str]:
    """Names made of what is hard about them, beside any text."""
    hard = st.sampled_from(
        [
            *("a", "Ł", " ", "\u0301", "\u200d", "\u200c", "\ufe0f", "\u20e3", "1", "❤", "👩"),
            *(
                "🇸",
                "🏽",
                "🏴",
                "\U000e0067",
                "\U000e007f",
                "\u2801",
                "\u2800",
                "ශ්",
                "(",
                "you",
                "@",
            ),
        ]
    )
    return st.lists(hard, max_size=12).map("".join)


@given(our.any_text() | our.line(DISPLAY_NAME_LENGTH) | _pieces())
def test_a_clean_display_name_is_lawful_and_stays_as_it_is(name: str) -> None:
    """What comes out fits the messages, can be seen, and cleaning it again changes nothing."""
    try:
        cleaned = clean_display_name(name, "Home")
    except NameRefusedError as refused:
        assert str(refused).isprintable()  # noqa: PT017  # any refusal, whatever was at fault
        assume(False)
        raise
    assert TypeAdapter(DisplayName).validate_python(cleaned) == cleaned
    assert clean_display_name(cleaned, "Home") == cleaned
    assert any(unicodedata.category(char)[0] not in "MZ" for char in cleaned)
    assert not imitates(cleaned, "Home")


@given(st.characters())
def test_every_character_can_be_described(char: str) -> None:
    """With its number, and in characters that can be printed."""
    told = describe(char)
    assert told.startswith(f"U+{ord(char):04X} ")
    assert told.isascii()
    assert told.isprintable()


# People of one name


def of(**names: str) -> Namesakes:
    """People with these names."""
    people = Namesakes()
    for username, display_name in names.items():
        people.put(username, display_name)
    return people


@pytest.mark.parametrize(
    "other",
    [
        *("Victor", "victor", "VICTOR", "Vіctor", "VІСТОR", "𝐕ictor", "Vict0r", "Ｖictor"),
        "Victo\u200dr",
    ],
)
def test_who_looks_alike_has_a_handle(other: str) -> None:
    """Both of them: a reader can't know which of the two is the real one."""
    people = of(victor="Victor", eve=other, bruno="Bruno")
    handles = [people.handle(name) for name in ("victor", "eve", "bruno")]
    assert handles == ["@victor", "@eve", ""]


def test_a_name_that_is_anothers_username_has_a_handle() -> None:
    """Whoever calls herself by it; the other one, who is called otherwise, is not."""
    people = of(bruno="B. Lind", eve="Bruno", ada="Ada")
    assert people.handle("eve")
    assert not people.handle("bruno")
    assert not people.handle("ada")  # her own username


@pytest.mark.parametrize("name", ["Victor (you)", "Host", "Ada @bruno"])
def test_a_name_from_before_it_was_refused_has_a_handle(name: str) -> None:
    """Those accounts go on working, and show who they are."""
    assert of(old=name).handle("old")


def test_nobody_unknown_has_a_handle() -> None:
    """Somebody whose name has not come yet is shown by the username alone."""
    assert not of(ada="Ada").handle("bruno")


def test_who_is_affected_is_told() -> None:
    """Whose handle came or went with the change, and nobody else's name is drawn anew."""
    people = Namesakes()
    assert people.put("ada", "Ada") == {"ada"}
    assert people.put("bruno", "Bruno") == {"bruno"}
    assert people.put("eve", "Ada") == {"ada", "eve"}
    assert people.put("eve", "Ada") == set()
    assert people.put("zoe", "Ada") == {"zoe"}  # the others have theirs already
    assert people.put("zoe", "Bruno") == {"zoe", "bruno"}
    assert people.put("eve", "Eve") == {"eve", "ada"}
    assert [people.handle(name) for name in ("ada", "eve", "bruno")] == ["", "", "@bruno"]
    assert people.put("b", "B.") == {"b"}
    assert people.put("c", "newcomer") == {"c"}
    assert people.put("newcomer", "N.") == {"newcomer", "c"}


def test_a_crowd_of_one_name_costs_little() -> None:
    """What is done for each of them does not grow with their number."""
    people = Namesakes()
    affected = [len(people.put(f"guest{number}", "Guest")) for number in range(500)]
    assert sum(affected) == 501
    assert all(people.handle(f"guest{number}") for number in range(500))


@given(st.dictionaries(our.username(), our.line(8), max_size=6))
def test_the_order_of_news_is_no_matter(names: dict[str, str]) -> None:
    """Who has a handle follows from who is there, and not from how they came."""
    people = Namesakes()
    for username in names:
        people.put(username, "Somebody")
    handles = {username: people.handle(username) for username in names}
    for username, display_name in reversed(names.items()):
        for affected in people.put(username, display_name):
            handles[affected] = people.handle(affected)
    fresh = of(**names)
    assert handles == {username: fresh.handle(username) for username in names}


@given(st.dictionaries(our.username(), our.line(8), max_size=6), st.data())
def test_who_left_leaves_no_namesakes_behind(names: dict[str, str], data: st.DataObject) -> None:
    """As if they had never been there; whose handle changes by that is told."""
    people = of(**names)
    handles = {username: people.handle(username) for username in names}
    leavers = data.draw(st.sets(st.sampled_from(sorted(names)))) if names else set()
    for username in leavers:
        for affected in people.remove(username):
            handles[affected] = people.handle(affected)
        assert people.remove(username) == set()
    fresh = of(**{each: name for each, name in names.items() if each not in leavers})
    assert handles == {username: fresh.handle(username) for username in names}
