"""What a moderator does to people: sent now or not at all, and told what came of it."""

from __future__ import annotations

import pytest

from chat_client.state import news
from chat_client.state.moderation import Moderation
from chat_client.state.moderator import MOST_PAGES
from chat_client.state.status import Link
from common.domain.reasons import Reason
from common.protocol import messages
from tests.unit.chat_client.desk import Desk, only

MUTE = Moderation("mute", "bob", 7, "Shh")
COMMANDS = {
    MUTE: messages.MutePerson(id=1, username="bob", until=7, reason="Shh"),
    Moderation("unmute", "bob"): messages.Unmute(id=1, username="bob"),
    Moderation("ban", "bob", None, "Enough"): messages.Ban(id=1, username="bob", reason="Enough"),
    Moderation("unban", "bob"): messages.Unban(id=1, username="bob"),
    Moderation("terminate", "bob", words="Bye"): messages.Terminate(
        id=1, username="bob", reason="Bye"
    ),
}


@pytest.fixture
def desk() -> Desk:
    """A client that is online."""
    desk = Desk()
    desk.go_online(general=0)
    return desk


@pytest.mark.parametrize("what", COMMANDS)
def test_each_is_sent_and_told_when_it_is_done(desk: Desk, what: Moderation) -> None:
    """With everything that belongs to it."""
    (sent,) = desk.step(lambda: desk.controller.moderate(what))
    assert sent.model_copy(update={"id": 1}) == COMMANDS[what]
    assert desk.told(news.Moderated) == []
    desk.hear(messages.Done(re=sent.id))
    assert desk.told(news.Moderated) == [news.Moderated(what, None)]


@pytest.mark.parametrize("code", ["not_allowed", "no_such_person", "disk_full", "moon_phase"])
def test_a_refusal_is_told_and_changes_nothing_else(desk: Desk, code: str) -> None:
    """Also one that may be tried again: the person does that, or not."""
    (sent,) = desk.step(lambda: desk.controller.moderate(MUTE))
    refusal = messages.Error(re=sent.id, code=code, params={"a": "b"}, retryable=True)
    assert desk.hear(refusal) == []
    assert desk.told(news.Moderated) == [news.Moderated(MUTE, Reason(code, {"a": "b"}))]
    assert desk.controller.status.link is Link.ONLINE


def test_without_a_connection_it_is_not_kept_for_later(desk: Desk) -> None:
    """What was under way when it broke off, and what is asked for after that."""
    desk.step(lambda: desk.controller.moderate(MUTE))
    desk.lose()
    desk.step(lambda: desk.controller.moderate(MUTE))
    # Of the first nobody knows: its answer may have been lost.
    assert desk.told(news.Moderated) == [
        news.Moderated(MUTE, Reason("unanswered")),
        news.Moderated(MUTE, Reason("lost")),
    ]
    desk.wait(30)
    asked = desk.go_online(general=0)
    assert not [each for each in asked if isinstance(each, messages.MutePerson)]


def test_an_answer_that_only_a_host_gets_is_a_fault(desk: Desk) -> None:
    """Whatever it claims to answer."""
    (sent,) = desk.step(lambda: desk.controller.moderate(MUTE))
    desk.hear(messages.InviteLink(re=sent.id, link="chat://"))
    assert (desk.controller.status.link, desk.controller.status.code) == (
        Link.PAUSED,
        "unasked_answer",
    )


def test_done_answers_nothing_but_that(desk: Desk) -> None:
    """A message is acknowledged, and not done."""
    send = only(desk.say("one"), messages.Send)
    desk.hear(messages.Done(re=send.id))
    assert desk.controller.status.code == "unasked_answer"


def test_a_mute_is_told(desk: Desk) -> None:
    """When it begins and when it ends, and at each sign-in."""
    desk.news.clear()
    desk.hear(messages.MuteChanged(mute=messages.Mute(until=9, reason="Shh")))
    desk.hear(messages.MuteChanged(mute=None))
    desk.lose()
    desk.wait(30)
    desk.sign_in(mute=messages.Mute(until=None, reason=""))
    assert [told.reason for told in desk.told(news.MuteChanged)] == [
        Reason("muted", {"reason": "Shh", "until": 9}),
        None,
        Reason("muted", {"reason": ""}),
    ]


def test_who_are_moderators_is_kept(desk: Desk) -> None:
    """Until they are told to be none any more, or all are forgotten."""

    def changed(username: str, role: str, change: int) -> None:
        person = messages.Person(
            username=username, display_name=username.title(), role=role, change=change
        )
        desk.hear(messages.PersonChanged(person=person))

    def kept() -> list[str]:
        return (desk.cache.meta("moderators") or "").split()

    for change, username in enumerate(("bob", "ada", "bob"), 5):
        changed(username, "moderator", change)
    assert kept() == ["ada", "bob"]
    changed("bob", "member", 9)
    changed("cleo", "a_role_of_later", 10)
    assert kept() == ["ada"]
    with desk.cache.transaction():
        desk.cache.people.forget()
    assert kept() == []


def sanction(number: int, kind: str, username: str | None) -> messages.Sanction:
    """One that holds."""
    return messages.Sanction(
        number=number, kind=kind, username=username, device=None, until=None, reason="",
        by="(host)", at=0,
    )  # fmt: skip


def listed(desk: Desk) -> list[tuple[list[str], list[str]]]:
    """Each time it was told: who is muted, and who is banned."""
    return [
        (sorted(told.muted or ()), sorted(told.banned or ()))
        for told in desk.told(news.SanctionsListed)
    ]


def test_who_is_muted_or_banned_is_learned_page_by_page(desk: Desk) -> None:
    """Not devices, and no other kinds; asked for anew, an answer to before counts for nothing."""
    (old,) = desk.step(desk.controller.list_sanctions)
    (first,) = desk.step(desk.controller.list_sanctions)
    assert isinstance(first, messages.ListSanctions)
    stale = (sanction(1, "mute", "zoe"),)
    assert desk.hear(messages.Sanctions(re=old.id, sanctions=stale, more=False)) == []
    page = (sanction(1, "mute", "bob"), sanction(2, "ban", "cem"), sanction(3, "ban", None))
    (second,) = desk.hear(messages.Sanctions(re=first.id, sanctions=page, more=True))
    assert isinstance(second, messages.ListSanctions)
    assert second.after == 3
    assert desk.told(news.SanctionsListed) == []
    last = (sanction(4, "mute", "dan"), sanction(5, "moon_phase", "eve"))
    desk.hear(messages.Sanctions(re=second.id, sanctions=last, more=False))
    assert listed(desk) == [(["bob", "dan"], ["cem"])]


@pytest.mark.parametrize("how", ["refused", "lost", "not there"])
def test_what_can_not_be_learned_is_told_as_such(desk: Desk, how: str) -> None:
    """Whoever waits for it waits no more; the connection goes on where there is one."""
    if how == "not there":
        desk.lose()
    asked = desk.step(desk.controller.list_sanctions)
    if how == "refused":
        desk.hear(messages.refusal("not_allowed", re=asked[0].id))
        assert desk.controller.status.link is Link.ONLINE
    elif how == "lost":
        desk.lose()
    assert desk.told(news.SanctionsListed) == [news.SanctionsListed(None, None)]


def test_a_list_without_an_end_ends(desk: Desk) -> None:
    """A foreign server may say anything."""
    (asked,) = desk.step(desk.controller.list_sanctions)
    (second,) = desk.hear(
        messages.Sanctions(re=asked.id, sanctions=(sanction(9, "mute", "bob"),), more=True)
    )
    again = (sanction(9, "mute", "bob"),)
    assert desk.hear(messages.Sanctions(re=second.id, sanctions=again, more=True)) == []
    assert listed(desk) == [(["bob"], [])]


def test_pages_without_an_end_are_not_asked_for_forever(desk: Desk) -> None:
    """Though each of them advances: then who is muted is not known."""
    asked = desk.step(desk.controller.list_sanctions)
    pages = 0
    while asked:
        pages += 1
        numbered = (sanction(pages, "mute", f"p{pages}"),)
        asked = desk.hear(
            messages.Sanctions(
                re=only(asked, messages.ListSanctions).id, sanctions=numbered, more=True
            )
        )
        assert pages <= MOST_PAGES
    assert desk.told(news.SanctionsListed) == [news.SanctionsListed(None, None)]
    (again,) = desk.step(desk.controller.list_sanctions)
    desk.hear(messages.Sanctions(re=again.id, sanctions=(sanction(9, "mute", "bob"),), more=False))
    assert listed(desk)[1:] == [(["bob"], [])]


def test_what_was_left_out_is_told(desk: Desk) -> None:
    """It was done all the same."""
    (sent,) = desk.step(lambda: desk.controller.moderate(MUTE))
    desk.hear(messages.Done(re=sent.id, note="shared_device"))
    assert desk.told(news.Moderated) == [news.Moderated(MUTE, None, Reason("shared_device"))]
