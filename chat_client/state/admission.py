"""Authentication: greeting the server, joining or signing in, and the server's replies."""

from __future__ import annotations

import hashlib
import platform
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from chat_client.cache.cache import Cache
from chat_client.cache.rows import is_session
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.link import ServerLink
from common import __version__, limits
from common.domain.invite import MOST_HOSTS
from common.domain.reasons import Reason
from common.protocol import messages

_JOINED_ANEW: Final = "joined_anew"
"""The key in the cache of the token to join anew with, behind a hash of the invite's secret."""
_SIGNED_IN_WITH: Final = "signed_in_with"
"""The key in the cache of a hash of the secret that the invite had at the last sign-in."""
_IN_VAIN: Final = "-"
"""Stands for the token if joining anew was refused."""
_TAKEN: Final = frozenset({"name_taken", "name_alike"})
"""Codes with which an invite for newcomers is refused to somebody who has an account."""

_COMPUTER: Final = 40
"""Characters of a computer's name at most."""
_SYSTEMS: Final = {"win32": "Windows", "darwin": "macOS", "linux": "Linux"}


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The facts about this client in its `hello`."""

    name: str
    device: str
    capabilities: tuple[str, ...] = ()


def this_program(*, presence: bool) -> ClientInfo:
    """The client's `hello`; with `presence`, it requests pushes about presence."""
    capabilities = (limits.PRESENCE,) if presence else ()
    return ClientInfo(f"ChatClient {__version__}", device_name(platform.node()), capabilities)


def device_name(computer: str) -> str:
    """What this device is called among those of its owner, by this computer's own name."""
    system = _SYSTEMS.get(sys.platform, sys.platform)
    name = "".join(filter(str.isprintable, computer.partition(".")[0])).strip()
    return f"{name[:_COMPUTER]} ({system})" if name else system


class Admission:
    """Authenticates each connection. `admitted(epoch)` is called when its session is admitted.

    The epochs are compared only then: a server with another history may not know this account,
    and the cache of the former history must not be dropped for it.
    """

    def __init__(
        self,
        account: Account,
        cache: Cache,
        program: ClientInfo,
        link: ServerLink,
        tell: Callable[[news.News], object],
        admitted: Callable[[str], object],
    ) -> None:
        self.account = account
        """The account, as confirmed by the server once it has signed in."""
        self._cache = cache
        self._program = program
        self._link = link
        self._tell = tell
        self._admitted = admitted
        self._epoch = ""

    def moved(self, host: str, port: int) -> None:
        """The server was reached at another address, which the front end stores once it admits."""
        invite = self.account.invite
        hosts = tuple(dict.fromkeys((host, *invite.hosts)))[:MOST_HOSTS]
        self.account = self.account.with_invite(replace(invite, hosts=hosts, port=port))

    def begin(self) -> None:
        """A connection was made: send `hello`."""
        self._link.ask(
            messages.Hello,
            protocol=limits.PROTOCOL_VERSION,
            capabilities=self._program.capabilities,
            program=self._program.name,
        )

    def welcome(self, welcome: messages.Welcome, _asked: messages.Hello, now: float) -> None:
        """The server's greeting: sign in, or join if this account has not joined yet."""
        if welcome.protocol != limits.PROTOCOL_VERSION:
            params = {"theirs": welcome.protocol, "ours": limits.PROTOCOL_VERSION}
            older = welcome.protocol < limits.PROTOCOL_VERSION
            self._link.refused(Reason("server_too_old" if older else "client_too_old", params))
            return
        self._tell(news.Welcomed(welcome.time, now))
        self._epoch = welcome.epoch
        if self.account.invite.server_name != welcome.server_name:
            self._rename_server(welcome.server_name)
        account = self.account
        if account.joined:
            same = self._cache.meta("epoch") == welcome.epoch
            session = self._cache.meta("session") if same else None
            self._link.ask(
                messages.SignIn,
                username=account.username,
                token=account.token,
                device=self._program.device,
                installation=account.installation,
                resume=session if is_session(session) else None,
            )
        else:
            self._join(account.token)

    def join_anew(self) -> bool:
        """The server does not know this device: join with the invite, if it may add a device here.

        Returns False if there is no such invite, or it was tried. One for newcomers is tried if it
        is another one than before: the server may have lost the whole account. The token is a new
        one: the old one may have been signed out because somebody else has it, too. It is in the
        cache before it is sent, and stays there: after a lost reply the same join is repeated.
        """
        invite, mark = self.account.invite, self._mark
        is_for_device = invite.username == self.account.username
        before = self._cache.meta(_SIGNED_IN_WITH)
        is_another = not invite.username and before is not None and before != mark
        if not self.account.joined or not (is_for_device or is_another):
            return False
        known, _, token = (self._cache.meta(_JOINED_ANEW) or "").partition(" ")
        if known == mark and token == _IN_VAIN:
            return False
        if known != mark or not _is_token(token):
            token = secrets.token_hex(32)
            self._cache.set_meta(_JOINED_ANEW, f"{mark} {token}")
        if token == self.account.token:
            return False
        self._join(token)
        return True

    @property
    def _mark(self) -> str:
        """What stands in the cache for the invite's secret."""
        return hashlib.sha256(self.account.invite.secret.encode()).hexdigest()

    def refused(self, asked: messages.Command, reason: Reason) -> Reason:
        """A command of this part was refused for good: why, as somebody who has joined sees it."""
        in_vain = isinstance(asked, messages.Join) and self.account.joined
        if not in_vain or reason.code not in _TAKEN:
            return reason
        self._cache.set_meta(_JOINED_ANEW, f"{self._mark} {_IN_VAIN}")
        return Reason("for_newcomers", {"username": self.account.username})

    def _join(self, token: str) -> None:
        account = self.account
        self._link.ask(
            messages.Join,
            secret=account.invite.secret or None,
            username=account.username,
            display_name=account.display_name,
            token=token,
            device=self._program.device,
            installation=account.installation,
        )

    def signed_in(
        self, signed_in: messages.SignedIn, asked: messages.Join | messages.SignIn, now: float
    ) -> None:
        """The session is admitted."""
        if signed_in.username != asked.username:
            # Stored under that name, this account could not be used any more.
            self._link.fault(Reason("wrong_account"), now)
            return
        self._admitted(self._epoch)
        account = replace(self.account, token=asked.token)
        self.account = account.confirmed(signed_in.username, signed_in.display_name)
        self._cache.set_meta("session", signed_in.session)
        self._cache.set_meta(_SIGNED_IN_WITH, self._mark)
        self._tell(news.AccountChanged(self.account))
        self._tell(news.RoleChanged(signed_in.role))
        self._tell(news.MuteChanged(_mute(signed_in.mute)))
        self._link.signed_in(now)

    def server_changed(self, changed: messages.ServerChanged, _now: float) -> None:
        """The host has renamed the chat; the front end stores the name with the account."""
        self._rename_server(changed.server_name)
        self._tell(news.AccountChanged(self.account))

    def mute_changed(self, changed: messages.MuteChanged, _now: float) -> None:
        """This account was muted, or unmuted."""
        self._tell(news.MuteChanged(_mute(changed.mute)))

    def person_changed(self, person: messages.Person) -> None:
        """Somebody's name changed: if it is one's own, perhaps from another device, keep it."""
        account = self.account
        if person.former or (person.username, person.display_name) == (
            account.username, account.display_name,
        ):  # fmt: skip
            return
        if person.username == account.username:
            self.account = replace(account, display_name=person.display_name)
            self._tell(news.AccountChanged(self.account))

    def _rename_server(self, name: str) -> None:
        self.account = replace(self.account, invite=replace(self.account.invite, server_name=name))


def _is_token(text: str) -> bool:
    """Whether it is what was written: the cache may be damaged."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _mute(mute: messages.Mute | None) -> Reason | None:
    if mute is None:
        return None
    until = {} if mute.until is None else {"until": mute.until}
    return Reason("muted", {"reason": mute.reason, **until})
