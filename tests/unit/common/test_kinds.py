"""The registry of kinds: what is in it is known wherever a kind is looked up."""

from __future__ import annotations

from typing import Final

import pytest
from pydantic import ValidationError

from chat_client.listening import HAPPENED
from chat_client.window.transcript.drawing import DRAWN, UNKNOWN, drawing_of
from common import limits
from common.protocol.codec import decode_body
from common.protocol.events import (
    ACCOUNT_DELETED,
    JOIN,
    MESSAGE,
    REMOVED,
    Event,
    UnknownBody,
)
from common.protocol.messages import KINDS, SENDABLE, EventMessage
from tests.events import deleted, joined, said

EXAMPLES: Final = {
    MESSAGE: said(1),
    JOIN: joined(1),
    ACCOUNT_DELETED: deleted(1),
    REMOVED: said(1).without_text(),
}
"""An event of each kind."""


def test_every_kind_is_drawn_and_has_an_example() -> None:
    """The window draws those of the registry, no fewer and no others; so do the tests below."""
    assert set(DRAWN) == set(KINDS) == set(EXAMPLES)


def test_every_kind_is_printed_by_listen() -> None:
    """As what was said, or as what the sender did."""
    assert {MESSAGE, *HAPPENED} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_of_a_kind_is_understood_and_drawn(kind: str) -> None:
    """By its own drawing, and as the unknown if its body is not understood."""
    event = EXAMPLES[kind]
    assert decode_body(kind, event.body) == event.body
    assert drawing_of(event) is DRAWN[kind] is not UNKNOWN
    assert drawing_of(event._replace(body=UnknownBody(event.body))) is UNKNOWN


def test_an_event_of_no_kind_of_the_registry_is_drawn_as_unknown() -> None:
    """Whatever is in it: it keeps its place, with a note about its sender."""
    poll = Event("general", 1, "poll", "ada", 0, "c" * limits.CID_LENGTH, UnknownBody(text="x"))
    assert decode_body("poll", {"text": "x"}) is None
    assert drawing_of(poll) is UNKNOWN
    assert "Ada" in UNKNOWN.note_about("Ada")


@pytest.mark.parametrize("kind", KINDS)
def test_the_server_takes_no_field_that_a_kind_does_not_have(kind: str) -> None:
    """What it does not understand it would have to store without a look at it."""
    body = EXAMPLES[kind].body
    assert KINDS[kind].model_validate(body).model_dump() == body
    with pytest.raises(ValidationError) as refused:
        KINDS[kind].model_validate({**body, "more": 1})
    assert [(each["type"], each["loc"]) for each in refused.value.errors()] == [
        ("extra_forbidden", ("more",))
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_of_a_kind_is_one_that_an_event_may_have(kind: str) -> None:
    """The wire has the same pattern for kinds that are known and those that are not."""
    event = EXAMPLES[kind]
    message = EventMessage.model_validate(event._asdict())
    assert (message.kind, message.body) == (kind, event.body)
    assert len(kind) <= limits.KIND_LENGTH


def test_whatever_may_be_sent_is_in_the_registry() -> None:
    """The server checks it by the model that is there."""
    assert set(KINDS) >= SENDABLE
