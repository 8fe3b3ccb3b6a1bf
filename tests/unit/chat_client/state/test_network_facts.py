"""Which causes are told of which facts."""

from __future__ import annotations

import pytest

from chat_client.state.attempts import Attempt, Failure
from chat_client.state.network_facts import (
    CAUSES,
    NetworkFacts,
    Router,
    causes,
    why_not_reached,
)
from common.domain.reasons import Reason
from common.domain.sentences import whole_sentence


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        (NetworkFacts(has_network=False, by_vpn=True, answers=3), ["no_network"]),
        (NetworkFacts(has_network=True), ["nobody_answers"]),
        (NetworkFacts(has_network=True, router=Router.SILENT), ["nobody_answers"]),
        (NetworkFacts(has_network=True, router=Router.ANSWERS), ["only_router_answers"]),
        (NetworkFacts(has_network=True, router=Router.ANSWERS, answers=1), ["nobody_hosts"]),
        (NetworkFacts(has_network=True, answers=9, by_vpn=True), ["vpn_on", "nobody_hosts"]),
        (NetworkFacts(has_network=True, asks=False, error="no"), ["asks_nobody"]),
        (NetworkFacts(has_network=True, asks=False, by_vpn=True), ["vpn_on", "asks_nobody"]),
    ],
)
def test_what_is_told(facts: NetworkFacts, codes: list[str]) -> None:
    """The most certain cause first."""
    assert [reason.code for reason in causes(facts)] == codes


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_each_cause_has_a_sentence(code: str) -> None:
    """With what to do in it, and nothing left open."""
    params: dict[str, str | int] = {
        "name": "Home",
        "address": "10.0.0.5",
        "port": 12345,
        "cause": "not permitted",
    }
    told = whole_sentence(Reason(code, params))
    assert "server says" not in told
    assert "…" not in told
    assert any(word in told for word in (":", ". "))


@pytest.mark.parametrize(
    ("failures", "code"),
    [
        ([Failure.REFUSED], "found_refused"),
        ([Failure.BROKE_OFF], "found_refused"),
        ([Failure.TIMED_OUT], "found_dropped"),
        ([Failure.NO_HOST], "found_dropped"),
        ([Failure.NO_ROUTE], "found_elsewhere"),
        ([Failure.NO_ROUTE, Failure.TIMED_OUT, Failure.REFUSED], "found_refused"),
        ([Failure.FAILED], "unreachable"),
        ([Failure.WRONG_SERVER, Failure.REFUSED], "found_other"),
    ],
)
def test_why_a_found_chat_is_not_reached(failures: list[Failure], code: str) -> None:
    """By the address that tells most."""
    attempts = [
        Attempt(f"10.0.0.{number}", 4000, failure) for number, failure in enumerate(failures)
    ]
    reason = why_not_reached("Home", attempts)
    assert reason.code == code
    if code.startswith("found"):
        at = failures.index(min(failures, key=lambda failure: failure.value))
        assert reason.params == {"name": "Home", "address": f"10.0.0.{at}", "port": 4000}
