"""What commands print on a terminal, and what becomes of it when nobody takes it."""

import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.system.output import OutputError, print_lines, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07\x1b[2J", r"\x1b]0;title\x07\x1b[2J"),
        ("\x9b31mred", r"\x9b31mred"),
        ("cr\rlf\nend", r"cr\rlf\nend"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("\u2066isolated\u2069", r"\u2066isolated\u2069"),
        ("a\tb", "a\tb"),
        ("\u200eleft \u200fright \u061carabic", "\u200eleft \u200fright \u061carabic"),
        ("שלום 👩‍💻 漢字", "שלום 👩‍💻 漢字"),
    ],
)
def test_what_a_terminal_gets(text: str, shown: str) -> None:
    """Commands to the terminal and reordering are escaped; everything else is as it was."""
    assert printable(text) == shown


@given(st.text())
def test_a_terminal_gets_no_commands(text: str) -> None:
    """Whatever was received: one line, no control but the tab, nothing that reorders."""
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert all(unicodedata.category(character) != "Cc" or character == "\t" for character in shown)
    overriding = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not overriding & {unicodedata.bidirectional(character) for character in shown}


def test_lines_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each on its own line."""
    print_lines(["one", "two"])
    assert capsys.readouterr().out == "one\ntwo\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_after_an_error_output_is_discarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told once; what is buffered still goes nowhere, without another error."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        with pytest.raises(OutputError, match="No space left"):
            print_lines(["lost"])
        print_lines(["discarded"])


def test_a_pipe_without_a_reader_is_an_ordinary_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to be told then."""

    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("sys.stdout", Gone())
    with pytest.raises(OutputError) as caught:
        print_lines(["unread"])
    assert not str(caught.value)
