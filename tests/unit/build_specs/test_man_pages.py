"""The manual pages have every verb and every option of the programs, and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import chat_client.options
import chat_server.options
from chat_server import ctl

PAGES: Final = Path(__file__).parents[3] / "build_specs" / "linux"


@pytest.mark.parametrize("page", ["chat-server", "chat-client"])
def test_a_page_has_what_the_programs_help_has(
    page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In both directions, the verbs' own options included."""
    monkeypatch.setenv("COLUMNS", "1000")  # no option is broken over two lines
    parse = chat_server.options.parse_options
    with_verbs: Callable[[list[str]], object] = ctl.argument_parser().parse_args
    if page == "chat-client":
        parse = with_verbs = chat_client.options.parse_options  # type: ignore[assignment]
    verbs = _verbs(_help(with_verbs, [], capsys))
    helps = [_help(parse, [], capsys), *(_help(with_verbs, [verb], capsys) for verb in verbs)]
    told = (PAGES / f"{page}.1").read_text("utf-8").replace("\\-", "-")
    assert _options(told) == _options("".join(helps))
    assert len(verbs) > 3
    assert set(verbs) <= set(re.findall(r"^\.TP\n\.BR? ([a-z]+(?:-[a-z]+)*)\b", told, re.MULTILINE))


def _help(
    parse: Callable[[list[str]], object], verb: list[str], capsys: pytest.CaptureFixture[str]
) -> str:
    with pytest.raises(SystemExit):
        parse([*verb, "--help"])
    return capsys.readouterr().out


def _verbs(help_: str) -> list[str]:
    """The verbs that a help lists, in its order."""
    return re.findall(r"^    ([a-z]+(?:-[a-z]+)*)(?: |$)", help_, re.MULTILINE)


def _options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
