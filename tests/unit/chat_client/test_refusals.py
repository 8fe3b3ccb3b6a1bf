"""Each command that a client gives × each error code: what a person reads of it is true.

What was asked for by hand nothing tries again. So the sentence may not say so, and tells when it
may be tried again if the server does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, get_args

import pytest

from chat_client.state import news
from chat_client.state.controller import Controller
from chat_client.state.joining import JoinProtocol, Refused
from chat_client.state.moderation import Moderation
from chat_client.state.request import (
    AddDevice,
    CreateInvite,
    DeleteMe,
    RemoveDevice,
    RenameMe,
    RevokeInvite,
)
from chat_client.state.slow_mode import SlowModeOrder
from chat_client.state.status import Link
from chat_client.status_text import describe, refusal_text
from chat_client.window.status_banner import notice_of
from common.domain.reasons import Params
from common.domain.sentences import whole_sentence
from common.protocol import messages
from common.protocol.messages.errors import RETRYABLE, ErrorCode
from tests.unit.chat_client.desk import SENT_AT, Desk
from tests.unit.chat_client.state.test_joining import Server
from tests.unit.joining_wire import ADA

CODES: Final[Mapping[str, tuple[Params, ...]]] = {
    **{code: ({},) for code in get_args(ErrorCode)},
    "malformed": ({"why": "display_name"},),
    "unknown_type": ({"why": "tag"},),
    "unknown_kind": ({"why": "kind"},),
    "too_long": ({"why": "text"},),
    "out_of_order": ({"phase": "ready"},),
    "version": ({"protocol": 3},),
    "name_taken": ({"username": "ada"}, {"username": "ada", "suggestion": "ada2"}),
    "name_alike": ({"username": "ada"},),
    "name_refused": (
        {"why": "username_reserved", "username": "general"},
        {"why": "name_long", "most": 64},
    ),
    "not_recognized": ({"username": "ada"},),
    "no_such_person": ({"username": "bob"},),
    "no_such_room": ({"room": "general"},),
    "too_many_invites": ({"most": 1000},),
    "too_many_devices": ({"username": "ada", "most": 64},),
    "account_deleted": ({"messages": "kept"},),
    "banned": ({"reason": ""}, {"reason": "Enough", "until": SENT_AT}),
    "muted": ({"reason": ""}, {"reason": "Enough", "until": SENT_AT}),
    "bad_code": ({"left": 3},),
    "slow_mode": ({"room": "general", "seconds": 30},),
    "rate_limited": (
        {},
        {"why": "of a later version"},
        {"why": "many_names", "minutes": 12},
        {"why": "many_invites", "minutes": 12},
        {"why": "many_joins"},
        {"why": "many_messages", "room": "general"},
        {"why": "many_conversations"},
        {"why": "codes_paused", "minutes": 5},
        {"why": "asked_before", "minutes": 1},
        {"why": "too_fast", "seconds": 2},
    ),
    "busy": ({}, {"why": "many_asking"}, {"why": "session_ends"}),
    "internal": ({}, {"why": "unreadable"}, {"why": "busy"}),
    "moon_phase": ({}, {"why": "full"}),
}
"""The parameters with which each error may come; the last one is of a later version."""
REFUSALS: Final = [
    pytest.param(code, params, id=f"{code} {params.get('why', '')}".strip())
    for code, each in CODES.items()
    for params in each
]

BY_HAND: Final[dict[type, Callable[[Controller], object]]] = {
    messages.RenameMe: lambda core: core.request(RenameMe("Ada L.")),
    messages.DeleteMe: lambda core: core.request(DeleteMe("keep")),
    messages.AddDevice: lambda core: core.request(AddDevice()),
    messages.RemoveDevice: lambda core: core.request(RemoveDevice("0" * 16)),
    messages.CreateInvite: lambda core: core.request(CreateInvite()),
    messages.RevokeInvite: lambda core: core.request(RevokeInvite(4)),
    messages.ListDevices: lambda core: core.list_devices(),
    messages.ListInvites: lambda core: core.list_invites(),
    messages.AskJoining: lambda core: core.ask_joining(),
    messages.MutePerson: lambda core: core.moderate(Moderation("mute", "bob")),
    messages.Unmute: lambda core: core.moderate(Moderation("unmute", "bob")),
    messages.Ban: lambda core: core.moderate(Moderation("ban", "bob")),
    messages.Unban: lambda core: core.moderate(Moderation("unban", "bob")),
    messages.Terminate: lambda core: core.moderate(Moderation("terminate", "bob")),
    messages.SetSlowMode: lambda core: core.moderate(SlowModeOrder("general", 30)),
}
"""What a person asks for when they are in the chat."""
BEFORE: Final = {
    messages.Knock,
    messages.KnockOpen,
    messages.Withdraw,
    messages.CodeStart,
    messages.CodeProof,
}
"""What a person asks for before that, without a link."""
BY_ITSELF: Final = {
    messages.Hello,
    messages.Recognize,
    messages.Join,
    messages.SignIn,
    messages.Ping,
    messages.Sync,
    messages.History,
    messages.Send,
    messages.ListPeople,
    messages.ListOnline,
    messages.ListRooms,
}
"""What the client asks for by itself, or keeps until it is done."""
UNTOLD: Final = {messages.ListSanctions}
"""What has no sentence: the menu that waits for it opens without."""
OF_THE_HOST: Final = {
    messages.SetRole,
    messages.DeleteAccount,
    messages.RenameChat,
    messages.ShowInvite,
    messages.NewInvite,
    messages.AskStatus,
    messages.ListClients,
    messages.ListAudit,
    messages.SetJoining,
    messages.ListRequests,
    messages.Admit,
    messages.Deny,
    messages.ShowCode,
    messages.EndCode,
}
WAIT: Final = 90_000
"""Milliseconds after which the server lets it be tried again."""


def test_every_command_has_its_place_here() -> None:
    """A new one needs somebody to think of what its refusals say."""
    every = [BY_HAND, BEFORE, BY_ITSELF, UNTOLD, OF_THE_HOST]
    assert sorted(each.__name__ for part in every for each in part) == sorted(
        each.__name__ for each in get_args(messages.ToServer)
    )


def check(said: str, code: str) -> None:
    """What a person reads is a whole sentence in which nothing is missing."""
    assert said[:1].isupper() or not said[:1].isalpha()
    assert said.rstrip()[-1] in ".!?”"
    for fault in ("{", "}", "…", "None", "..", "trying again"):
        assert fault not in said
    if code != "moon_phase":
        assert "says “" not in said


def check_by_hand(said: str, code: str, params: Params) -> None:
    """It also says when it may be tried again, if that is known; once."""
    check(said, code)
    if code not in RETRYABLE and code != "moon_phase":
        assert "again in" not in said
    elif "minutes" not in params and "seconds" not in params:
        assert said.count("try again in 1 min 30 s") == 1
    else:
        assert len(re.findall(r" in (\d+ min|\d+ s)\b", said)) == 1


def refuse(command: messages.Command, code: str, params: Params) -> messages.Error:
    """The refusal of a command."""
    retryable = code in RETRYABLE or code == "moon_phase"
    return messages.Error(
        re=command.id,
        code=code,
        params=dict(params),
        retryable=retryable,
        retry_after=WAIT if retryable else None,
    )


@pytest.mark.parametrize(("code", "params"), REFUSALS)
def test_what_was_asked_for_by_hand(code: str, params: Params) -> None:
    """The connection stays, nothing is tried again, and each has its sentence."""
    desk = Desk()
    desk.go_online(general=0)
    for kind, ask in BY_HAND.items():
        (command,) = desk.step(lambda ask=ask: ask(desk.controller))  # type: ignore[misc]  # mypy can't infer the lambda
        assert type(command) is kind
        desk.news.clear()
        assert desk.hear(refuse(command, code, params)) == []
        (told,) = desk.news
        assert isinstance(
            told,
            news.Requested
            | news.Moderated
            | news.DevicesListed
            | news.InvitesListed
            | news.JoiningTold,
        )
        assert told.why is not None
        check_by_hand(whole_sentence(told.why), code, params)
        check_by_hand(refusal_text(told.why) + ".", code, params)
        assert desk.controller.status.link is Link.ONLINE
    assert desk.wait(1) == []


@pytest.mark.parametrize(("code", "params"), REFUSALS)
def test_what_was_asked_for_before_joining(code: str, params: Params) -> None:
    """The same on the join screen and on the command line."""
    begin: Callable[[JoinProtocol], object]
    for begin in (lambda each: each.knock(ADA), lambda each: each.code("K7QM-3XPA")):
        server = Server()
        server.connect()
        begin(server.joining)
        (command,) = server.heard()
        assert type(command) in BEFORE
        server.say(refuse(command, code, params))
        refused = server.news[-1]
        assert isinstance(refused, Refused)
        assert not refused.over
        assert server.heard() == []
        check_by_hand(whole_sentence(refused.reason), code, params)


@pytest.mark.parametrize(("code", "params"), REFUSALS)
@pytest.mark.parametrize("joined", [True, False])
def test_what_lets_one_in_is_refused(code: str, params: Params, joined: bool) -> None:
    """Either it is tried again, and the line says so with its time; or the banner says why not."""
    desk = Desk(joined=joined)
    (hello,) = desk.connect()
    (opening,) = desk.hear(
        messages.Welcome(re=hello.id, protocol=2, program="S", server_name="Home", epoch="e" * 32)
    )
    assert desk.hear(refuse(opening, code, params)) == []
    status = desk.controller.status
    retried = code in RETRYABLE or code == "moon_phase"
    assert status.link is (Link.PAUSED if retried else Link.REFUSED)
    notice = notice_of(status, SENT_AT - 1)
    assert notice is not None
    check(notice.text, code)
    if retried:
        assert "reconnecting in 90 s" in describe(status, 0, desk.now)
        assert desk.wait(WAIT / 1000) == []
        assert desk.controller.wants_connection


@pytest.mark.parametrize(("code", "params"), REFUSALS)
def test_what_a_message_that_is_refused_says(code: str, params: Params) -> None:
    """It waits or it failed; neither way does it say what is not done."""
    desk = Desk()
    desk.go_online(general=0)
    (send,) = desk.say("hello")
    desk.news.clear()
    desk.hear(refuse(send, code, params))
    for changed in desk.told(news.OutboxChanged):
        if changed.reason is not None:
            check(whole_sentence(changed.reason), code)
    assert desk.controller.status.link is Link.ONLINE
