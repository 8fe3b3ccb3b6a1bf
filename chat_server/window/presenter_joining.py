"""The part of the presenter about joining: requests, the code, invites, the rule and the facts.

Without Tk and without a clock, as `chat_server/window/presenter.py`, which it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Final

from chat_server.ready_file import Running
from chat_server.rules import view
from chat_server.window.formats import clock_text, day_of, handle_text
from chat_server.window.model import (
    CodeView,
    Fact,
    FactKind,
    InviteRow,
    InviteState,
    JoiningView,
    RequestRow,
)
from common.domain.invite import is_loopback
from common.domain.sentences import alike_sentence, as_sentence, whole_sentence
from common.domain.sign import sign_of
from common.domain.spoken_code import written_code
from common.domain.times import until_text
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:
    from chat_server.reachability import Finding
    from common.protocol import messages

_KINDS: Final = {"link": "Link", "code": "Code", "knock": "Asked to join"}
"""What an invite is, by its kind; one for a device names its person."""
_STATES: Final[dict[str | None, InviteState]] = {
    None: "valid",
    "used": "used",
    "expired": "expired",
    "revoked": "revoked",
}


class JoiningPresenter:
    """`name_of(username)` is how a person is called here; `listed`: see `Presenter`."""

    def __init__(self, name_of: Callable[[str], str], *, listed: bool = True) -> None:
        self._name_of, self._listed = name_of, listed
        self._requests: tuple[messages.JoinRequest, ...] = ()
        self._asking: dict[int, tuple[str, str]] = {}
        """Name and `@username` of everybody who asks, by the number of the request."""
        self._code: tuple[str, int] | None = None
        self._code_shown = False
        self._invites: tuple[messages.InviteFacts, ...] = ()
        self._rows: dict[int, tuple[tuple[object, ...], InviteRow]] = {}
        """The rows of invites by their numbers, and what they were made of."""
        self._rule, self._moderators_invite = "", False
        self._findings: tuple[Finding, ...] = ()
        self._own: frozenset[str] = frozenset()
        self._fingerprint = ""
        self._guest: tuple[str, int] | None = None
        self._question_at: int | None = None

    @property
    def who_may_join(self) -> tuple[str, bool]:
        """The rule, "" until it is known, and whether moderators may make invites."""
        return self._rule, self._moderators_invite

    @property
    def somebody_asks(self) -> bool:
        """Whether a request to join waits."""
        return bool(self._requests)

    @property
    def code_on_screen(self) -> bool:
        """Whether a code is shown."""
        return self._code is not None and self._code_shown

    # What happens

    def runs(self, running: Running) -> None:
        """The server runs, with these facts."""
        own = frozenset(each.partition("%")[0] for each in running.addresses)
        if own != self._own:
            # Another network, of which nothing is known yet. At the start somebody may have
            # connected before these facts came.
            if self._own or (self._guest is not None and self._guest[0] in own):
                self._guest = None
            self._question_at = None if self._own else self._question_at
            self._own = own
        self._fingerprint = running.fingerprint

    def arrived(self, event: view.KnockArrived) -> None:
        """Somebody asks to join; `requested` has all who do."""
        name = safe(event.display_name)
        self._asking[event.request] = name, handle_text(name, safe(event.username))
        self.connected(event.address, event.since)

    def ended(self, event: view.KnockEnded) -> tuple[str, str]:
        """A request waits no longer; the result is who had made it, and `@username` or ""."""
        return self._asking.pop(event.request, ("Somebody", ""))

    def requested(self, requests: Sequence[messages.JoinRequest]) -> None:
        """These are all requests that wait for an answer."""
        self._requests = tuple(requests)

    def code_is(self, code: str, expires: int, *, shown: bool = True) -> None:
        """This is the spoken code, until `expires`; `shown` puts it on the screen."""
        self._code = code, expires
        self._code_shown = shown or self._code_shown

    def code_ended(self) -> None:
        """There is no code any more."""
        self._code, self._code_shown = None, False

    def show_code(self, *, shown: bool) -> None:
        """Put the code on the screen, or take it away; it stays valid."""
        self._code_shown = shown

    def invited(self, invites: Sequence[messages.InviteFacts]) -> None:
        """These are all invites, the newest first."""
        self._invites = tuple(invites)
        self._rows = {
            each.number: self._rows[each.number] for each in invites if each.number in self._rows
        }

    def rule_is(self, rule: str, *, moderators_invite: bool) -> None:
        """This is who may join."""
        self._rule, self._moderators_invite = rule, moderators_invite

    def found(self, findings: Sequence[Finding]) -> None:
        """This is what the firewalls of this computer say."""
        self._findings = tuple(findings)

    def connected(self, address: str, at: int) -> None:
        """A computer at `address` has connected, at `at`; only another one than this says much."""
        plain = address.partition("%")[0].removeprefix("::ffff:")
        if plain and not is_loopback(plain) and plain not in self._own:
            self._guest = safe(plain), at

    def asked(self, at: int) -> None:
        """Another computer on this network has looked for chats, at `at`."""
        self._question_at = at

    # The view

    def view(self, now: int, *, with_invites: bool = True) -> JoiningView:
        """The view model at `now`; the rows of invites are made only `with_invites`."""
        words, colour = self._sign()
        code = self._live_code(now)
        return JoiningView(
            sign_words=words,
            sign_colour=colour,
            listed=self._listed,
            rule=self._rule,
            moderators_invite=self._moderators_invite,
            requests=tuple(_request(each, now) for each in self._requests),
            code=(
                CodeView(written_code(code[0]), until_text(code[1], now))
                if code is not None and self._code_shown
                else None
            ),
            code_live=code is not None,
            invites=tuple(self._row(each, now) for each in self._invites) if with_invites else (),
            valid_invites=sum(_state(each, now) == "valid" for each in self._invites),
            facts=tuple(self._facts(now)),
        )

    def next_changes(self) -> Iterator[int]:
        """The times at which the view changes without an event, some of them past."""
        if self._code is not None:
            yield self._code[1]
        for each in self._invites:
            if each.expires is not None:
                yield each.expires

    def _sign(self) -> tuple[str, str]:
        """The words and the colour, "" for a server without a certificate."""
        return sign_of(bytes.fromhex(self._fingerprint)) if self._fingerprint else ("", "")

    def _live_code(self, now: int) -> tuple[str, int] | None:
        return self._code if self._code is not None and now < self._code[1] else None

    def _row(self, invite: messages.InviteFacts, now: int) -> InviteRow:
        """The row of an invite; the same object as long as nothing in it changes."""
        name = "" if invite.username is None else self._name_of(invite.username)
        by = "" if invite.by is None else self._name_of(invite.by)
        # Times of the day before become dates.
        shown = invite, _state(invite, now), day_of(now), name, by
        kept = self._rows.get(invite.number)
        if kept is not None and kept[0] == shown:
            return kept[1]
        row = self._invite(invite, now)
        self._rows[invite.number] = shown, row
        return row

    def _invite(self, invite: messages.InviteFacts, now: int) -> InviteRow:
        standing = invite.number == 0
        what = "Invite link" if standing else _KINDS.get(invite.kind, "Link")
        if invite.username is not None:
            what = f"A device of {self._name_of(invite.username)}"
        uses = str(invite.uses)
        if invite.most_uses is not None:
            uses = f"{invite.uses} of {invite.most_uses}"
        return InviteRow(
            number=invite.number,
            what=what,
            note=safe(invite.note),
            by="You" if invite.by is None else self._name_of(invite.by),
            role="Moderator" if invite.role == "moderator" else "Member",
            created_text=clock_text(invite.created, now),
            expires_text="Never" if invite.expires is None else until_text(invite.expires, now),
            uses_text=uses,
            state=_state(invite, now),
            created=invite.created,
            expires=inf if invite.expires is None else invite.expires,
            uses=invite.uses,
            standing=standing,
        )

    def _facts(self, now: int) -> Iterator[Fact]:
        if self._guest is not None:
            address, at = self._guest
            yield Fact(
                "good", f"Another computer has connected ({clock_text(at, now)}, from {address})."
            )
        if self._question_at is not None:
            when = clock_text(self._question_at, now)
            yield Fact("good", f"Others on this network look for chats, and are heard ({when}).")
        if self._guest is not None:
            return  # somebody came through: what a firewall's settings say does not matter
        for found in self._findings:
            kind: FactKind = "good" if found.verdict == "open" else "warning"
            text = whole_sentence(found.reason)
            if found.command:
                text = f"{text.removesuffix('.')}:"
            yield Fact(kind, text, found.command)


def _state(invite: messages.InviteFacts, now: int) -> InviteState:
    """What an invite is now: it ends by the clock before the server says so."""
    if invite.ended is None and invite.expires is not None and invite.expires <= now:
        return "expired"
    return _STATES.get(invite.ended, "revoked")


def _request(request: messages.JoinRequest, now: int) -> RequestRow:
    name, username = safe(request.display_name), safe(request.username)
    parts = (safe(request.device), safe(request.address), clock_text(request.since, now))
    alike = alike_sentence(request.members_alike, also_asks=bool(request.requests_alike))
    return RequestRow(
        number=request.request,
        name=name,
        username=username,
        handle=handle_text(name, username),
        digits=request.digits,
        address=safe(request.address),
        about=" · ".join(part for part in parts if part),
        alike=as_sentence(alike) if alike else "",
    )
