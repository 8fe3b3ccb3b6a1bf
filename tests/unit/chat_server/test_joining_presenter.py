"""What the host's window shows of joining, without a window."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.reachability import Finding
from chat_server.ready_file import Running
from chat_server.rules import view
from chat_server.window.joining_questions import read_invite
from chat_server.window.model import Fact
from chat_server.window.presenter import Presenter
from chat_server.window.presenter_joining import JoiningPresenter
from common.domain.reasons import Reason
from common.domain.sign import sign_of
from common.protocol.messages import CreateInvite, InviteFacts, JoinRequest

NOW = int(datetime(2026, 5, 4, 12, 14, 30).astimezone().timestamp() * 1000)
MINUTE = 60_000
HOUR = 60 * MINUTE
PIN = "5f" * 32
RUNNING = Running(
    "Harbour", ("192.0.2.10", "fe80::5", "127.0.0.1"), 7777, PIN, "chat://l", "e" * 32
)
UFW = Finding(Reason("firewall_on", {"firewall": "ufw", "port": 7777}), "unknown", "sudo ufw …")
OPEN = Finding(Reason("firewall_open", {"firewall": "firewalld", "port": 7777}), "open")


def request(
    number: int = 1, name: str = "Ada Lindqvist", username: str = "ada", **fields: object
) -> JoinRequest:
    """Somebody asks to join."""
    usual: dict[str, object] = {
        "request": number, "username": username, "display_name": name, "device": "Laptop, Linux",
        "address": "192.0.2.7", "digits": "4729", "since": NOW,
    }  # fmt: skip
    return JoinRequest.model_validate({**usual, **fields})


def invite(**fields: object) -> InviteFacts:
    """An invite that a moderator made."""
    usual: dict[str, object] = {
        "number": 3, "kind": "link", "by": "ada", "role": "member", "username": None,
        "note": "For the choir", "created": NOW - HOUR, "expires": NOW + HOUR, "uses": 2,
        "most_uses": 10, "ended": None,
    }  # fmt: skip
    return InviteFacts.model_validate({**usual, **fields})


@pytest.fixture
def joining() -> JoiningPresenter:
    """One whose server runs, and that knows Ada."""
    made = JoiningPresenter(lambda username: {"ada": "Ada"}.get(username, f"@{username}"))
    made.runs(RUNNING)
    return made


def test_a_request_is_shown_with_what_the_host_has_to_know(joining: JoiningPresenter) -> None:
    """Who, from where, since when, and the digits as they are compared."""
    joining.requested([request(), request(2, "Bruno", "bruno")])
    first, second = joining.view(NOW).requests
    assert (first.name, first.handle, first.digits) == ("Ada Lindqvist", "@ada", "4729")
    assert first.about == "Laptop, Linux · 192.0.2.7 · 12:14"
    assert second.handle == ""  # it would say the same again
    joining.requested([request(2, "Bruno", "bruno")])
    assert [each.number for each in joining.view(NOW).requests] == [2]


def test_names_of_strangers_are_safe_to_show(joining: JoiningPresenter) -> None:
    """They could turn the rest of the line around."""
    joining.requested([request(name="Ada\u202enimda")])
    (row,) = joining.view(NOW).requests
    assert "\u202e" not in row.name


def test_a_code_is_shown_until_it_is_hidden_or_ends(joining: JoiningPresenter) -> None:
    """Hidden, it stays valid; whoever ends or outlives it has none."""
    assert not joining.view(NOW).code_live
    joining.code_is("K7QM3XPA", NOW + HOUR)
    shown = joining.view(NOW)
    assert shown.code is not None
    assert (shown.code.text, shown.code.until) == ("K7QM-3XPA", "13:14")
    joining.show_code(shown=False)
    assert (joining.view(NOW).code, joining.view(NOW).code_live) == (None, True)
    joining.show_code(shown=True)
    over = joining.view(NOW + HOUR)
    assert (over.code, over.code_live) == (None, False)
    assert NOW + HOUR in set(joining.next_changes())
    joining.code_ended()
    assert not joining.view(NOW).code_live


def test_a_code_is_in_no_trace(joining: JoiningPresenter) -> None:
    """A view is printed when something is wrong with it."""
    joining.code_is("K7QM3XPA", NOW + HOUR)
    assert "K7QM" not in repr(joining.view(NOW))


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, ("Link", "Ada", "Member", "13:14", "2 of 10", "valid")),
        ({"by": None, "role": "moderator"},
         ("Link", "You", "Moderator", "13:14", "2 of 10", "valid")),
        ({"expires": None, "most_uses": None}, ("Link", "Ada", "Member", "Never", "2", "valid")),
        ({"kind": "code"}, ("Code", "Ada", "Member", "13:14", "2 of 10", "valid")),
        ({"kind": "knock"}, ("Asked to join", "Ada", "Member", "13:14", "2 of 10", "valid")),
        ({"kind": "device", "username": "ada"},
         ("A device of Ada", "Ada", "Member", "13:14", "2 of 10", "valid")),
        ({"kind": "hologram"}, ("Link", "Ada", "Member", "13:14", "2 of 10", "valid")),
        ({"expires": NOW}, ("Link", "Ada", "Member", "12:14", "2 of 10", "expired")),
        ({"ended": "used"}, ("Link", "Ada", "Member", "13:14", "2 of 10", "used")),
        ({"ended": "revoked"}, ("Link", "Ada", "Member", "13:14", "2 of 10", "revoked")),
        ({"ended": "moon_phase"}, ("Link", "Ada", "Member", "13:14", "2 of 10", "revoked")),
        ({"number": 0, "by": None, "expires": None, "most_uses": None},
         ("Invite link", "You", "Member", "Never", "2", "valid")),
    ],
)  # fmt: skip
def test_an_invite_in_the_list(
    joining: JoiningPresenter, fields: dict[str, object], shown: tuple[str, ...]
) -> None:
    """In words; one that has ended by the clock is shown so before the server says it."""
    joining.invited([invite(**fields)])
    (row,) = joining.view(NOW).invites
    assert (row.what, row.by, row.role, row.expires_text, row.uses_text, row.state) == shown
    assert row.standing == (row.number == 0)
    assert row.expires == (inf if row.expires_text == "Never" else row.expires)


def test_rows_of_invites_are_the_same_until_they_change(joining: JoiningPresenter) -> None:
    """Each refresh looks at thousands; on other pages only their number is shown."""
    joining.invited([invite(number=1), invite(number=2), invite(number=3, ended="used")])
    before = joining.view(NOW).invites
    joining.invited([invite(number=1), invite(number=2, uses=3), invite(number=4)])
    after = joining.view(NOW).invites
    assert after[0] is before[0]
    assert (after[1].uses, after[2].number) == (3, 4)
    assert joining.view(NOW + HOUR).invites[0].state == "expired"
    elsewhere = joining.view(NOW, with_invites=False)
    assert (elsewhere.invites, elsewhere.valid_invites) == ((), 3)
    assert joining.view(NOW + HOUR, with_invites=False).valid_invites == 0
    tomorrow = joining.view(NOW + 24 * HOUR).invites[0]
    assert (before[0].created_text, tomorrow.created_text) == ("11:14", "4 May")


def test_the_sign_is_that_of_the_certificate(joining: JoiningPresenter) -> None:
    """As guests see it; a server without one has none."""
    words, colour = sign_of(bytes.fromhex(PIN))
    shown = joining.view(NOW)
    assert (shown.sign_words, shown.sign_colour) == (words, colour)
    joining.runs(replace(RUNNING, fingerprint=""))
    assert joining.view(NOW).sign_words == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.0.2.10", "fe80::5%eth0", ""])
def test_this_computer_is_no_guest(joining: JoiningPresenter, address: str) -> None:
    """What it sends to itself passes no firewall, and so says nothing."""
    joining.connected(address, NOW)
    assert joining.view(NOW).facts == ()


def test_a_guest_that_connected_is_a_fact(joining: JoiningPresenter) -> None:
    """It outranks what a firewall's settings say, until this computer is on another network."""
    joining.found([UFW])
    assert [fact.kind for fact in joining.view(NOW).facts] == ["warning"]
    joining.connected("192.0.2.7", NOW)
    assert joining.view(NOW).facts == (
        Fact("good", "Another computer has connected (12:14, from 192.0.2.7)."),
    )
    joining.runs(RUNNING)
    assert joining.view(NOW).facts[0].kind == "good"
    joining.runs(replace(RUNNING, addresses=("198.51.100.3", "127.0.0.1")))
    assert [fact.kind for fact in joining.view(NOW).facts] == ["warning"]


def test_who_connected_before_the_facts_came_counts() -> None:
    """Unless it was this computer itself."""
    for address, count in (("192.0.2.7", 1), ("192.0.2.10", 0)):
        joining = JoiningPresenter(str)
        joining.connected(address, NOW)
        joining.runs(RUNNING)
        assert len(joining.view(NOW).facts) == count


def test_what_a_firewall_says_has_its_command(joining: JoiningPresenter) -> None:
    """Behind a colon; a port that is open has none."""
    joining.found([UFW, OPEN])
    warning, good = joining.view(NOW).facts
    assert (warning.kind, warning.command, warning.text[-1]) == ("warning", "sudo ufw …", ":")
    assert (good.kind, good.command, good.text[-1]) == ("good", "", ".")


@pytest.mark.parametrize(
    ("rule", "invite", "said"),
    [
        ("ask", True, ["People may join by asking only now"]),
        ("invite", False, ["Moderators make no more invites now"]),
        (
            "ask",
            False,
            ["Moderators make no more invites now", "People may join by asking only now"],
        ),
        ("invite", True, []),
    ],
)
def test_the_feed_has_what_changed_of_who_may_join(
    rule: str, *, invite: bool, said: list[str]
) -> None:
    """And not what is as it was."""
    presenter = Presenter("")
    presenter.started(RUNNING, NOW)
    presenter.joining.rule_is("invite", moderators_invite=True)
    before = len(presenter.view(NOW).feed)
    presenter.apply([view.JoiningChanged(rule, moderators_invite=invite, at=NOW)], NOW)
    lines = presenter.view(NOW).feed
    assert [line.text for line in lines[: len(lines) - before]] == said


def test_the_hosts_view_has_it_while_the_server_runs() -> None:
    """A run that follows begins anew: its connections are others, and so may be its rule."""
    presenter = Presenter("")
    presenter.started(RUNNING, NOW)
    presenter.joining.requested([request()])
    presenter.joining.rule_is("ask", moderators_invite=True)
    presenter.joining.code_is("K7QM3XPA", NOW + MINUTE)
    shown = presenter.view(NOW).joining
    assert (len(shown.requests), shown.rule, shown.moderators_invite) == (1, "ask", True)
    assert presenter.next_change(NOW) == NOW + MINUTE
    presenter.stopped(NOW)
    assert presenter.view(NOW).joining.requests == ()
    presenter.started(RUNNING, NOW)
    shown = presenter.view(NOW).joining
    assert (shown.requests, shown.rule, shown.code_live) == ((), "", False)
    assert shown.sign_words


def test_whoever_signs_in_or_is_refused_has_connected() -> None:
    """Both come through the firewall."""
    for event in (
        view.ClientSignedIn(1, "ada", "Ada", "192.0.2.7", "Laptop", NOW, True),
        view.ClientRefused("192.0.2.7", "ada", "bad_secret", NOW),
    ):
        presenter = Presenter("")
        presenter.started(RUNNING, NOW)
        presenter.apply([event], NOW)
        assert len(presenter.view(NOW).joining.facts) == 1


@given(
    st.sampled_from(["", "3600000", "86400000", "604800000"]),
    st.sampled_from(["", "1", "10"]),
    st.sampled_from(["member", "moderator"]),
    st.text(max_size=64).filter(str.isprintable),
)
def test_each_answer_makes_an_invite(life: str, uses: str, role: str, note: str) -> None:
    """Whatever is chosen and typed is a valid command."""
    made = CreateInvite.model_validate({"id": 1, **read_invite(note, (life, uses, role))})
    assert made.note == " ".join(note.split())
    assert (made.expires_in is None, made.uses is None) == (not life, not uses)


@pytest.mark.parametrize(
    ("members", "requests", "said"),
    [
        ((), (), ""),
        (("ada",), (), "A member has this name or one like it: @ada."),
        (("ada", "bob"), (), "Members have this name or ones like it: @ada, @bob."),
        ((), (7,), "Somebody else asks with such a name, too."),
        (
            ("ada",), (7,),
            ("A member has this name or one like it: @ada; somebody else asks with such a name, "
            "too."),
        ),
    ],
)  # fmt: skip
def test_a_request_says_whose_name_is_like_it(
    joining: JoiningPresenter, members: tuple[str, ...], requests: tuple[int, ...], said: str
) -> None:
    """In words, as a host would not notice it by a colour."""
    joining.requested([request(members_alike=members, requests_alike=requests)])
    (row,) = joining.view(NOW).requests
    assert row.alike == said
