"""What the join screen shows: a function of its state, the search and the attempt to join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from chat_client.state.account import Account
from chat_client.window.join.attempt import Phase
from chat_client.window.join.listing import Entry
from chat_client.window.join.ways import Chosen, Way, button_of, other_ways, warning_of
from chat_client.window.join.words import where_of
from common.domain.invite import Invite, Place
from common.domain.sign import Sign, sign_of
from common.ui.look.icons import IconName
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:
    from chat_client.window.join.model import JoinModel
    from chat_client.window.join.search import Search

_DOING: Final = {
    Phase.IDLE: "",
    Phase.LOOKING: "Connecting…",
    Phase.ASKING: "Asking…",
    Phase.WAITING: "Waiting for the host to let you in…",
    Phase.PROVING: "Checking the code…",
}


class Head(NamedTuple):
    """The heading: a chat with its sign, or an icon where there is none."""

    title: str
    under: str
    icon: IconName | None = None
    sign: Sign | None = None


class Searching(NamedTuple):
    """What is said while no chat is chosen."""

    doing: str = ""
    causes: tuple[str, ...] = ()
    choices: bool = False
    """Whether the buttons are shown."""
    can_host: bool = False
    can_scan: bool = False
    """Whether each address of this network may be tried."""


_NOTHING: Final = Searching()


@dataclass(frozen=True, slots=True)
class View:
    """All that the column shows, besides what is typed into it."""

    way: Way
    head: Head
    warning: str = ""
    names: bool = False
    """Whether the name is asked for."""
    digits: str = ""
    """Those of a request to join that the host sees; nothing else is asked for meanwhile."""
    button: str = ""
    doing: str = ""
    """What is going on; then there is no button, but one that ends it."""
    cancel: str = "Cancel"
    others: tuple[tuple[Way, str], ...] = ()
    offer: str = ""
    """The name of the chat whose link was copied."""
    problem: str = ""
    field: str = ""
    """What the problem is about; see `Column.at`."""
    searching: Searching = _NOTHING


class State(NamedTuple):
    """The state of the screen itself, without what goes on in the background.

    `entry` is the chosen chat as it is listed, `invite` what the link leads to, `former` the
    account that may be one of that chat, `back` one that comes back into it, `copied` the invite on
    the clipboard. `joining` is what is said while it is being tried to join, `problem` what is
    wrong with `field`.
    """

    way: Way
    entry: Entry | None
    invite: Invite | None
    former: Account | None
    back: Account | None
    copied: Invite | None
    joining: str
    problem: str
    field: str


def view_of(state: State, model: JoinModel) -> View:
    """All that the column shows."""
    attempt, way = model.attempt, state.way
    chosen = model.chosen(state.entry, state.back)
    about_chat = way in {Way.CHAT, Way.CODE}
    warning = ""
    if about_chat and chosen is not None and attempt.place is not None:
        warning = warning_of(safe(attempt.place.server_name), chosen)
    is_back = state.back is not None and state.invite is None
    for_device = state.invite is not None and bool(state.invite.username)
    asked = attempt.phase in {Phase.ASKING, Phase.WAITING}
    return View(
        way,
        _head(state, model, chosen),
        warning=warning,
        names=about_chat or (way is Way.LINK and not (for_device or is_back)),
        digits=attempt.digits,
        button=button_of(way, chosen or Chosen()),
        doing=state.joining or _DOING[attempt.phase],
        cancel="Withdraw" if asked else "Cancel",
        others=tuple(other_ways(way, chosen)),
        offer=_offered(state, model),
        problem=state.problem,
        field=state.field,
        searching=_searching(model.search) if way is Way.SEARCH else Searching(),
    )


def _offered(state: State, model: JoinModel) -> str:
    """The name of the chat whose copied link is offered, if that would change something."""
    copied, place = state.copied, model.attempt.place
    if copied is None or state.joining or model.attempt.busy:
        return ""
    other = state.way in {Way.CHAT, Way.CODE} and (
        place is None or place.fingerprint != copied.fingerprint
    )
    used = state.way is Way.LINK and copied == state.invite
    return "" if other or used else copied.server_name


def _head(state: State, model: JoinModel, chosen: Chosen | None) -> Head:
    place = model.attempt.place
    match state.way:
        case Way.LINK if state.invite is not None:
            return _head_of(state.invite.place, _under_link(state.invite, state.former))
        case Way.LINK | Way.CODE if state.back is not None:
            under = f"to come back as @{state.back.username}"
            return _head_of(place or state.back.invite.place, under)
        case Way.LINK:
            return Head("Join with an invite", "Paste the link that the host sent you", "link")
        case Way.ADDRESS:
            return Head("Type an address", "Of the host's computer on your network", "pencil")
        case Way.CHAT | Way.CODE if place is not None:
            return _head_of(place, _under_chat(place, chosen))
        case _:
            return _head_of_search(model.search)


def _head_of(place: Place, under: str) -> Head:
    pin = place.fingerprint
    return Head(place.server_name, under, sign=sign_of(pin) if pin is not None else None)


def _under_link(invite: Invite, former: Account | None) -> str:
    if invite.username:
        return f"for one more device of @{invite.username}"
    if former is not None:
        return f"It seems you are @{former.username} there"
    return where_of(invite.place)


def _under_chat(place: Place, chosen: Chosen | None) -> str:
    if chosen is not None and chosen.gone:
        return "not on this network any more"
    if chosen is not None and chosen.direct:
        return "runs on this computer"
    return where_of(place)


def _head_of_search(search: Search) -> Head:
    if search.hosting.starting:
        return Head("Your own chat", "It appears here in a moment", "broadcast")
    known = search.listing.known
    if known and not search.anything and all(each.online is False for each in known):
        return Head("Your chats are off now", "Open one to read what was said", "search")
    if search.listing.found or known:
        return Head("Choose a chat", "From the list at the left", "chat")
    if search.patient:
        return Head("Looking for chats", "On this network", "search")
    return Head("No chat was found", "One that starts appears here by itself", "search")


def _searching(search: Search) -> Searching:
    if search.hosting.starting:
        return Searching("Starting ChatServer…", choices=False)
    problem = search.hosting.problem
    causes = ((problem,) if problem else ()) + search.said
    # Nothing that would be gone again when the first chat is found.
    choices = not search.patient or bool(search.listing.known)
    doing = "Trying every address of this network…" if search.scanning else ""
    return Searching(doing, causes, choices, search.can_host, search.can_scan)
