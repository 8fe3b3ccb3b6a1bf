"""What is a link in a text, and where it ends: in prose of any script, in quotes and brackets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.window.links import LONGEST, MOST_LINKS, links_in
from chat_client.window.transcript.wording import link_at, spans_of
from common.limits import TEXT_BYTES


def links(text: str) -> list[str]:
    """The links of a text."""
    return [text[begin:end] for begin, end in links_in(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # Plain ones
        ("https://example.org", ["https://example.org"]),
        ("HTTP://EXAMPLE.ORG/X", ["HTTP://EXAMPLE.ORG/X"]),
        ("HtTpS://a.example/", ["HtTpS://a.example/"]),
        ("http://localhost:8080/a?b=c&d=e#f", ["http://localhost:8080/a?b=c&d=e#f"]),
        ("http://ada:secret@a.example:81/", ["http://ada:secret@a.example:81/"]),
        ("http://[2001:db8::1]:8080/x", ["http://[2001:db8::1]:8080/x"]),
        ("see [http://[::1]/].", ["http://[::1]/"]),
        ("https://a.example/%E4%B8%AD?q=%20+$!*;@", ["https://a.example/%E4%B8%AD?q=%20+$!*;@"]),
        ("https://a.example/~ada/-_-/x", ["https://a.example/~ada/-_-/x"]),
        # The sentence's punctuation
        ("see https://example.org/a.", ["https://example.org/a"]),
        ("https://a.example, http://b.example!", ["https://a.example", "http://b.example"]),
        ("https://a.example/?!...", ["https://a.example/"]),
        ("is it https://a.example?", ["https://a.example"]),
        ("*https://a.example/b* _https://c.example_", ["https://a.example/b", "https://c.example"]),
        ("https://a.example/x,https://b.example/y", ["https://a.example/x", "https://b.example/y"]),
        ("https://a.example/x;y=1;", ["https://a.example/x;y=1"]),
        ("https://a.example\u2026", ["https://a.example"]),
        ("https://a.example\u2014and so on", ["https://a.example"]),
        ("https://a.example/b \u2013 the page", ["https://a.example/b"]),
        # Brackets
        ("(https://example.org/a)", ["https://example.org/a"]),
        ("https://example.org/a_(b)", ["https://example.org/a_(b)"]),
        ("(https://example.org/a_(b)),", ["https://example.org/a_(b)"]),
        ("(see https://example.org/a_(b).)", ["https://example.org/a_(b)"]),
        ("[https://example.org/?q=[1]]", ["https://example.org/?q=[1]"]),
        ("[x](https://example.org/a)b", ["https://example.org/a"]),
        ("[https://a.example](https://b.example)", ["https://a.example", "https://b.example"]),
        ("![x](http://a.example/y_(z).png)", ["http://a.example/y_(z).png"]),
        ("https://example.org/a(", ["https://example.org/a"]),
        ("<https://example.org/>", ["https://example.org/"]),
        ('<a href="https://a.example/x">y</a>', ["https://a.example/x"]),
        ("{https://a.example/x}|https://b.example", ["https://a.example/x", "https://b.example"]),
        ("`https://a.example/x`", ["https://a.example/x"]),
        # Symbols in a host's name
        ("http://\u27a1.ws/", ["http://\u27a1.ws/"]),
        ("see http://\u2764\ufe0f.example.", ["http://\u2764\ufe0f.example"]),
        ("https://i\u2764.example/x, yes", ["https://i\u2764.example/x"]),
        ("https://\U0001f355\U0001f4a9.example", ["https://\U0001f355\U0001f4a9.example"]),
        ("https://a.example\U0001f600 nice", ["https://a.example"]),
        ("https://a.example\u2764\ufe0f. Nice", ["https://a.example"]),
        ("https://\U0001f600 nothing", []),
        ("https://\ufe0f.example", []),
        # Quotes
        ("\u201chttps://example.com/page\u201d", ["https://example.com/page"]),
        ("\u201ehttps://example.com/page\u201c.", ["https://example.com/page"]),
        ("\u00abhttps://example.com/page\u00bb", ["https://example.com/page"]),
        ("\u2018https://example.com/it\u2019s", ["https://example.com/it"]),
        ("'https://example.com/page'", ["https://example.com/page"]),
        ('"https://example.com/page"', ["https://example.com/page"]),
        ("https://example.com/page'", ["https://example.com/page"]),
        (
            "https://en.wikipedia.org/wiki/The_Devil's_Advocate",
            ["https://en.wikipedia.org/wiki/The_Devil's_Advocate"],
        ),
        (
            "https://fr.wikipedia.org/wiki/L\u2019\u00c9quipe.",
            ["https://fr.wikipedia.org/wiki/L\u2019\u00c9quipe"],
        ),
        # Other scripts
        (
            "https://ja.wikipedia.org/wiki/\u6771\u4eac",
            ["https://ja.wikipedia.org/wiki/\u6771\u4eac"],
        ),
        (
            "https://ja.wikipedia.org/wiki/\u30b8\u30e7\u30f3\u30fb\u30ec\u30ce\u30f3\u3002",
            ["https://ja.wikipedia.org/wiki/\u30b8\u30e7\u30f3\u30fb\u30ec\u30ce\u30f3"],
        ),
        (
            "https://ja.wikipedia.org/wiki/C\u8a00\u8a9e",
            ["https://ja.wikipedia.org/wiki/C\u8a00\u8a9e"],
        ),
        ("https://a.example/Michelson\u2013Morley", ["https://a.example/Michelson\u2013Morley"]),
        ("https://example.org/\u00e4/\u4e2d", ["https://example.org/\u00e4/\u4e2d"]),
        ("https://\u4f8b\u3048.jp/\u9053", ["https://\u4f8b\u3048.jp/\u9053"]),
        ("https://b\u00fccher.example/", ["https://b\u00fccher.example/"]),
        ("https://ru.example/\u041c\u0438\u0440?", ["https://ru.example/\u041c\u0438\u0440"]),
        (
            "https://fa.example/\u0633\u0644\u0627\u0645\u060c",
            ["https://fa.example/\u0633\u0644\u0627\u0645"],
        ),
        (
            "https://hi.example/\u0939\u093f\u0928\u094d\u0926\u0940",
            ["https://hi.example/\u0939\u093f\u0928\u094d\u0926\u0940"],
        ),
        ("https://a.example/caf\u0065\u0301", ["https://a.example/caf\u0065\u0301"]),
        (
            "\u8bf7\u770bhttps://a.example/x\uff0c\u8fd8\u6709https://b.example/y\u3002",
            ["https://a.example/x", "https://b.example/y"],
        ),
        (
            "\u8bf7\u770bhttps://a.example/x\u548chttps://b.example/y",
            ["https://a.example/x", "https://b.example/y"],
        ),
        (
            "https://a.example/x\u3001https://b.example/y\uff01",
            ["https://a.example/x", "https://b.example/y"],
        ),
        ("\uff08https://a.example/x\uff09", ["https://a.example/x"]),
        ("\u300chttps://a.example/x\u300d\u3068", ["https://a.example/x"]),
        ("\u300ahttps://a.example/x\u300b", ["https://a.example/x"]),
        ("https://a.example\uff08\u5b98\u7f51\uff09", ["https://a.example"]),
        ("https://a.example\u662f\u6211\u4eec\u7684", ["https://a.example"]),
        ("https://a.example\u3000x", ["https://a.example"]),
        # What is not to be seen
        ("https://a.example/x\u200b", ["https://a.example/x"]),
        ("https://a.example/x\ufeff", ["https://a.example/x"]),
        ("https://a.example/\u202egnp.x", ["https://a.example/"]),
        ("https://a.example/x\u00ady", ["https://a.example/x"]),
        ("https://a.example/x\u2060\u200d\u200e", ["https://a.example/x"]),
        ("https://a.example/x\u3164y", ["https://a.example/x"]),
        ("https://a.example/x\ufe0f", ["https://a.example/x"]),
        ("https://a.example/x\u00a0y", ["https://a.example/x"]),
        ("https://a.example/x\u2028y", ["https://a.example/x"]),
        ("https://a.example/x\ny", ["https://a.example/x"]),
        # Emoji
        ("https://a.example\U0001f389", ["https://a.example"]),
        ("https://a.example/x\U0001f389!", ["https://a.example/x"]),
        ("https://a.example/\U0001f4a9", ["https://a.example/\U0001f4a9"]),
        # One in another
        (
            "https://web.archive.example/2020/https://a.example/x",
            ["https://web.archive.example/2020/https://a.example/x"],
        ),
        ("https://a.example/?to=https://b.example/", ["https://a.example/?to=https://b.example/"]),
        # None
        ("https://", []),
        ("http://...", []),
        ("https:// a.example", []),
        ("https://)", []),
        ("ftp://example.org javascript:alert(1) file:///etc", []),
        ("no link at all", []),
    ],
)
def test_links_end_where_people_think_they_do(text: str, found: list[str]) -> None:
    """By what characters are and by pairs of brackets and quotes."""
    assert links(text) == found


_ODD = st.sampled_from("htps:/.()[]<> \nab,!?'\u2019\u201c\u202e\u200b\u4e2d\u3002\U0001f389")


@given(st.text(alphabet=_ODD | st.characters()), st.integers(0, 40), st.integers(0, 40))
def test_nothing_is_lost_between_the_spans(text: str, begin: int, end: int) -> None:
    """Put together they are the text, and a part of it; every link leads to the web."""
    spans = spans_of(text)
    assert "".join(span.text for span in spans) == text
    assert all(span.text for span in spans)
    assert all(span.url in {None, span.text} for span in spans)
    urls = [span.url for span in spans if span.url is not None]
    assert all(url.lower().startswith(("http://", "https://")) for url in urls)
    assert "".join(span.text for span in spans_of(text, begin, end)) == text[begin:end]


def test_a_link_that_is_cut_leads_where_it_led() -> None:
    """A part of a text knows the whole link, on both sides of the cut."""
    text = "see https://a.example/long and more"
    assert [span.url for span in spans_of(text, 0, 20)] == [None, "https://a.example/long"]
    assert [span.url for span in spans_of(text, 20, 30)] == ["https://a.example/long", None]
    assert [link_at(text, place) for place in (3, 4, 25, 26)] == [
        None,
        "https://a.example/long",
        "https://a.example/long",
        None,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "http://a.b " * (TEXT_BYTES // 11),
        "https://" + ")" * (TEXT_BYTES - 8),
        "https://a" + ")" * (TEXT_BYTES - 9),
        "https://a" + "(" * (TEXT_BYTES - 9),
        "https://a" + "." * (TEXT_BYTES - 9),
        "https://a" + "\u4e2d" * (TEXT_BYTES // 3 - 9),
        "http://" * (TEXT_BYTES // 7),
        "http://a" * (TEXT_BYTES // 8),
        "http://a/" * (TEXT_BYTES // 9),
        "http://a\u4e2d" * (TEXT_BYTES // 11),
        "http://a'" * (TEXT_BYTES // 9),
        "h" * TEXT_BYTES,
    ],
)
def test_looking_for_links_takes_time_linear_in_the_length(text: str) -> None:
    """No character is looked at more than a few times, and only some dozens of links are found."""
    looked = 0

    class Counting(str):
        """Counts the characters that are asked for one by one."""

        __slots__ = ()

        def __getitem__(self, at: object) -> str:
            nonlocal looked
            looked += 1
            return str.__getitem__(self, at)  # type: ignore[index]

    found = links_in(Counting(text))
    assert len(found) <= MOST_LINKS
    assert all(end - begin <= LONGEST for begin, end in found)
    assert looked <= 8 * len(text) + 100
