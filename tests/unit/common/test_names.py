"""Usernames, display names and rooms: what is one, what is refused, what belongs together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from common.domain.names import (
    RESERVED,
    NameRefusedError,
    address_of,
    claim_username,
    direct_members,
    direct_partner,
    direct_room,
    fold_username,
    free_username,
    is_reserved,
    reads_as,
    room_for,
    spelling,
    suggest_username,
)
from common.limits import USERNAME_LENGTH
from common.protocol.messages import RoomId, Username
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
        # Letters that do not decompose, and other scripts.
        ("Łukasz", "lukasz"),
        ("Strauß", "strauss"),
        ("STRAẞE", "strasse"),
        ("Øyvind", "oyvind"),
        ("Đorđe", "dorde"),
        ("Þóra Ægisdóttir", "thora.aegisdottir"),
        ("Işıl İpek", "isil.ipek"),
        ("Nguyễn Văn Đức", "nguyen.van.duc"),
        ("Юлия Щербакова", "yuliya.shcherbakova"),
        ("Γιώργος", "giorgos"),
        ("李小龙", "lixiaolong"),
        ("たろう", "tarou"),
        ("김철수", "gimcheolsu"),
        ("שלום", "slvm"),
        ("e\u0301va", "eva"),
        ("\uff21da ④", "ada.4"),
        ("Ada 🏳️\u200d🌈 L.", "ada.l"),
        ("شمس\u200cالدین", "shmsldyn"),
        ("O’Brien", "o.brien"),
        ("🎉", ""),
        ("", ""),
        ("ﬁne", "fine"),
        ("host", "host2"),
        ("a" * 31 + ". b", "a" * 31),
    ],
)
def test_suggested_usernames(display_name: str, username: str) -> None:
    """A display name becomes a username where it has letters or digits for one."""
    assert suggest_username(display_name) == username


@pytest.mark.parametrize(
    ("asked", "taken", "free"),
    [
        ("ada", set(), "ada"),
        ("ada", {"ada"}, "ada2"),
        ("ada", {"ada", "ada2", "ada3"}, "ada4"),
        ("ada", {"ada", *(f"ada{number}" for number in range(2, 33))}, "ada64"),
        ("ada", {"ada", *(f"ada{number}" for number in range(2, 5000))}, "ada8192"),
        ("x" * 32, {"x" * 32}, "x" * 31 + "2"),
        ("x" * 30 + "._", {"x" * 30}, "x" * 30 + "2"),
        ("server", set(), "server2"),
    ],
)
def test_a_free_username(asked: str, taken: set[str], free: str) -> None:
    """The first that nobody has, numbered from 2, and never too long."""
    assert free_username(asked, taken.__contains__) == free


def test_looking_for_a_free_username_ends() -> None:
    """However many there are of a name: it is asked for by strangers, too."""
    asked: list[str] = []

    def taken(username: str) -> bool:
        asked.append(username)
        return True

    assert free_username("ada", taken) == ""
    assert len(asked) < 50


@given(our.username())
def test_a_username_is_read_in_one_way(username: str) -> None:
    """And what reads the same is told by it, with the other letters around it."""
    assert spelling(username.replace("0", "o")) == spelling(username)
    assert spelling(username.replace("1", "l")) == spelling(username)
    assert spelling(username[:30].replace("m", "rn")) == spelling(username[:30])


@pytest.mark.parametrize(
    "username",
    [
        *("host", "server", "admin", "system", "general", "all", "room"),
        *("HOST", "h0st", "h-o-s-t", "adm1n", "a11", "chatserver", "everyone", "you", "the.host"),
    ],
)
def test_reserved_usernames(username: str) -> None:
    """Nobody claims a name that the program or a room has, or one that looks like it."""
    with pytest.raises(NameRefusedError, match=username.lower()):
        claim_username(username)
    assert fold_username(username) == username.lower()  # who has it already keeps it


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("HOME", True),
        ("H o m e!", True),
        ("H0me", True),
        ("H\u043eme", True),
        ("\uff28\uff4f\uff4d\uff45", True),
        ("\U0001d5db\U0001d5fc\U0001d5fa\U0001d5f2", True),
        ("Home\u200b", True),
        ("Home\u2066\u202e", True),
        ("Home\u3164", True),
        ("\uffa0Home", True),
        ("Home\u2122", True),
        ("Home\u0301\u0302", True),
        ("Home 2", False),
        ("Home & Garden", False),
        ("Dome", False),
        ("\u3164", False),
    ],
)
def test_what_a_name_could_be_taken_for(other: str, same: bool) -> None:
    """Also that of a chat on the network, which its sender chooses without any rule."""
    assert reads_as("Home", other) is same
    assert reads_as(other, "Home") is same


@pytest.mark.parametrize("username", ["ali", "ALI", "alli", "hostel", "hans", "roman", "admiral"])
def test_names_that_only_begin_like_a_reserved_one(username: str) -> None:
    """People's names are nobody else's words."""
    assert claim_username(username) == username.lower()


def test_reserved_words_are_found_in_every_spelling() -> None:
    """Each of them as it stands, in capitals, with signs and with another script's letters."""
    for word in RESERVED:
        assert is_reserved(word)
        assert is_reserved(word.upper())
        assert is_reserved(f" {'.'.join(word)}!")
        assert is_reserved(word.replace("o", "о").replace("a", "а"))  # Cyrillic


@given(our.any_text())
def test_a_suggestion_is_a_username_or_nothing(display_name: str) -> None:
    """Whatever somebody calls themselves: what is suggested can be used as it is."""
    suggested = suggest_username(display_name)
    assert suggested == "" or claim_username(suggested) == suggested


@given(our.username(), st.integers(1, 5))
def test_a_free_username_is_one(username: str, others: int) -> None:
    """What is suggested instead can be claimed, and is not taken."""
    taken = {username}
    for _ in range(others):
        free = free_username(username, taken.__contains__)
        assert claim_username(free) == free
        assert free not in taken
        assert len(free) <= USERNAME_LENGTH
        taken.add(free)


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
