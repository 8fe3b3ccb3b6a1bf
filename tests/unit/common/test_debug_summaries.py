"""What a log at the level debug has of messages: types, numbers and codes, whatever is in them."""

from __future__ import annotations

import re
from typing import Final, get_args

import pytest
from hypothesis import given
from pydantic import BaseModel

from chat_client.state.news import MessageNotStored, OutboxChanged, StatusChanged
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link, Status
from chat_server.rules.inputs import Closed
from chat_server.rules.view import TrafficChanged
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.debug_summaries import brief
from tests.events import send
from tests.strategies import to_client, to_server

POSITIONS = {"general": 5, "dm:ada:ben": 9}


status = "Status link=paused reason=lost retry_at=0.000 attempts=0"


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (send(7, "the text", room="dm:ada:ben"), "send id=7 kind=message body=1"),
        (
            messages.EventMessage(
                room="general",
                seq=1,
                kind="poll",
                sender="ada",
                sent_at=0,
                cid="c" * 16,
                body={"open": True},
            ),
            "event seq=1 kind=poll sent_at=0 body=1",
        ),
        (messages.Sync(id=3, positions=POSITIONS), "sync id=3 positions=2[5, 9] last=0"),
        (
            messages.refusal("muted", re=4, params={"reason": "loud"}),
            "error re=4 code=muted params=1 retryable=False",
        ),
        (Closed(5, "left"), "Closed connection=5 why=left"),
        (Closed(5, "Go away!"), "Closed connection=5"),
        (
            MessageNotStored("general", "the text", Reason("storage_full")),
            "MessageNotStored why=storage_full",
        ),
        (
            StatusChanged(Status(Link.PAUSED, Reason("lost", {"who": "Ada"})), 0),
            f"StatusChanged status=({status}) waiting=0",
        ),
        (
            OutboxChanged("dm:ada:ben", "c" * 16, OutboxState.WAITING, 1),
            "OutboxChanged state=waiting waiting=1 seq=0",
        ),
        (
            TrafficChanged({8: (9, 10), 11: (12, 13)}),
            "TrafficChanged totals=2",
        ),
    ],
)
def test_it_tells_numbers_and_codes(item: object, told: str) -> None:
    """One line each, in which a reader of the log recognises what happened."""
    assert brief(item) == told


_VALUE: Final = r"-?\d+(\[[-\d, ]+\])?|True|False"
_FLAT: Final = rf"\w+( (\w+=({_VALUE})|(code|why|kind)=[a-z][a-z0-9_]*|\w+=\(\w+[^()]*\)))*"
_LINE: Final = re.compile(_FLAT)


@given(to_server() | to_client())
def test_no_text_of_any_message_is_told(message: messages.Message) -> None:
    """Whatever kind it is: its fields have numbers, and codes where they belong."""
    line = brief(message)
    assert _LINE.fullmatch(line), line
    names = {
        name for each in _models(type(message)) for name in (each.__name__, *each.model_fields)
    }
    words = set(re.findall(r"[a-zA-Z]\w*", re.sub(r"(code|why|kind)=\w+", "", line)))
    assert words <= names | {getattr(message, "type", ""), "True", "False"}


def _models(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A model, and those of its fields that are models themselves."""
    parts = (
        get_args(field.annotation) or (field.annotation,) for field in model.model_fields.values()
    )
    within = {part for each in parts for part in each if isinstance(part, type)}
    return {model, *(part for part in within if issubclass(part, BaseModel))}
