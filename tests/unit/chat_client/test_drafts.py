"""Drafts: which text is kept of which room, and when."""

from __future__ import annotations

import pytest

from chat_client.window.drafts import LATEST, PAUSE, Drafts

Kept = list[tuple[str, str]]


@pytest.fixture
def kept() -> Kept:
    """What was given to be kept."""
    return []


@pytest.fixture
def drafts(kept: Kept) -> Drafts:
    """A cache with a draft in one room."""
    return Drafts({"general": "half a"}, lambda room, text: kept.append((room, text)))


def test_each_room_has_its_own(drafts: Drafts, kept: Kept) -> None:
    """It is in the composer when its room is shown, and kept when that is left."""
    assert drafts.enter("general") == "half a"
    drafts.leave("general", "half a sentence")
    assert drafts.enter("games") == ""
    drafts.leave("games", "")
    assert drafts.enter("general") == "half a sentence"
    assert kept == [("general", "half a sentence")]


def test_only_another_text_is_kept(drafts: Drafts, kept: Kept) -> None:
    """Spaces alone are none: they erase what there was, once."""
    drafts.save("general", "half a")
    drafts.save("games", " \n")
    assert kept == []
    drafts.save("general", "  ")
    drafts.save("general", "")
    assert kept == [("general", "")]


def test_what_was_sent_is_kept_again_when_it_is_written_again(drafts: Drafts, kept: Kept) -> None:
    """The sending erased it."""
    drafts.sent("general")
    drafts.save("general", "")
    assert kept == []
    drafts.save("general", "half a")
    assert kept == [("general", "half a")]


def test_what_could_not_be_sent_is_kept_whatever_was_before(drafts: Drafts, kept: Kept) -> None:
    """Also if it is what was kept last: it was erased, or it was not."""
    drafts.not_sent("general")
    drafts.save("general", "half a")
    assert kept == [("general", "half a")]


def test_a_text_that_comes_back_stands_before_what_is_written(drafts: Drafts, kept: Kept) -> None:
    """It was written first."""
    drafts.give_back("general", "one")
    drafts.give_back("games", "two")
    assert (drafts.of("general"), drafts.of("games")) == ("one\nhalf a", "two")
    assert kept == [("general", "one\nhalf a"), ("games", "two")]


def test_it_is_kept_when_the_typing_pauses_and_not_too_late(drafts: Drafts) -> None:
    """Each key puts it off, but no further than some time from the first one."""
    assert drafts.pause(100.0) == PAUSE
    assert drafts.pause(100.0 + LATEST - PAUSE / 2) == pytest.approx(PAUSE / 2)
    assert drafts.pause(100.0 + LATEST + 1) == 0.0
    drafts.save("general", "half a")
    assert drafts.pause(200.0) == PAUSE


def test_what_would_be_lost(drafts: Drafts) -> None:
    """What is written anywhere and not in the cache; spaces are no loss."""
    cache = {"general": "half a"}
    assert not drafts.differ_from(cache, "games", " ")
    assert drafts.differ_from(cache, "games", "new")
    assert drafts.differ_from({}, "games", "")
    assert drafts.differ_from(cache, "general", "half a sentence")
    assert not drafts.differ_from(cache, "general", "half a")
