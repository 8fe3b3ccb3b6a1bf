"""Reasons in words: what is known is said in full, what is not by its code."""

from __future__ import annotations

import time

import pytest

from common.domain.reasons import Reason
from common.domain.sentences import sentence, whole_sentence
from common.domain.times import until_text

NOON = 1_800_000_000_000
WHEN = until_text(NOON, time.time_ns() // 1_000_000)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason("disk_full"), "The host's disk is full."),
        (Reason("name_taken", {"username": "ada"}), "The username ada is taken; choose another."),
        (
            Reason("name_taken", {"username": "ada", "suggestion": "ada2"}),
            "The username ada is taken; ada2 is free.",
        ),
        (Reason("name_taken", {"suggestion": "ada2"}), "The username … is taken; ada2 is free."),
        (Reason("muted", {"reason": ""}), "You are muted."),
        (
            Reason("muted", {"reason": "Shh!", "until": NOON}),
            f"You are muted until {WHEN}: Shh!",
        ),
        (Reason("banned", {"until": NOON}), f"You are banned from this chat until {WHEN}."),
        (Reason("moon_phase", {"why": "full"}), "The server says “moon phase”."),
        (
            Reason("given_up", {"why": "gap"}),
            (
                "Messages are missing, several times in a row. "
                "One of the two programs may need an update."
            ),
        ),
        (
            Reason("given_up", {"why": "not_here"}),
            (
                "The server says “not here”, several times in a row. "
                "One of the two programs may need an update."
            ),
        ),
        (Reason("timeout", {"why": "silent"}), "Connection timed out: no data received for 60 s."),
        (Reason("timeout", {"why": "moon_phase"}), "Connection timed out."),
    ],
)
def test_a_reason_in_words(reason: Reason, said: str) -> None:
    """With its parts, and one end."""
    assert whole_sentence(reason) == said


def test_no_reason_says_nothing() -> None:
    """Rather than something about it."""
    assert sentence(Reason("")) == ""
