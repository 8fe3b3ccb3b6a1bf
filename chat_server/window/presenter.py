"""The presenter of the host's window: makes the view model, without Tk.

It takes the server's view events and the person's requests, and returns one frozen `HostView`. It
has no clock: every method that needs the time takes `now`, in milliseconds since 1970-01-01 UTC.
Received text passes `common.ui.widgets.safe_text.safe` on its way in, so that the search finds
what is displayed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from math import inf
from typing import TYPE_CHECKING, Final, assert_never

from chat_server.ready_file import Running
from chat_server.rules import view
from chat_server.window.audit_lines import audit_line, until_of
from chat_server.window.connection_rows import Client, client_row
from chat_server.window.feed import Feed, Kind
from chat_server.window.formats import (
    clock_text,
    day_of,
    size_text,
    uptime_text,
)
from chat_server.window.message_rate import MessageRate
from chat_server.window.model import (
    AccountRow,
    ClientRow,
    HostView,
    JoiningView,
    Page,
    Reach,
    SanctionRow,
    ServerState,
)
from chat_server.window.presenter_joining import JoiningPresenter
from chat_server.window.reach import moved_text, reach_of
from common.domain.names import GENERAL
from common.domain.sentences import sentence
from common.domain.times import until_text
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:
    from common.protocol import messages

_MINUTE: Final = 60_000
_JOINING: Final = {
    "invite_or_ask": "People may join with an invite or by asking now",
    "invite": "People may join with an invite only now",
    "ask": "People may join by asking only now",
    "open": "Everyone on this network may join without an invite now",
}
"""The feed's line about a change of the rule of who may join."""


class _Run:
    """The state of one run of the server; the next one starts empty."""

    def __init__(self) -> None:
        self.clients: dict[int, Client] = {}
        self.rate = MessageRate()
        self.gone_received = self.gone_sent = 0
        self.somebody_came = False
        self.trouble = ""
        self.disk_low = False
        self.ended: set[str] = set()
        """Who was disconnected or banned by somebody, by username, and did not come back since."""
        self.names: dict[str, str] = {}
        """Display names of everybody seen in this run, by username."""
        self.joined: dict[str, str] = {}
        """Display names of all accounts, by username."""
        self.moderators: set[str] = set()
        self.mutes: dict[str, int | None] = {}
        """End of the mute of each muted person, None for no end, by username."""
        self.sanctions: list[messages.Sanction] = []
        self.slow: int | None = None
        """Seconds of slow mode in the public room; None until they are known."""


class Presenter:
    """See the module. All calls come from one thread."""

    def __init__(self, name: str, *, everywhere: bool = True, listed: bool = True) -> None:
        """`everywhere`: the server listens on every interface, rather than on a chosen address.

        `listed`: programs of guests find it on the network by themselves.
        """
        self._name, self._given_name = safe(name), name
        self._name_problem = ""
        self._name_answers = 0
        self._everywhere, self._listed = everywhere, listed
        self._phase = ServerState.STARTING
        self._reach: Reach | None = None
        self._since = 0
        self._search = ""
        self._feed = Feed()
        self._run = _Run()
        self.joining = JoiningPresenter(self._called_who, listed=self._listed)
        self._page = Page.CONNECTIONS
        self._rows: dict[int, tuple[tuple[Client, bool, str], ClientRow]] = {}
        self._rows_day: date | None = None

    @property
    def phase(self) -> ServerState:
        """What the server is doing."""
        return self._phase

    @property
    def people(self) -> int:
        """How many people are connected, each with any number of devices."""
        return len({client.username for client in self._run.clients.values()})

    # State of the server

    def starting(self) -> None:
        """The server is starting."""
        self._phase = ServerState.STARTING

    def started(self, running: Running, now: int) -> None:
        """The server accepts clients; some may have signed in already."""
        self._phase = ServerState.RUNNING
        self._since = now
        self._name, self._given_name = safe(running.name), running.name
        self._name_problem = ""
        self._reach = reach_of(running, self._everywhere)
        self.joining.runs(running)
        self._feed.add(Kind.STARTED, now, "", "The server started")

    def changed(self, running: Running, now: int) -> None:
        """New facts about the server, changed or not. Ignored before `started`."""
        if self._reach is None:
            return
        reach = reach_of(running, self._everywhere)
        self.joining.runs(running)
        self._called(running.name, now)
        # Not for every network bridge that is added or removed: the invite is updated anyway.
        if reach.text != self._reach.text:
            self._feed.add(Kind.CHANGED, now, "", moved_text(reach))
        self._reach = reach

    def _called(self, name: str, now: int) -> None:
        if name != self._given_name:
            self._given_name, self._name = name, safe(name)
            self._feed.add(Kind.CHANGED, now, "", f"The chat is called {self._name} now")

    def renaming(self, problem: str = "") -> None:
        """The host requested another name; `problem` says why it is invalid, if it is."""
        self._name_problem = problem
        self._name_answers += bool(problem)

    def _changed_by_host(
        self, event: view.Renamed | view.InviteRenewed | view.Audited, now: int
    ) -> None:
        if isinstance(event, view.Audited):
            self._audited(event, now)
        elif isinstance(event, view.Renamed):
            self._name_answers += 1
            self._called(event.name, event.at)
        else:
            self._feed.add(
                Kind.CHANGED, now, "", "There is a new invite link; the old one no longer works"
            )

    def _rule_changed(self, event: view.JoiningChanged) -> None:
        """Tell what of it is another, or the rule if it is not known what was."""
        rule, moderators_invite = self.joining.who_may_join
        if event.rule != rule:
            self._feed.add(Kind.CHANGED, event.at, "", _JOINING.get(event.rule, ""))
        if rule and event.moderators_invite != moderators_invite:
            what = "may make" if event.moderators_invite else "make no more"
            self._feed.add(Kind.CHANGED, event.at, "", f"Moderators {what} invites now")

    def _joining_changed(
        self,
        event: view.JoiningChanged
        | view.InvitesChanged
        | view.DevicesChanged
        | view.KnockArrived
        | view.KnockEnded
        | view.CodeChanged,
    ) -> None:
        """Tell of what nobody did in this window; the lists are fetched anew."""
        match event:
            case view.JoiningChanged():
                self._rule_changed(event)
            case view.KnockArrived():
                self.joining.arrived(event)
                self._run.names.setdefault(event.username, safe(event.display_name))
            case view.KnockEnded():
                name, handle = self.joining.ended(event)
                if event.why == "expired":
                    text = "asked to join, and nobody answered"
                    self._feed.add(Kind.LEFT, event.at, name, text, handle)
            case view.CodeChanged(why="guessed"):
                text = "Too many wrong codes were tried: the code is another one now"
                self._feed.add(Kind.REFUSED, event.at, "", text)

    def not_renamed(self, why: str) -> None:
        """The chat could not be renamed."""
        self._name_answers += 1
        self._name_problem = f"Not changed: {safe(why)}."

    def stopping(self) -> None:
        """The server is stopping."""
        self._phase = ServerState.STOPPING

    def stopped(self, now: int) -> None:
        """The server has stopped, or failed to start."""
        if self._reach is not None:
            self._feed.add(Kind.STOPPED, now, "", "The server stopped")
        self._phase = ServerState.STOPPED
        self._reach = None
        self._run = _Run()
        self.joining = JoiningPresenter(self._called_who, listed=self._listed)
        self._rows.clear()  # the next run counts its connections from 1 again

    def closing(self) -> None:
        """The window closes when the server has stopped."""
        self._phase = ServerState.CLOSING

    def apply(self, events: Sequence[view.ViewEvent], now: int) -> None:
        """Apply events in order."""
        for event in _last_renewal(events):
            match event:
                case view.ClientSignedIn():
                    self._appeared(event)
                case view.ClientDisconnected():
                    self._gone(event)
                case view.PersonRenamed() | view.AccountDeleted() | view.ClientRefused():
                    self._about_account(event)
                case view.TrafficChanged() | view.MessagesStored():
                    self._counted(event)
                case view.ClientSlow():
                    self._slow(event, now)
                case view.Renamed() | view.InviteRenewed() | view.Audited():
                    self._changed_by_host(event, now)
                case (
                    view.JoiningChanged()
                    | view.InvitesChanged()
                    | view.DevicesChanged()
                    | view.KnockArrived()
                    | view.KnockEnded()
                    | view.CodeChanged()
                ):
                    self._joining_changed(event)
                case view.NoMoreConnections() | view.ServerFailed():
                    self._failed(event)
                case _:
                    self._other_told(event)

    def _other_told(
        self,
        event: view.StoreFailed | view.StoreRecovered | view.DiskLow | view.DiskRoomy,
    ) -> None:
        match event:
            case view.DiskLow() | view.DiskRoomy():
                self._disk_told(event)
            case view.StoreRecovered():
                self._recovered(event.at)
            case view.StoreFailed():
                self._run.trouble = safe(sentence(event.reason))
                self._feed.failed(event.at, self._run.trouble)
            case _:
                assert_never(event)

    def _disk_told(self, event: view.DiskLow | view.DiskRoomy) -> None:
        low = isinstance(event, view.DiskLow)
        if isinstance(event, view.DiskLow):
            text = f"The disk is nearly full: {size_text(event.free)} left"
            self._feed.add(Kind.SLOW, event.at, "", text)
        elif self._run.disk_low:
            self._feed.add(Kind.CAUGHT_UP, event.at, "", "The disk has room again")
        self._run.disk_low = low

    def _refused(self, event: view.ClientRefused) -> None:
        self.joining.connected(event.address, event.at)
        address, username = safe(event.address), safe(event.username)
        self._feed.refused(event.at, address, event.code, username, event.count)

    def _recovered(self, at: int) -> None:
        if self._run.trouble:
            self._run.trouble = ""
            self._feed.add(Kind.CAUGHT_UP, at, "", "Messages are stored again")

    def _failed(self, event: view.NoMoreConnections | view.ServerFailed) -> None:
        full = isinstance(event, view.NoMoreConnections)
        what = "Nobody else can connect" if full else "The server can’t go on"
        self._feed.add(Kind.FAILED, event.at, "", f"{what}: {safe(sentence(event.reason))}")

    def _appeared(self, event: view.ClientSignedIn) -> None:
        clients = self._run.clients
        client = Client(
            event.connection,
            safe(event.display_name),
            safe(event.username),
            safe(event.device),
            safe(event.address),
            event.since,
            account=event.username,
        )
        if event.new_account:
            text = "joined"
        elif any(other.username == client.username for other in clients.values()):
            text = "connected from one more device"
        else:
            text = "is back"
        clients[event.connection] = client
        self.joining.connected(event.address, event.since)
        self._run.ended.discard(event.username)
        self._run.names[event.username] = self._run.joined[event.username] = client.name
        self._know(event.username, is_moderator=event.is_moderator)
        if event.is_muted:
            self._run.mutes[event.username] = event.muted_until
        else:
            self._run.mutes.pop(event.username, None)
        self._run.somebody_came = True
        self._feed.add(Kind.CAME, event.since, client.name, text, client.handle)

    def _about_account(
        self, event: view.PersonRenamed | view.AccountDeleted | view.ClientRefused
    ) -> None:
        if isinstance(event, view.ClientRefused):
            self._refused(event)
            return
        run, username = self._run, event.username
        name, before = safe(event.display_name), run.names.get(username)
        if isinstance(event, view.AccountDeleted):
            run.joined.pop(username, None)
            run.names.pop(username, None)
            text = "account, with all messages" if event.erased else "account"
            if event.by == username:
                self._feed.add(Kind.LEFT, event.at, name, f"deleted the {text}", f"@{username}")
            else:
                self._feed.add(Kind.TERMINATED, event.at, "You", f"deleted {name}’s {text}")
            return
        for client in run.clients.values():
            if client.account == username:
                run.clients[client.connection] = replace(client, name=name)
        run.names[username] = run.joined[username] = name
        text = f"has another name now: {name}"
        self._feed.add(Kind.CHANGED, event.at, before or safe(event.before), text, f"@{username}")

    def _know(self, username: str, *, is_moderator: bool) -> None:
        (self._run.moderators.add if is_moderator else self._run.moderators.discard)(username)

    def _audited(self, event: view.Audited, now: int) -> None:
        """Add a line about an entry of the audit log, and apply its consequences."""
        username = str(event.fields.get("username", ""))
        connection = event.fields.get("connection")
        client = self._run.clients.get(connection) if isinstance(connection, int) else None
        self._acted(event, username if client is None else client.account)
        whom = client.name if client is not None else self._called_who(username)
        line = audit_line(event, whom, now)
        if line is not None:
            kind, text = line
            by = "You" if event.by == view.HOST else self._called_who(event.by)
            self._feed.add(kind, event.at, by, text)

    def _acted(self, event: view.Audited, username: str) -> None:
        """Apply what somebody did to a person, by the audit log."""
        match event.action:
            case "mute":
                self._run.mutes[username] = until_of(event)
            case "unmute":
                self._run.mutes.pop(username, None)
            case "set_role":
                is_moderator = event.fields.get("role") == "moderator"
                self._know(username, is_moderator=is_moderator)
            case "ban" | "terminate":
                self._run.ended.add(username)
            case "set_slow_mode":
                seconds = event.fields.get("seconds")
                if event.fields.get("room") == GENERAL and isinstance(seconds, int):
                    self._run.slow = seconds

    def _called_who(self, username: str) -> str:
        return self._run.names.get(username) or f"@{safe(username)}"

    def joined(self, people: Sequence[messages.Person]) -> None:
        """These accounts exist, possibly among others."""
        for person in people:
            if person.former:
                self._run.joined.pop(person.username, None)
                continue
            name = safe(person.display_name)
            self._run.joined[person.username] = name
            self._run.names.setdefault(person.username, name)
            self._know(person.username, is_moderator=person.role == "moderator")

    def slow_is(self, seconds: int) -> None:
        """This is the interval of slow mode in the public room; 0 for none."""
        self._run.slow = seconds

    @property
    def slow(self) -> int | None:
        """That interval; None while the server does not run."""
        return self._run.slow if self._reach is not None else None

    def sanctioned(self, sanctions: Sequence[messages.Sanction]) -> None:
        """These are all bans and mutes in force."""
        self._run.sanctions = list(sanctions)

    def go(self, page: Page) -> None:
        """Show this page."""
        self._page = page

    def _gone(self, event: view.ClientDisconnected) -> None:
        client = self._run.clients.pop(event.connection, None)
        self._rows.pop(event.connection, None)
        if client is None:
            return
        self._run.gone_received += client.received
        self._run.gone_sent += client.sent
        # One line says it for everybody, or says who did that.
        by_somebody = event.why in {"terminated", "banned"} and client.account in self._run.ended
        # Of a deleted account an event of its own tells.
        if event.why not in {"server_closing", "account_deleted"} and not by_somebody:
            self._feed.gone(event.at, client.name, event.why, client.handle)

    def _counted(self, event: view.TrafficChanged | view.MessagesStored) -> None:
        if isinstance(event, view.MessagesStored):
            self._recovered(event.at)
            self._run.rate.add(event.count, event.at)
            return
        clients = self._run.clients
        for connection, (received, sent) in event.totals.items():
            client = clients.get(connection)
            if client is not None:
                clients[connection] = replace(client, received=received, sent=sent)

    def _slow(self, event: view.ClientSlow, now: int) -> None:
        client = self._run.clients.get(event.connection)
        if client is None or client.slow == event.slow:
            return
        self._run.clients[event.connection] = replace(client, slow=event.slow)
        if event.slow:
            text = "has a slow connection and falls behind"
            self._feed.add(Kind.SLOW, now, client.name, text, client.handle)
        else:
            self._feed.add(Kind.CAUGHT_UP, now, client.name, "has caught up", client.handle)

    # Requests of the person

    def search(self, text: str) -> None:
        """Show only connections that have `text` in a name, the device or the address."""
        self._search = text.strip()

    # The view

    def view(self, now: int) -> HostView:
        """The view model at `now`. Rows are in the order in which connections were opened."""
        run, clients = self._run, self._run.clients.values()
        day = day_of(now)
        if day != self._rows_day:
            self._rows_day = day
            self._rows.clear()  # times of the day before become dates
        wanted = self._search.casefold()
        return HostView(
            phase=self._phase,
            name=self._name,
            given_name=self._given_name,
            name_problem=self._name_problem,
            name_answers=self._name_answers,
            reach=self._reach,
            since=clock_text(self._since, now) if self._reach else "",
            uptime=uptime_text(now - self._since) if self._reach else "",
            connections=len(clients),
            people=self.people,
            somebody_came=run.somebody_came,
            rate=run.rate.per_minute(now),
            history=run.rate.history(now),
            received=size_text(run.gone_received + sum(each.received for each in clients)),
            sent=size_text(run.gone_sent + sum(each.sent for each in clients)),
            search=self._search,
            rows=tuple(self._row(each, now) for each in clients if each.matches(wanted)),
            feed=self._feed.lines(now),
            trouble=run.trouble,
            disk_low=run.disk_low,
            page=self._page,
            sanctions=tuple(
                self._sanction(each, now)
                for each in run.sanctions
                if each.until is None or now < each.until
            ),
            joined=len(run.joined),
            accounts=self._accounts(now) if self._page is Page.PEOPLE else (),
            joining=(
                self.joining.view(now, with_invites=self._page is Page.INVITES)
                if self._reach
                else JoiningView()
            ),
        )

    def _accounts(self, now: int) -> tuple[AccountRow, ...]:
        run = self._run
        online = {client.account for client in run.clients.values()}
        held: dict[tuple[str, str], str] = {}
        for each in run.sanctions:
            if each.username is not None and (each.until is None or now < each.until):
                held[each.kind, each.username] = _until(each.until, now)
        return tuple(
            AccountRow(
                username=username,
                name=name,
                online=username in online,
                is_moderator=username in run.moderators,
                muted=self._muted(username, now) or held.get(("mute", username), ""),
                banned=held.get(("ban", username), ""),
            )
            for username, name in run.joined.items()
        )

    def next_change(self, now: int) -> int | None:
        """When `view` changes without another event; None while the server is stopped."""
        if self._reach is None:
            return None
        uptime = now + _MINUTE - (now - self._since) % _MINUTE
        rate = self._run.rate.next_change(now)
        ends = [*self._run.mutes.values(), *(each.until for each in self._run.sanctions)]
        ends += self.joining.next_changes()
        later = [each for each in (rate, *ends) if each is not None and each > now]
        return min((uptime, *later))

    def _row(self, client: Client, now: int) -> ClientRow:
        """The row of a connection; the same object as long as it has not changed."""
        is_moderator = client.account in self._run.moderators
        shown = client, is_moderator, self._muted(client.account, now)
        kept = self._rows.get(client.connection)
        if kept is not None and kept[0][0] is client and kept[0] == shown:
            return kept[1]
        row = client_row(client, now, is_moderator=is_moderator, muted=shown[2])
        self._rows[client.connection] = (shown, row)
        return row

    def _muted(self, username: str, now: int) -> str:
        """Until when a person is muted, as text; "" if they are not."""
        if username not in self._run.mutes:
            return ""
        until = self._run.mutes[username]
        return _until(until, now) if until is None or now < until else ""

    def _sanction(self, sanction: messages.Sanction, now: int) -> SanctionRow:
        if sanction.username is not None:
            who = self._called_who(sanction.username)
        else:
            who = f"A device: {safe(sanction.device or '')}"
        until = sanction.until
        return SanctionRow(
            number=sanction.number,
            is_ban=sanction.kind == "ban",
            username=sanction.username or "",
            who=who,
            until_text="until lifted" if until is None else until_text(until, now),
            by="You" if sanction.by == view.HOST else self._called_who(sanction.by),
            at_text=clock_text(sanction.at, now),
            reason=safe(sanction.reason),
            until=inf if until is None else until,
            at=sanction.at,
        )


def _last_renewal(events: Sequence[view.ViewEvent]) -> Iterator[view.ViewEvent]:
    """The events, with the last new invite alone: each ban of several at once makes one."""
    left = sum(isinstance(event, view.InviteRenewed) for event in events)
    for event in events:
        if isinstance(event, view.InviteRenewed):
            left -= 1
            if left:
                continue
        yield event


def _until(until: int | None, now: int) -> str:
    return "until lifted" if until is None else f"until {until_text(until, now)}"
