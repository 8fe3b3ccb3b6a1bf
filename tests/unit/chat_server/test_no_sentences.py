"""What people read is written at the edge: rules, hub, net and state have reasons as codes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
FOLDERS: Final = ("chat_server/rules", "chat_server/hub", "chat_server/net", "chat_client/state")
FILES: Final = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_MISTAKES: Final = {
    "AssertionError", "KeyError", "LookupError", "NotImplementedError", "OSError",
    "RuntimeError",
    "TypeError", "ValueError", "LocalProtocolError", "RemoteProtocolError",
}  # fmt: skip
"""What is raised for programmers: nobody else reads it. What fails with OSError goes to a log."""
_LOGGERS: Final = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def sentences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The string literals with two spaces or more that somebody might read, with their lines."""
    for node in ast.iter_child_nodes(tree):
        if _is_for_programmers(node):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.count(" ") >= 2 and len(_WORD.findall(node.value)) >= 2:
                yield node.lineno, node.value
            continue
        yield from sentences(node)


def _is_for_programmers(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):
            return True  # of a module, a class, a function, or of the name above
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=attr)):
            return attr in _LOGGERS
        case ast.Raise(exc=ast.Call(func=ast.Name(id=name))):
            return name in _MISTAKES
    return False


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_there_are_no_sentences(file: Path) -> None:
    """They are in common/domain/sentences.py, or where a window or a command line makes them."""
    assert list(sentences(ast.parse(file.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('why = "the disk is full"', ["the disk is full"]),
        ('why = f"the disk of {name} is full"', ["the disk of ", " is full"]),
        ('tell("it is full now")', ["it is full now"]),
        ('raise RefusedError("it is full now")', ["it is full now"]),
        ('raise TypeError("it is no number")', []),
        ('log.error("it is full now")', []),
        ('def f():\n    """Say that it is full."""', []),
        ('name = 1\n"""What it is called here."""', []),
        ('code = "disk_full"', []),
    ],
)
def test_a_sentence_is_found(source: str, found: list[str]) -> None:
    """And what is for programmers is none."""
    assert [text for _, text in sentences(ast.parse(source))] == found
