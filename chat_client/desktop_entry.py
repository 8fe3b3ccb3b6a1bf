"""Desktop entries, by which a program is in menus and opens links.

See the Desktop Entry Specification 1.5.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chat_client.key_file import read_groups
from chat_client.link_argument import OPEN_LINK
from common.system.other_program import Launch

ENTRY: Final = "lan.chat.ChatClient.desktop"
"""The name of the package's entry, too: a person's own replaces it in menus."""
ICON: Final = "chat-client"
MIME_TYPE: Final = "x-scheme-handler/chat"
WRITTEN_HERE: Final = "X-Chat-WrittenBySettings=true"
"""The line by which an entry that was written here is known."""
_RESERVED: Final = frozenset(" \t\n\"'\\><~|&;$*?#()`")
"""Characters of an argument that has to stand in quotation marks."""
_STRING: Final = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
"""Escapes in every value of an entry, after those of arguments."""


def desktop_entry(start: Sequence[str], program: str) -> list[str]:
    """The lines of an entry by which ChatClient is in menus, and opens links.

    `start` is the command, without options, and `program` what has to be there for that.
    """
    return [
        "[Desktop Entry]",
        "Type=Application",
        "Name=ChatClient",
        "GenericName=Chat",
        "Comment=Talk with the people on your network",
        "Keywords=chat;messages;talk;LAN;",
        f"Exec={_line([*start, OPEN_LINK])} %u",
        f"TryExec={_escaped(program)}",
        f"Icon={ICON}",
        "Terminal=false",
        "Categories=Network;Chat;InstantMessaging;",
        f"MimeType={MIME_TYPE};",
        "StartupNotify=true",
        "StartupWMClass=Chatclient",
        "Actions=new-window;",
        WRITTEN_HERE,
        "",
        "[Desktop Action new-window]",
        "Name=New Window",
        f"Exec={_line([*start, '--new-window'])}",
    ]


def script(program: Launch) -> list[str]:
    """The lines of a shell script that starts a program with the options that it gets."""
    lines = ["#!/bin/sh", "# Written by ChatClient's settings, for links that begin with chat://."]
    if program.folder is not None:
        lines.append(f"cd {shlex.quote(str(program.folder))} || exit 1")
    return [*lines, f'exec {shlex.join(program.command)} "$@"']


def _line(command: Sequence[str]) -> str:
    return _escaped(" ".join(map(quoted, command)))


def quoted(argument: str) -> str:
    """An argument as the key Exec has it."""
    argument = argument.replace("%", "%%")
    if argument and not _RESERVED & {*argument}:
        return argument
    escaped = "".join(f"\\{each}" if each in '"`$\\' else each for each in argument)
    return f'"{escaped}"'


def arguments_of(line: str) -> list[str]:
    """The arguments of a key Exec, whose field codes stay; [] if it is malformed."""
    words: list[str] = []
    word: str | None = None
    is_quoted = False
    signs = iter(line)
    for sign in signs:
        if sign == '"':
            is_quoted, word = not is_quoted, word or ""
        elif sign == "\\" and is_quoted:
            word = (word or "") + next(signs, "")
        elif sign == " " and not is_quoted:
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + sign
    words += [] if word is None else [word]
    return [] if is_quoted else [each.replace("%%", "%") for each in words]


def read_entry(path: Path) -> dict[str, str]:
    """The values of a desktop entry, without escapes."""
    values = read_groups(path).get("Desktop Entry", {})
    return {key: _unescaped(value) for key, value in values.items()}


def _escaped(value: str) -> str:
    return "".join(_STRING.get(each, each) for each in value)


def _unescaped(value: str) -> str:
    signs = iter(value)
    meant = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    return "".join(meant.get(next(signs, ""), "") if sign == "\\" else sign for sign in signs)
