"""An invite is found in whatever people paste, or they are told what to do."""

from __future__ import annotations

import quopri
import time
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.invite import Invite, InviteError, parse_invite
from common.domain.pasted_invite import LONGEST, find_invite

INVITE = Invite(
    ("192.168.1.20", "fd00::20", "127.0.0.1"),
    12345,
    bytes(range(32)),
    "AAECAwQFBgcICQoLDA0ODw",
    "Home & Garden",
)
LINK = INVITE.link()
BARE = Invite(("10.0.0.5",), 4000, bytes(range(32, 64)), "-_" * 11, "Łódź")
"""Its link ends with the name."""


@pytest.mark.parametrize("link", [LINK, BARE.link(), "chat" + LINK[4:].replace("chat", "CHAT")])
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        " \t{}\n",
        "<{}>",
        "< {} >",
        "({})",
        '"{}"',
        "'{}'",
        "“{}”",
        "«\xa0{}\xa0»",
        "「{}」",
        "`{}`",
        "*{}*",
        "**{}**",
        "_{}_",
        "~~{}~~",
        "[{}]",
        "[join]({})",
        "[join]({}).",
        "[join]({})and more",
        "Join here: {}",
        "Join here: {}.",
        "Join here:{}, please",
        "Here ({}), come!",
        "Is it {}?",
        "{}!",
        "{};",
        "{}。来てください",
        "来て、{}",
        "{} see you there",
        "{}\nSee you there",
        "{}\nAda",
        "{}.\nAda",
        "> {}\n> See you",
        "| {}",
        '<a href="{}">Join</a>',
        "<a href='{}'>Join</a>",
        "&lt;{}&gt;",
        "\ufeff{}",
        "\u200b{}\u200b",
        "\u202a{}\u202c",
        "\u2066{}\u2069",
        "\xa0{}\xa0",
        "\u2060{}\u00ad",
        "\ufffc{}",
        "\x00{}\x00",
    ],
)
def test_what_stands_around_a_link_is_taken_off(around: str, link: str) -> None:
    """Brackets, quotes, markup, words before, punctuation behind, and what is not seen."""
    assert find_invite(around.format(link)) == parse_invite(link)


@pytest.mark.parametrize(
    "sign", ["\u200b", "\u00ad", "\ufeff", "\u2060", "\u200e", "\ufe0f", "\x7f"]
)
def test_unseen_characters_inside_are_taken_out(sign: str) -> None:
    """Word processors put them between any two letters."""
    assert find_invite(sign.join(LINK)) == INVITE


@pytest.mark.parametrize(
    "end", ["\n", "\r\n", "\n\n", "\n> ", "\r\n > > ", " \n  ", "\u2028", "\x0b"]
)
@pytest.mark.parametrize("width", [20, 61, 76])
def test_a_wrapped_link_is_put_together(end: str, width: int) -> None:
    """Mail programs break long lines, and quote each of them in an answer."""
    wrapped = end.join(LINK[at : at + width] for at in range(0, len(LINK), width))
    assert find_invite(wrapped) == INVITE
    assert find_invite(f"Join here:\n{wrapped}\nSee you there") == INVITE


@given(st.integers(1, len(LINK) - 1), st.integers(1, len(LINK) - 1))
def test_wherever_a_link_is_wrapped_it_lets_in(one: int, other: int) -> None:
    """Only the name and further addresses may suffer from a break in the midst of them."""
    first, second = sorted((one, other))
    found = find_invite(f"{LINK[:first]}\n{LINK[first:second]}\n{LINK[second:]}\nSee you")
    assert (found.hosts[0], found.port) == ("192.168.1.20", 12345)
    assert (found.fingerprint, found.secret) == (INVITE.fingerprint, INVITE.secret)


@pytest.mark.parametrize(
    "sent",
    [
        escape(LINK),
        escape(escape(LINK)),
        LINK.replace("&", "&#38;"),
        LINK.replace("&", "&#x26;"),
        quote(LINK, safe=""),
        quote(quote(LINK, safe=""), safe=""),
        f"https://nam.example/?url={quote(LINK, safe='')}&data=05%7C01",
        quote(LINK, safe=":/"),
        quopri.encodestring(LINK.encode()).decode(),
        f"<p>{quopri.encodestring(escape(LINK).encode()).decode()}</p>",
        "Chat" + LINK[4:],
        "CHAT" + LINK[4:],
        f"[{LINK}]({LINK})",
        f'<a href="{escape(LINK)}">{escape(LINK)}</a>',
        f"{LINK[:50]}{LINK}",
        f"{LINK[:50]} {LINK}",
        f"{LINK}{LINK}",
        "chat:// " + LINK[7:],
        "chat:\n" + LINK[5:],
        LINK.replace("&name", " &name"),
        LINK.replace("Garden&also", "Gar den&also"),
        LINK.replace("127.0.", "127.0. "),
    ],
)
def test_what_was_escaped_or_doubled_on_the_way_is_undone(sent: str) -> None:
    """HTML, percent signs, quoted-printable, links within links, a paste beside a remainder."""
    assert find_invite(sent) == INVITE


def test_hyphens_made_pretty_become_hyphens_again() -> None:
    """Typographic replacement makes one dash of two hyphens, and these are in secrets."""
    invite = Invite(("10.0.0.5",), 4000, bytes(32), "ab--cd-e" + "f" * 14, "Home")
    link = invite.link()
    assert find_invite(link.replace("--", "\N{EM DASH}")) == invite
    assert find_invite(link.replace("--", "\N{EN DASH}")) == invite
    assert find_invite(link.replace("-", "\N{NON-BREAKING HYPHEN}")) == invite


@pytest.mark.parametrize("name", ["Team A.", "x-", "_", "~a~", "Why?", "(us)", "100 % 東京"])
def test_a_name_may_end_with_punctuation(name: str) -> None:
    """A link never does, so a sentence may end right behind it."""
    invite = Invite(("10.0.0.5",), 4000, bytes(32), "s" * 22, name)
    assert find_invite(f"Join here: {invite.link()}.").server_name == name


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "paste the invite link"),
        (" \u200b\ufeff", "paste the invite link"),
        ("hello", "starts with chat://"),
        ("https://example.org/", "a link to a web page"),
        ("See www.example.org", "a link to a web page"),
        ("192.168.1.20:12345", "an address alone is not enough"),
        ("[fd00::20]:12345", "an address alone is not enough"),
        ("192.168.1.20", "an address alone is not enough"),
        (f"{LINK[:60]}…", "was shortened"),
        (f"{LINK[:60]}... (more)", "was shortened"),
        (LINK[:60], "copy the whole link again"),
        (f"{LINK} {BARE.link()}", "several invite links"),
        ("x" * (LONGEST + 1), "too long"),
        ("chat://" + "a" * 5000, "too long"),
    ],
)
def test_what_cant_be_mended_is_told(pasted: str, said: str) -> None:
    """One sentence that says what to do."""
    with pytest.raises(InviteError, match=said):
        find_invite(pasted)


@given(st.text(max_size=300) | st.text(max_size=200).map("chat://".__add__))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    """Whatever is pasted: it is an invite or an InviteError, and no other exception."""
    try:
        find_invite(text)
    except InviteError:
        return


@pytest.mark.parametrize(
    "piece",
    [
        "chat://",
        "chat://a ",
        "(",
        "%25",
        "chat%253A%252F%252F",
        "&amp;amp;",
        "a ",
        "\u200b",
        "=\n",
        "_",
    ],
)
def test_a_long_text_takes_time_in_proportion(piece: str) -> None:
    """Four times the text takes no sixteen times as long: the window is not to wait for it."""

    def cost(length: int) -> float:
        text = "chat://10.0.0.1:1/join?fp=" + piece * (length // len(piece))
        best = 10.0
        for _ in range(3):
            begun = time.process_time()
            with pytest.raises(InviteError):
                find_invite(text)
            best = min(best, time.process_time() - begun)
        return best

    assert cost(LONGEST - 100) < 12 * max(cost(LONGEST // 4), 0.002)
