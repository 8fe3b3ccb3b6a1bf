"""Undo and redo of a text, without a widget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ui.widgets import undo_history
from common.ui.widgets.undo_history import PAUSE, Step, UndoHistory


class Typist:
    """Edits a text as a person does, and applies what the history says."""

    def __init__(self, text: str = "") -> None:
        self.history = UndoHistory(text)
        self.text = text
        self.cursor = len(text)
        self.now = 100.0

    def type(self, text: str) -> None:
        """Key by key."""
        for letter in text:
            self.put(self.cursor, self.cursor, letter)

    def put(self, start: int, end: int, text: str, *, whole: bool = False) -> None:
        """Replace a stretch in one go."""
        self.history.note(start, end)
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)
        self.now += 0.1
        self.history.record(self.text, self.cursor, self.now, whole=whole)

    def back(self, times: int = 1) -> None:
        """BackSpace."""
        for _ in range(times):
            self.history.note(self.cursor, self.cursor)
            self.text = self.text[: self.cursor - 1] + self.text[self.cursor :]
            self.cursor -= 1
            self.history.record(self.text, self.cursor, self.now)

    def apply(self, step: Step | None) -> str | None:
        """Do what the history says; the text then, or None."""
        if step is None:
            return None
        self.text = self.text[: step.start] + step.text + self.text[step.end :]
        self.cursor = step.selection[1]
        return self.text

    def undo(self) -> str | None:
        """Ctrl+Z."""
        return self.apply(self.history.undo())

    def redo(self) -> str | None:
        """Ctrl+Shift+Z."""
        return self.apply(self.history.redo())


def test_words_are_undone_one_by_one() -> None:
    """A space belongs to the word before it."""
    typist = Typist()
    typist.type("one two  three")
    assert [typist.undo() for _ in range(4)] == ["one two  ", "one ", "", None]
    assert [typist.redo() for _ in range(4)] == ["one ", "one two  ", "one two  three", None]


def test_a_pause_ends_a_step() -> None:
    """What was typed after thinking is undone by itself."""
    typist = Typist()
    typist.type("on")
    typist.now += PAUSE
    typist.type("es")
    assert [typist.undo(), typist.undo()] == ["on", ""]


def test_deleting_is_undone_by_words() -> None:
    """BackSpace over two words takes two steps; the cursor stands where it stood."""
    typist = Typist("one two")
    typist.back(5)
    assert typist.text == "on"
    assert (typist.undo(), typist.cursor) == ("one", 3)
    assert (typist.undo(), typist.cursor) == ("one two", 7)
    assert typist.undo() is None


def test_typing_and_deleting_are_steps_of_their_own() -> None:
    """A word that was typed and half deleted comes back whole first."""
    typist = Typist()
    typist.type("word")
    typist.back(2)
    typist.type("k")
    assert [typist.undo(), typist.undo(), typist.undo()] == ["wo", "word", ""]


@pytest.mark.parametrize("text", ["pasted", "two words", "\U0001f600", "\n", "x"])
def test_what_is_pasted_is_one_step(text: str) -> None:
    """Not joined with what was typed before it or after it; a replaced selection is back."""
    typist = Typist()
    typist.type("ab")
    typist.put(0, 2, text, whole=True)
    typist.type("c")
    assert typist.undo() == text
    step = typist.history.undo()
    assert typist.apply(step) == "ab"
    assert step is not None
    assert step.selection == (0, 2)
    assert typist.redo() == text


def test_moving_the_cursor_ends_a_step() -> None:
    """Two places are two steps."""
    typist = Typist("....")
    typist.type("ab")
    typist.cursor = 2
    typist.type("cd")
    assert [typist.undo(), typist.undo()] == ["....ab", "...."]


def test_it_is_the_letter_before_the_cursor_that_came() -> None:
    """Among equal ones, so that the cursor comes back to where it was."""
    typist = Typist("aaaa")
    typist.put(1, 1, "a")
    step = typist.history.undo()
    assert step == Step(1, 2, "", (1, 1))


def test_a_change_ends_what_could_be_done_again() -> None:
    """Redo never brings something into another text."""
    typist = Typist()
    typist.type("one two")
    typist.undo()
    typist.type("three")
    assert not typist.history.can_redo
    assert typist.redo() is None
    assert typist.text == "one three"


def test_what_nobody_typed_is_not_undone() -> None:
    """As a draft of another room; nor is what did not change anything."""
    typist = Typist()
    typist.type("one")
    typist.history.reset("draft")
    assert not typist.history.can_undo
    typist.history.record("draft", 2, 200.0)
    assert typist.history.undo() is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest steps go; those that are left still fit."""
    monkeypatch.setattr(undo_history, "CHARACTERS", 1000)
    monkeypatch.setattr(undo_history, "STEPS", 50)
    typist = Typist()
    for _ in range(200):
        typist.put(len(typist.text), len(typist.text), "x" * 30, whole=True)
    undone = 0
    while typist.undo() is not None:
        undone += 1
    assert undone == 33
    assert typist.text == "x" * 30 * (200 - 33)
    typist.history.reset("")
    typist.text = ""
    for number in range(200):
        typist.put(0, 0, str(number % 10), whole=True)
    assert len(typist.history._done) == 50


_PIECES = st.sampled_from(["a", "b ", " ", "\n", "\U0001f600", "aa", "x y", ""])
_EDITS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 12), st.integers(0, 3), _PIECES, st.booleans()),
        st.sampled_from(["undo", "redo", "pause"]),
    ),
    max_size=40,
)


@given(_EDITS)
def test_undo_and_redo_lead_through_the_same_texts(
    edits: list[tuple[int, int, str, bool] | str],
) -> None:
    """Whatever was edited, undone and redone: all undone it is the first text, and redone the last.

    And each undo is the reverse of a redo.
    """
    typist = Typist("ab a")
    for edit in edits:
        if isinstance(edit, tuple):
            at, length, text, whole = edit
            start = min(at, len(typist.text))
            end = min(start + length, len(typist.text))
            typist.put(start, end, text, whole=whole)
        elif edit == "pause":
            typist.now += PAUSE + 1
        else:
            before = typist.text
            done = typist.undo() if edit == "undo" else typist.redo()
            if done is not None:
                assert (typist.redo() if edit == "undo" else typist.undo()) == before
                assert (typist.undo() if edit == "undo" else typist.redo()) == done
        assert typist.history.text == typist.text
    passed = [typist.text]
    while (undone := typist.undo()) is not None:
        passed.append(undone)
    assert passed[-1] == "ab a"
    assert [typist.redo() for _ in passed[1:]] == passed[-2::-1]
