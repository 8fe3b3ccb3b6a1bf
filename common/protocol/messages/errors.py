"""Refusals of commands, and the goodbye with which the server ends a connection."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import (
    Field,
    model_serializer,
)

from common.domain import reasons
from common.domain.sentences import sentence
from common.protocol.messages.base import Code, FromServer, OpenParams, RequestId, Wait

ErrorCode = Literal[
    "malformed",
    "unknown_type",
    "out_of_order",
    "not_allowed",
    "banned",
    "muted",
    "no_such_client",
    "no_such_request",
    "no_code",
    "bad_code",
    "no_such_sanction",
    "time_past",
    "version",
    "bad_secret",
    "invite_expired",
    "invite_used",
    "invite_needed",
    "ask_first",
    "no_such_invite",
    "no_such_device",
    "too_many_invites",
    "too_many_devices",
    "name_taken",
    "name_alike",
    "name_refused",
    "not_recognized",
    "account_deleted",
    "former_member",
    "no_such_room",
    "no_such_person",
    "position_ahead",
    "too_long",
    "unknown_kind",
    "cid_reused",
    "too_early",
    "rate_limited",
    "slow_mode",
    "busy",
    "disk_full",
    "internal",
]
RETRYABLE: Final[frozenset[str]] = frozenset(
    {"too_early", "rate_limited", "slow_mode", "busy", "disk_full", "internal"}
)
"""Codes after which the same command may succeed later; all others are final."""
GoodbyeCode = Literal[
    "server_closing",
    "terminated",
    "banned",
    "account_deleted",
    "replaced",
    "device_removed",
    "too_slow",
    "timeout",
    "violation",
    "internal",
]


class Error(FromServer):
    """A command was refused (`re`), or something not understood was received (no `re`).

    `params` are what a sentence about it needs, such as a free username in place of a taken one;
    `field` names the place in the command; `retryable` says that trying later may help, after
    `retry_after` milliseconds at the earliest if that is known.
    """

    type: Literal["error"] = "error"
    re: RequestId | None = None
    code: ErrorCode | Code
    params: OpenParams
    field: Annotated[str, Field(max_length=100)] | None = None
    retryable: bool
    retry_after: Wait | None = None


class VersionError(Error):
    """The refusal `version` in the form of version 1, the only one whose clients get it.

    They refuse a message with a field that they do not know, and would show nothing of this one.
    """

    @model_serializer(mode="plain")
    def _as_of_version_1(self) -> dict[str, object]:
        return {
            "type": self.type,
            "re": self.re,
            "code": self.code,
            "message": sentence(reasons.Reason(self.code, self.params)),
            "field": self.field,
            "retryable": self.retryable,
            "suggestion": None,
        }


class Goodbye(FromServer):
    """The last message of a connection: why the server ends it. See `error` for the fields."""

    type: Literal["goodbye"] = "goodbye"
    code: GoodbyeCode | Code
    params: OpenParams
    retry_after: Wait | None = None


def refusal(
    code: ErrorCode,
    *,
    re: int | None = None,
    field: str | None = None,
    retry_after: int | None = None,
    params: Mapping[str, str | int] | None = None,
) -> Error:
    """An Error whose `retryable` follows from its code."""
    return Error(
        re=re,
        code=code,
        params=dict(params or {}),
        field=field,
        retryable=code in RETRYABLE,
        retry_after=retry_after,
    )
