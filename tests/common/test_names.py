"""Usernames, display names and rooms: what is one, what is refused, what belongs together."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from common.limits import DISPLAY_NAME_LENGTH
from common.messages import DisplayName, RoomId, Username
from common.names import (
    NameRefusedError,
    address_of,
    clean_display_name,
    direct_members,
    direct_partner,
    direct_room,
    fold_username,
    room_for,
    suggest_username,
)
from tests import strategies as our

NO_USERNAMES = [
    "",
    "-ada",
    ".ada",
    "_ada",
    "a da",
    "ada\n",
    "ådå",
    "a" * 33,
    "ada:b",
    "٣",
    "\u017f",
]


@pytest.mark.parametrize(
    ("typed", "stored"), [("Ada", "ada"), ("A.B-c_9", "a.b-c_9"), ("x" * 32, "x" * 32), ("9", "9")]
)
def test_usernames_are_folded(typed: str, stored: str) -> None:
    """A username is one in any case and is kept in lower case."""
    assert fold_username(typed) == stored


@pytest.mark.parametrize("typed", NO_USERNAMES)
def test_what_is_no_username(typed: str) -> None:
    """Everything but 1 to 32 of the letters, digits and signs is refused."""
    with pytest.raises(NameRefusedError):
        fold_username(typed)


@given(our.any_text() | our.username())
def test_what_folds_is_what_the_wire_lets_in(typed: str) -> None:
    """`fold_username` and the models agree on what a username is."""
    try:
        folded = fold_username(typed)
    except NameRefusedError:
        with pytest.raises(ValueError, match="pattern"):
            TypeAdapter(Username).validate_python(typed)
    else:
        assert TypeAdapter(Username).validate_python(typed) == typed
        assert fold_username(folded) == folded


@pytest.mark.parametrize(
    ("display_name", "username"),
    [
        ("Ada Lindqvist", "ada.lindqvist"),
        ("  Åsa  Öberg ", "asa.oberg"),
        ("O'Brien, Pat", "o.brien.pat"),
        ("-- x --", "x"),
        ("李小龙", ""),
        ("🎉", ""),
        ("", ""),
        ("ﬁne", "fine"),
        ("a" * 31 + ". b", "a" * 31),
    ],
)
def test_suggested_usernames(display_name: str, username: str) -> None:
    """A display name becomes a username where it has letters or digits for one."""
    assert suggest_username(display_name) == username


@given(our.any_text())
def test_a_suggestion_is_a_username_or_nothing(display_name: str) -> None:
    """Whatever somebody calls themselves: what is suggested can be used as it is."""
    suggested = suggest_username(display_name)
    assert suggested == "" or fold_username(suggested) == suggested


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
    ],
)
def test_display_names_are_cleaned(name: str, cleaned: str) -> None:
    """The Nickname profile: compatibility characters are made plain, spaces single."""
    assert clean_display_name(name) == cleaned


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\u3000",
        "a\nb",
        "a\x00b",
        "\x1b[31m",
        "ada\u202egnp.exe",
        "\u2066ada\u2069",
        "a\u200bda",
        "\ufeffada",
        "a\u2028b",
        "\ue000",
        "\ud800",
        "x" * (DISPLAY_NAME_LENGTH + 1),
        "\ufdfa" * 4,  # one character that normalises to eighteen
    ],
)
def test_display_names_that_are_refused(name: str) -> None:
    """Nothing invisible, nothing that turns the direction of what stands beside, not too long."""
    with pytest.raises(NameRefusedError):
        clean_display_name(name)


@given(our.any_text() | our.line(DISPLAY_NAME_LENGTH))
def test_a_clean_display_name_is_lawful_and_stays_as_it_is(name: str) -> None:
    """What comes out fits the messages, and cleaning it once more changes nothing."""
    try:
        cleaned = clean_display_name(name)
    except NameRefusedError:
        assume(False)
        raise
    assert TypeAdapter(DisplayName).validate_python(cleaned) == cleaned
    assert clean_display_name(cleaned) == cleaned


@given(one=our.username(), other=our.username())
def test_a_direct_room_is_the_same_from_both_sides(one: str, other: str) -> None:
    """Two people have one conversation, whoever names it; with oneself there is none."""
    if one == other:
        with pytest.raises(NameRefusedError):
            direct_room(one, other)
        return
    room = direct_room(one, other.upper())
    assert room == direct_room(other, one)
    assert TypeAdapter(RoomId).validate_python(room) == room
    assert direct_members(room) == tuple(sorted((one, other)))
    assert direct_partner(room, one) == other
    assert direct_partner(room, other) == one
    assert direct_partner(room, f"{one[:30]}.x") is None


@given(room=our.room(), me=our.username(), data=st.data())
def test_a_rooms_address_leads_back_to_it(room: str, me: str, data: st.DataObject) -> None:
    """`room_for` and `address_of` are each other's opposite, for members of direct rooms too."""
    me = data.draw(st.sampled_from(direct_members(room) or (me,)))
    address = address_of(room, me)
    assert room_for(address, me) == room
    assert address.startswith("@") == (direct_members(room) is not None)


def test_a_rooms_name_may_be_written_with_its_sign() -> None:
    """#general is general, as people write it."""
    assert room_for("#general", "ada") == "general"


@pytest.mark.parametrize(
    "address",
    ["", "#", "@", "@ada", "@no one", "General", "general\n", "dm:ada", "##x", "dm:a:b:c"],
)
def test_what_is_no_address(address: str) -> None:
    """What can be neither a room nor another person is refused with the reason."""
    with pytest.raises(NameRefusedError):
        room_for(address, "ada")
