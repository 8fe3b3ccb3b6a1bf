"""An invite survives being sent around, and a damaged one is told from a whole one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.invite import Invite, InviteError, Place, is_loopback, parse_invite
from common.domain.names import TOLD_USERNAME_PATTERN
from common.domain.pasted_invite import find_invite
from tests import strategies as our

WHOLE = Invite(("192.0.2.7", "127.0.0.1"), 12345, bytes(range(32)), "s" * 22, "Home")
LOCAL = Invite(("127.0.0.1",), 4000, None, "s" * 22, "Test")

hosts = st.lists(
    st.ip_addresses().map(str) | st.sampled_from(["localhost", "chat.example", "fe80::1%eth0"]),
    min_size=1,
    max_size=16,
).map(tuple)
server_names = our.line(64).map(lambda name: " ".join(name.split())).filter(bool)


@given(
    st.builds(
        Invite,
        hosts=hosts,
        port=st.integers(1, 65535),
        fingerprint=st.binary(min_size=32, max_size=32),
        secret=our.secret(),
        server_name=server_names,
        username=st.just("") | st.from_regex(TOLD_USERNAME_PATTERN, fullmatch=True),
    )
)
def test_a_link_says_everything(invite: Invite) -> None:
    """A link parsed gives the invite it was made of: any address, any name."""
    assert parse_invite(invite.link()) == invite


def test_an_invite_for_a_device_says_whose() -> None:
    """In lower case, as usernames are; a name that is none is told, and none is none."""
    bound = WHOLE.place.invite("s" * 22, "ada.l")
    assert "join?as=ada.l&fp=" in bound.link()
    assert parse_invite(bound.link().replace("as=ada.l", "as=ADA.L")) == bound
    assert parse_invite(bound.link().replace("as=ada.l", "as=")) == WHOLE
    for damaged in ("as=a%20b", "as=" + "a" * 33, "as=.a", "as=%C3%A4", "as=a%0A"):
        with pytest.raises(InviteError, match="username is damaged"):
            parse_invite(bound.link().replace("as=ada.l", damaged))


@pytest.mark.parametrize("cut", range(len("as=ada.lovelace")))
def test_a_link_that_was_cut_in_the_username_is_for_nobody(cut: int) -> None:
    """It is not taken for one of somebody with a shorter name."""
    link = WHOLE.place.invite("s" * 22, "ada.lovelace").link()
    end = link.index("as=") + cut
    with pytest.raises(InviteError):
        parse_invite(link[:end])
    with pytest.raises(InviteError):
        find_invite(f"{link[:end]} and the rest is lost")
    assert find_invite(f"> {link[:end]}\n> {link[end:]}").username == "ada.lovelace"


def test_a_place_has_no_secret() -> None:
    """What is found on the network leads there, and lets nobody in."""
    place = Place(("192.0.2.7", "127.0.0.1"), 12345, bytes(range(32)), "Home")
    assert WHOLE.place == place
    assert place.invite("s" * 22) == WHOLE
    assert "s" * 22 not in repr(place)


def test_only_what_was_stored_may_lack_a_secret() -> None:
    """A link that lost it is damaged; an account of an open chat never had one."""
    link = WHOLE.place.invite("").link()
    assert "secret" not in link
    assert parse_invite(link, needs_secret=False) == WHOLE.place.invite("")
    with pytest.raises(InviteError, match="lost its secret"):
        parse_invite(link)
    with pytest.raises(InviteError, match="lost its secret"):
        parse_invite(WHOLE.link().replace("s" * 22, "s" * 21), needs_secret=False)


def test_white_space_around_and_inside_is_forgiven() -> None:
    """Mail programs break long lines: the pieces are put together again."""
    link = WHOLE.link()
    assert parse_invite(f"\n  {link[:30]}\r\n  {link[30:]} \t") == WHOLE


def test_plaintext_is_for_this_computer_only() -> None:
    """A link without encryption is taken to loopback addresses and nowhere else."""
    assert parse_invite(LOCAL.link()) == LOCAL
    assert "fp=" not in LOCAL.link()
    for host in ("192.0.2.7", "localhost.example", "0.0.0.0", "::"):  # noqa: S104 (not bound)
        with pytest.raises(InviteError):
            parse_invite(Invite((host,), 4000, None, "s" * 22, "Test").link())
    with pytest.raises(InviteError):
        parse_invite(f"{LOCAL.link()}&also=192.0.2.7")


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("127.0.0.1.example", False),
        ("", False),
        ("::ffff:192.0.2.1", False),
    ],
)
def test_loopback(host: str, own: bool) -> None:
    """Only what can't leave this computer counts as its own."""
    assert is_loopback(host) is own


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "hello",
        "https://192.0.2.7:12345/join",
        WHOLE.link().replace("chat://", "chat:/"),
        WHOLE.link().replace("/join", "/"),
        WHOLE.link().replace(":12345", ""),
        WHOLE.link().replace(":12345", ":0"),
        WHOLE.link().replace(":12345", ":99999"),
        WHOLE.link().replace(":12345", ":x"),
        WHOLE.link().replace("secret=s", "secret="),
        WHOLE.link().replace("secret", "sercet"),
        WHOLE.link().replace("fp=", "pf="),
        WHOLE.link().replace("fp=A", "fp="),
        WHOLE.link().replace("fp=A", "fp=é"),
        WHOLE.link().replace("192.0.2.7", "[192.0.2.7"),
        WHOLE.link().replace("192.0.2.7", "[::1::2]"),
        WHOLE.link().replace("192.0.2.7", "exa mple!"),
        WHOLE.link().replace("also=127", "also=../127"),
        WHOLE.link()[:40],
        WHOLE.link() + "x" * 5000,
    ],
)
def test_a_damaged_link_is_told(damaged: str) -> None:
    """Each damage is an InviteError with a sentence for the person."""
    with pytest.raises(InviteError, match=r"."):
        parse_invite(damaged)


@given(st.text(max_size=300) | st.text(max_size=200).map("chat://".__add__))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    """Whatever is pasted: it is an invite or an InviteError, and no other exception."""
    try:
        parse_invite(text)
    except InviteError:
        return


@given(data=st.data())
def test_a_changed_link_is_refused_or_another_lawful_one(data: st.DataObject) -> None:
    """A link with characters lost or changed raises nothing unexpected; what passes is stable."""
    link = WHOLE.link()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(link))] * 2)))
    changed = link[:start] + data.draw(st.text(max_size=5)) + link[end:]
    try:
        invite = parse_invite(changed)
    except InviteError:
        return
    assert len(invite.fingerprint or b"") == 32
    assert parse_invite(invite.link()) == invite


@given(st.text(alphabet="a \u2003\x01", min_size=1, max_size=70))
def test_what_was_read_can_be_written_and_read_again(name: str) -> None:
    """Whatever a link says the name is, what was made of it stays: accounts keep links."""
    invite = parse_invite(Invite(WHOLE.hosts, 1, WHOLE.fingerprint, WHOLE.secret, name).link())
    assert parse_invite(invite.link()) == invite


@pytest.mark.parametrize("sign", ["%0A", "%1B", "%00"])
def test_a_servers_name_is_one_line_of_plain_text(sign: str) -> None:
    """Control characters never get from a link into a name that is shown."""
    link = WHOLE.link().replace("name=Home", f"name=Ho{sign}me")
    try:
        name = parse_invite(link).server_name
    except InviteError:
        return
    assert name.isprintable()
