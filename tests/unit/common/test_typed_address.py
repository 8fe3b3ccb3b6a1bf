"""Addresses as people type them, read out or copied."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.typed_address import AddressError, parse_address
from common.limits import DEFAULT_PORT

V6 = "2001:db8::10"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.10", "192.0.2.10", DEFAULT_PORT),
        (" 192.0.2.10:7000\n", "192.0.2.10", 7000),
        ("192.0.2.10, port 7000", "192.0.2.10", 7000),
        ("at 192.0.2.10, port 7000.", "192.0.2.10", 7000),
        ("192.0.2.10 7000", "192.0.2.10", 7000),
        ("192.0.2.10 Port: 7000", "192.0.2.10", 7000),
        ("192.0.2.10:", "192.0.2.10", DEFAULT_PORT),
        ("192.0.2.10 : 7000", "192.0.2.10", 7000),
        (V6, V6, DEFAULT_PORT),
        (f"[{V6}]", V6, DEFAULT_PORT),
        (f"[{V6}]:7000", V6, 7000),
        (f"{V6}, port 7000", V6, 7000),
        (f"[{V6}], port 7000", V6, 7000),
        ("2001:0DB8:0:0:0:0:0:10", V6, DEFAULT_PORT),
        ("fe80::1%eth0", "fe80::1%eth0", DEFAULT_PORT),
        ("[fe80::1%eth0]:7000", "fe80::1%eth0", 7000),
        ("::1", "::1", DEFAULT_PORT),
        ("ada-laptop", "ada-laptop", DEFAULT_PORT),
        ("ada-laptop.local:7000", "ada-laptop.local", 7000),
        ("http://192.0.2.10:7000/", "192.0.2.10", 7000),
        ("<192.0.2.10>", "192.0.2.10", DEFAULT_PORT),
        # With an input method of East Asia, and with a Persian keyboard.
        ("\uff11\uff19\uff12\uff0e0\u30022\u300210\uff1a\uff17000", "192.0.2.10", 7000),
        ("\u06f1\u06f9\u06f2.0.2.10:\u06f7\u06f0\u06f0\u06f0", "192.0.2.10", 7000),
    ],
)
def test_an_address_is_understood(text: str, host: str, port: int) -> None:
    """In the ways of the window, of programs and of people."""
    assert parse_address(text) == (host, port)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "type the address"),
        ("  ", "type the address"),
        ("192.0.2", "four numbers"),
        ("192.0.2.256", "four numbers"),
        ("192.0.2.10.7", "four numbers"),
        ("192.0.2.10:0", "port"),
        ("192.0.2.10:65536", "port"),
        ("192.0.2.10:x", "port"),
        ("192.0.2.10:³", "port"),
        ("192.0.2.10, port 999999", "port"),
        ("2001:db8::10::", "IPv6"),
        ("0.0.0.0", "one computer"),  # noqa: S104  # nothing is bound
        ("::", "one computer"),
        ("fe80::1%", "interface"),
        ("192.0.2.10%eth0", "interface"),
        ("two words", "no address"),
        ("-dash", "no address"),
        ("a..b", "no address"),
        ("a" * 64, "no address"),
        ("ü.example", "no address"),
        ("1" * 301, "too long"),
    ],
)
def test_what_is_none_is_told(text: str, why: str) -> None:
    """With what to do about it."""
    with pytest.raises(AddressError, match=why):
        parse_address(text)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_an_address_or_that_error(text: str) -> None:
    """And an address that was understood is understood again."""
    found = None
    with suppress(AddressError):
        found = parse_address(text)
    if found is not None:
        host, port = found
        again = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        assert parse_address(again) == found
